/*
 * Trackers that follow drops: pages whose contents go away have changed
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 64
#define ALL   (~(uint64_t)0)

static char *memory;
static struct writewatch_tracker *tracker, *other;   /* the other does not follow drops */
static int sees_all;   /* mprotect does not see a page that was read again since */

static char *page( size_t number )
{
    return memory + (number << page_shift);
}

/* checks which pages a tracker takes for written, and says them */
#define check_pages( who, expected ) \
    do \
    { \
        uint64_t pages = take( who ), right = (expected); \
        if (pages != right) printf( "pages %#llx, not %#llx\n", (unsigned long long)pages, \
                                    (unsigned long long)right ); \
        check( pages == right ); \
    } while (0)

static uint64_t bits( size_t first, size_t count )
{
    return (count == 64 ? ALL : ((uint64_t)1 << count) - 1) << first;
}

static uint64_t take( struct writewatch_tracker *who )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[PAGES];
    const void *pos = memory;
    uint64_t ret = 0;
    ssize_t i, count;

    count = writewatch_tracker_list( who, &pos, page( PAGES ), &filter, ranges, PAGES );
    check( count >= 0 && pos == page( PAGES ));
    for (i = 0; i < count; i++)
        ret |= bits( (ranges[i].start - (uintptr_t)memory) >> page_shift,
                     (ranges[i].end - ranges[i].start) >> page_shift );
    return ret;
}

static void read_pages( size_t first, size_t count )
{
    while (count--) check( !*(volatile char *)page( first++ ));
}

static void open_trackers(void)
{
    check( !writewatch_tracker_open( &tracker, memory, PAGES << page_shift, WRITEWATCH_TRACK_DROPS ));
    check( !writewatch_tracker_open( &other, memory, PAGES << page_shift, 0 ));
}

static void close_trackers(void)
{
    writewatch_tracker_close( tracker );
    writewatch_tracker_close( other );
}

/* dropped as they are, then read, then written; and what was not dropped has not changed */
static void test_private(void)
{
    unsigned int round;

    memset( memory, 1, PAGES << page_shift );
    check_pages( tracker, ALL );
    take( other );
    for (round = 0; round < 3; round++)
    {
        check( !madvise( page( 1 ), 4 << page_shift, MADV_DONTNEED ));
        check_pages( tracker, bits( 1, 4 ) );
        check_pages( tracker, 0 );

        check( !madvise( page( 8 ), 4 << page_shift, MADV_DONTNEED ));
        read_pages( 8, 4 );
        check_pages( tracker, (sees_all ? bits( 8, 4 ) : 0) );
        check_pages( tracker, 0 );

        check( !madvise( page( 16 ), 4 << page_shift, MADV_DONTNEED ));
        *page( 17 ) = 1;
        check_pages( tracker, bits( 16, 4 ) );

        /* before and after a look, and with nobody looking in between */
        *page( 20 ) = 2;
        check( !madvise( page( 20 ), 1 << page_shift, MADV_DONTNEED ));
        check( (take( tracker ) | bits( 20, 1 )) == bits( 20, 1 ) );

        /* what goes to swap space, if there is any, is not lost */
        madvise( page( 32 ), 32 << page_shift, MADV_PAGEOUT );
        check_pages( tracker, 0 );

        memset( page( 1 ), 3, 24 << page_shift );
        check_pages( tracker, bits( 1, 24 ) );
        check( take( other ) & bits( 17, 1 ) );
    }
    check( *page( 40 ) == 1 );

    /* by the library */
    take( other );
    check( !writewatch_drop( page( 48 ), 3 << page_shift, MADV_DONTNEED ));
    check_pages( tracker, bits( 48, 3 ) );
    check_pages( other, 0 );
    read_pages( 48, 3 );
    check_pages( tracker, 0 );
    check_pages( other, 0 );
}

/* what the library itself drops: the written state is kept, what the pages hold is not */
static void test_library(void)
{
    memset( memory, 1, PAGES << page_shift );
    take( tracker );
    take( other );
    check( VirtualFree( page( 2 ), 3 << page_shift, MEM_DECOMMIT ));
    check_pages( tracker, bits( 2, 3 ) );
    check( VirtualAlloc( page( 2 ), 3 << page_shift, MEM_COMMIT, PAGE_READWRITE ) == page( 2 ));
    read_pages( 2, 3 );
    check_pages( tracker, 0 );
    check( VirtualAlloc( page( 9 ), 2 << page_shift, MEM_RESET, PAGE_READWRITE ) == page( 9 ));
    check_pages( tracker, bits( 9, 2 ) );
    check_pages( other, 0 );
}

/* what is written into a hole is written, whoever looks, and whether it was read before */
static void test_hole(void)
{
    memset( memory, 1, PAGES << page_shift );
    check( !writewatch_tracker_open( &other, memory, PAGES << page_shift, 0 ));
    check( !writewatch_drop( page( 8 ), 4 << page_shift, MADV_REMOVE ));
    read_pages( 8, 2 );
    *page( 9 ) = *page( 10 ) = 1;
    check_pages( other, bits( 9, 2 ) );
    writewatch_tracker_close( other );
}

/* A hole in shared memory, which the library has to make. Dropping only the mapping's entries
 * leaves what the pages hold. */
static void test_shared(void)
{
    memset( memory, 1, PAGES << page_shift );
    take( tracker );
    take( other );
    check( !madvise( page( 1 ), 4 << page_shift, MADV_DONTNEED ));
    check_pages( tracker, 0 );
    check( *page( 2 ) == 1 );
    check( !writewatch_drop( page( 8 ), 4 << page_shift, MADV_REMOVE ));
    check_pages( tracker, bits( 8, 4 ) );
    read_pages( 8, 4 );
    check_pages( tracker, 0 );
    *page( 9 ) = 1;
    check_pages( tracker, bits( 9, 1 ) );
    check_pages( other, bits( 9, 1 ) );
    check( writewatch_drop( page( 8 ), 4 << page_shift, MADV_NORMAL ) == -EINVAL );
    check( writewatch_drop( page( 8 ) + 1, 4 << page_shift, MADV_REMOVE ) == -EINVAL );
}

static int run( const char *name )
{
    size_t size = PAGES << page_shift;
    int fd;

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    sees_all = strcmp( name, "mprotect" );

    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED );
    check( !writewatch_watch( memory, size ));
    open_trackers();
    test_private();
    check( !writewatch_unwatch( memory, size ));
    /* a new watch of the same memory, which has pages */
    check( !writewatch_watch( memory, size ));
    test_private();
    close_trackers();
    check( !writewatch_unwatch( memory, size ));
    munmap( memory, size );

    memory = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( memory != NULL );
    open_trackers();
    test_library();
    close_trackers();

    fd = memfd_create( "drops", MFD_CLOEXEC );
    check( fd != -1 && !ftruncate( fd, size ));
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( memory != MAP_FAILED );
    check( !writewatch_watch( memory, size ));
    test_hole();
    open_trackers();
    test_shared();
    close_trackers();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
