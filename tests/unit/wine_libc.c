/*
 * The functions of libc that the preload library stands before, called as any Wine may call them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which of them a Wine imports differs by version: here each is called. Where watched memory is
 * taken away, the watch ends before, and what is left of it keeps its written state.
 */

#include <errno.h>

#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#include "../../preload/preload.h"

#define PAGES 16

int preload_active = 1;

static char *memory;           /* PAGES watched pages, page 1, 5, 9 and 14 written */
static int removals, late;     /* watches that ended, and those that did when the memory was gone */

int __real_watch_remove( void *base, size_t size );

int __wrap_watch_remove( void *base, size_t size )
{
    unsigned char present[PAGES];

    removals++;
    if (mincore( base, page_size(), present )) late++;
    return __real_watch_remove( base, size );
}

static char *page( size_t i )
{
    return memory + (i << page_shift);
}

static size_t bytes( size_t count )
{
    return count << page_shift;
}

/* whether exactly the given pages of [first, last) are written; -1 ends the list */
static void check_pages( size_t first, size_t last, const int *pages )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, i;
    ULONG granularity;

    check( !get_write_watch( 0, page( first ), bytes( last - first ), addresses, &count,
                             &granularity ));
    for (i = 0; i < count && pages[i] >= 0; i++) check( addresses[i] == page( pages[i] ));
    check( i == count && pages[i] < 0 );
}

#define CHECK_PAGES( first, last, ... ) \
    check_pages( first, last, (const int []){ __VA_ARGS__ } )

/* whether no page of [first, last) is watched */
static void check_unwatched( size_t first, size_t last )
{
    check( !watch_overlaps( page( first ), bytes( last - first )) );
}

static void begin(void)
{
    static const unsigned char written[] = { 1, 5, 9, 14 };
    void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;

    memory = mmap( NULL, bytes( PAGES ), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED );
    check( !watch_add( memory, bytes( PAGES )));
    check( !watch_commit( memory, bytes( PAGES )));
    check( !mprotect( memory, bytes( PAGES ), PROT_READ | PROT_WRITE ));
    for (i = 0; i < PAGES; i++) *page( i ) = 1;
    check( !get_write_watch( 1, memory, bytes( PAGES ), addresses, &count, &granularity ));
    check( count == PAGES );
    for (i = 0; i < sizeof(written); i++) *page( written[i] ) = 2;
    CHECK_PAGES( 0, PAGES, 1, 5, 9, 14, -1 );
    removals = late = 0;
}

static void end(void)
{
    check( !munmap( memory, bytes( PAGES )));
    check_unwatched( 0, PAGES );
    check( !late );
}

typedef void *map_func( void *addr, size_t size, int prot, int flags, int fd, off_t offset );

/* offsets may differ in size */
static void *map64( void *addr, size_t size, int prot, int flags, int fd, off_t offset )
{
    return mmap64( addr, size, prot, flags, fd, offset );
}

static void test_map( map_func *map )
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

    /* a new mapping over a part */
    begin();
    check( map( page( 4 ), bytes( 4 ) - 100, PROT_READ | PROT_WRITE, flags | MAP_FIXED, -1, 0 ) ==
           page( 4 ));
    check( removals == 1 );
    check_unwatched( 4, 8 );
    CHECK_PAGES( 0, 4, 1, -1 );
    CHECK_PAGES( 8, PAGES, 9, 14, -1 );
    *page( 0 ) = *page( 4 ) = *page( 8 ) = 3;
    CHECK_PAGES( 0, 4, 0, 1, -1 );
    CHECK_PAGES( 8, PAGES, 8, 9, 14, -1 );
    end();

    /* one without access is a new mapping, too, unless memory is being decommitted */
    begin();
    check( map( page( 4 ), bytes( 4 ), PROT_NONE, flags | MAP_FIXED, -1, 0 ) == page( 4 ));
    check_unwatched( 4, 8 );
    CHECK_PAGES( 0, 4, 1, -1 );
    end();
    begin();
    decommitting = 1;
    check( map( page( 4 ), bytes( 4 ), PROT_NONE, flags | MAP_FIXED, -1, 0 ) == page( 4 ));
    decommitting = 0;
    check( !removals );
    CHECK_PAGES( 0, PAGES, 1, 5, 9, 14, -1 );
    check( !watch_commit( page( 4 ), bytes( 4 )));
    check( !mprotect( page( 4 ), bytes( 4 ), PROT_READ | PROT_WRITE ));
    check( !*page( 5 ) && *page( 9 ) == 2 );
    *page( 6 ) = 1;
    CHECK_PAGES( 0, PAGES, 1, 5, 6, 9, 14, -1 );
    end();

    /* what takes nothing away */
    begin();
    check( map( page( 4 ), bytes( 4 ), PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0 ) ==
           MAP_FAILED );
    check( errno == EEXIST );
    check( !removals );
    CHECK_PAGES( 0, PAGES, 1, 5, 9, 14, -1 );
    end();
}

