/*
 * Watched memory that the program unmaps, moves away or maps over without a word
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the manual says of each backend: writewatch_check(), and what queries answer. Of a hole all
 * fail. The arguments
 * are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault/userfault.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 16
#define FIRST 4    /* of those that vanish, */
#define LAST  8    /* and the one behind them */

/* queries learn of it: of memory without a registration, of any that was mapped over */
static int sees_other, sees_any;

/* writes are met by changing the protection of mappings */
static int by_protection;

static char *memory;

static char *page( size_t number )
{
    return memory + (number << page_shift);
}

/* which pages are written, as one bit each; -1 if the query fails */
static int query( size_t first, size_t last, unsigned int flags )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, i;
    DWORD granularity;
    int bits = 0;

    if (GetWriteWatch( flags, page( first ), (last - first) << page_shift, addresses, &count,
                       &granularity )) return -1;
    for (i = 0; i < count; i++) bits |= 1 << (((char *)addresses[i] - memory) >> page_shift);
    return bits;
}

static ssize_t list( size_t first, size_t last )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_range ranges[PAGES];

    return writewatch_list( page( first ), (last - first) << page_shift, &filter, ranges, PAGES,
                            NULL );
}

static int look( size_t first, size_t last )
{
    return writewatch_check( page( first ), (last - first) << page_shift );
}

enum way { UNMAPPED, MOVED, PROTECTED_OVER, MAPPED_OVER, SHARED_OVER, MOVED_OVER };

static const char * const way_names[] =
{
    "unmapped", "moved away", "mapped over without access", "mapped over",
    "mapped over by shared memory", "moved over"
};

static int is_hole( enum way way )
{
    return way == UNMAPPED || way == MOVED;
}

/* moves memory, page by page where it is several mappings: up to 6.16 the kernel refuses these */
static int move( char *from, char *to, size_t size )
{
    size_t i;

    if (mremap( from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to ) == to) return 1;
    for (i = 0; i < size; i += page_size())
        if (mremap( from + i, page_size(), page_size(), MREMAP_MAYMOVE | MREMAP_FIXED, to + i ) !=
            to + i) return 0;
    return 1;
}

/* lets pages vanish */
static void vanish( enum way way, size_t first, size_t last )
{
    size_t size = (last - first) << page_shift;
    char *ptr = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    check( ptr != MAP_FAILED );
    switch (way)
    {
    case UNMAPPED:
        check( !munmap( page( first ), size ));
        break;
    case MOVED:
        check( move( page( first ), ptr, size ));
        /* and it is memory as any other there, but for its protection */
        check( !by_protection || !mprotect( ptr, size, PROT_READ | PROT_WRITE ));
        memset( ptr, 2, size );
        check( !munmap( ptr, size ));
        return;
    case PROTECTED_OVER:
        check( mmap( page( first ), size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                     0 ) == page( first ) );
        break;
    case MAPPED_OVER:
        check( mmap( page( first ), size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) == page( first ) );
        memset( page( first ), 1, size );
        break;
    case SHARED_OVER:
        check( mmap( page( first ), size, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) == page( first ) );
        memset( page( first ), 1, size );
        break;
    case MOVED_OVER:
        check( mremap( ptr, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, page( first ) ) ==
               page( first ) );
        memset( page( first ), 1, size );
        return;
    }
    munmap( ptr, size );
}

/* some pages of a region, or all of them */
static void test_way( enum way way, size_t first, size_t last )
{
    int err = is_hole( way ) ? -ENOMEM : -EPERM;
    int open = last - first == 1;   /* what vanishes is written, so its protection is its own */
    int fails = is_hole( way ) || sees_any || sees_other;
    int ret;

    memory = mmap( NULL, PAGES << page_shift, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    check( memory != MAP_FAILED );
    memset( memory, 1, PAGES << page_shift );
    check( !writewatch_watch( memory, PAGES << page_shift ));
    *page( 0 ) = *page( PAGES - 1 ) = 1;

    /* a check changes nothing, and allows for the end of a page */
    check( !look( 0, PAGES ) && !writewatch_check( page( 2 ) + 1, 1 ));
    check( query( 0, PAGES, WRITE_WATCH_FLAG_RESET ) == (1 | 1 << (PAGES - 1)) );
    check( !look( 0, PAGES ) && !query( 0, PAGES, 0 ));
    *page( 0 ) = *page( PAGES - 1 ) = 1;
    check( !look( 0, PAGES ));

    /* other memory with the same protection looks the same, and goes on being reported */
    if (by_protection && open && way >= MAPPED_OVER) err = 0;
    vanish( way, first, last );
    ret = look( 0, PAGES );
    if (ret != err) printf( "the check returns %d instead of %d\n", ret, err );
    check( ret == err && look( first, last ) == err );

    ret = query( first, last, 0 );
    check( fails ? ret == -1 : ret != -1 );
    if (fails)
    {
        check( query( 0, PAGES, WRITE_WATCH_FLAG_RESET ) == -1 );
        check( list( first, last ) < 0 );
        check( ResetWriteWatch( page( 0 ), PAGES << page_shift ));
    }
    if (!err) check( ret == 1 << first );
    check( look( 0, PAGES ) == err );

    /* watched anew, it is watched */
    if (is_hole( way ) || way == PROTECTED_OVER)
        check( mmap( page( first ), (last - first) << page_shift, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) == page( first ) );
    check( !writewatch_watch( memory, PAGES << page_shift ));
    check( !look( 0, PAGES ) && !query( 0, PAGES, 0 ));
    *page( first ) = 3;
    check( query( 0, PAGES, WRITE_WATCH_FLAG_RESET ) == 1 << first );
    check( !writewatch_unwatch( memory, PAGES << page_shift ));
    check( look( 0, PAGES ) == -ENOENT );
    munmap( memory, PAGES << page_shift );
}

static int run( const char *name )
{
    size_t i;

    sees_other = !strcmp( name, "scan" );
    sees_any = !strcmp( name, "thread" );
    by_protection = !strcmp( name, "mprotect" );
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    check( writewatch_check( NULL, 0 ) == -EINVAL );
    check( writewatch_check( (void *)-1, 2 ) == -EINVAL );
    for (i = 0; i < sizeof(way_names) / sizeof(way_names[0]); i++)
    {
        int before = unit_failures;

        test_way( i, FIRST, LAST );
        test_way( i, 0, PAGES );
        test_way( i, 0, 1 );
        test_way( i, PAGES - 1, PAGES );
        if (unit_failures != before) printf( "%s\n", way_names[i] );
    }
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED | UNIT_SIGBUS_OLD, run );
}