static void test_munmap(void)
{
    begin();
    check( !munmap( page( 4 ), bytes( 4 ) - 100 ));
    check( removals == 1 && !late );
    check_unwatched( 4, 8 );
    CHECK_PAGES( 0, 4, 1, -1 );
    CHECK_PAGES( 8, PAGES, 9, 14, -1 );
    end();
}

static void test_mremap(void)
{
    char *other;

    /* away: what was watched is watched no more, in neither place */
    begin();
    other = mmap( NULL, bytes( 8 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( other != MAP_FAILED );
    check( mremap( page( 4 ), bytes( 4 ), bytes( 4 ), MREMAP_MAYMOVE | MREMAP_FIXED, other ) ==
           other );
    check( other[bytes( 1 )] == 2 );
    check_unwatched( 4, 8 );
    check( !watch_overlaps( other, bytes( 8 )));
    CHECK_PAGES( 0, 4, 1, -1 );
    CHECK_PAGES( 8, PAGES, 9, 14, -1 );

    /* onto watched memory */
    check( mremap( other + bytes( 4 ), bytes( 1 ), bytes( 2 ), MREMAP_MAYMOVE | MREMAP_FIXED,
                   page( 9 )) == page( 9 ));
    check_unwatched( 9, 11 );
    CHECK_PAGES( 8, 9, -1 );
    CHECK_PAGES( 11, PAGES, 14, -1 );
    munmap( other, bytes( 8 ));
    end();

    /* memory that is not watched is left alone */
    begin();
    other = mmap( NULL, bytes( 2 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( other != MAP_FAILED );
    check( mremap( other, bytes( 2 ), bytes( 1 ), 0 ) == other );
    check( !removals );
    munmap( other, bytes( 1 ));
    CHECK_PAGES( 0, PAGES, 1, 5, 9, 14, -1 );
    end();
}

/* MEM_RESET drops the contents and keeps the written state (row 31) */
static void test_madvise( int advice )
{
    begin();
    check( madvise( page( 4 ) + 1, bytes( 4 ), advice ) == -1 && errno == EINVAL );
    check( *page( 5 ) == 2 );
    check( !madvise( page( 4 ), bytes( 4 ) - 100, advice ));
    check( !*(volatile char *)page( 5 ) && !*(volatile char *)page( 7 ));
    check( *page( 9 ) == 2 );
    CHECK_PAGES( 0, PAGES, 1, 5, 9, 14, -1 );
    *page( 6 ) = 1;
    CHECK_PAGES( 0, PAGES, 1, 5, 6, 9, 14, -1 );
    end();
}

/* locking and protecting are no writes (rows 13 and 23) */
static void test_others(void)
{
    begin();
    check( !mlock( page( 4 ), bytes( 4 )));
    check( !munlock( page( 4 ), bytes( 4 )));
    check( !mprotect( page( 8 ), bytes( 4 ), PROT_NONE ));
    check( !mprotect( page( 8 ), bytes( 4 ), PROT_READ | PROT_WRITE ));
    check( !removals );
    CHECK_PAGES( 0, PAGES, 1, 5, 9, 14, -1 );
    end();
}

int main(void)
{
    char reason[160];

    check( !fault_handler_install() );
    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    test_map( mmap );
    test_map( map64 );
    test_munmap();
    test_mremap();
    test_madvise( MADV_DONTNEED );
    test_madvise( MADV_FREE );
    test_others();
    watch_close();
    return unit_result();
}
