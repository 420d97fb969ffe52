/*
 * Pages that the program drops itself, by madvise(), and then uses again
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The memory is the program's own, watched by writewatch_watch(). What is written after the drop is
 * reported, whatever the page was before. The arguments are backends, otherwise all have their
 * turn.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault/userfault.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 64

static char *memory;

static char *page( size_t number )
{
    return memory + (number << page_shift);
}

/* which pages are written, as one bit each; they become not written */
static uint64_t take(void)
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, i;
    DWORD granularity;
    uint64_t bits = 0;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES << page_shift, addresses, &count,
                       &granularity )) return ~(uint64_t)0;
    for (i = 0; i < count; i++)
        bits |= (uint64_t)1 << (((char *)addresses[i] - memory) >> page_shift);
    return bits;
}

/* Drops pages, lazily or not. What is dropped lazily goes when the kernel wants memory, as here. */
static void drop( size_t first, size_t count, int lazily )
{
    size_t size = count << page_shift;

    check( !madvise( page( first ), size, lazily ? MADV_FREE : MADV_DONTNEED ));
    if (lazily) madvise( page( first ), size, MADV_PAGEOUT );
}

/* pages that are dropped as they are, then written, then read */
static void test_drop( int lazily )
{
    uint64_t bits;

    take();
    drop( 1, 4, lazily );
    *page( 1 ) = 1;
    *page( 3 ) = 0;
    bits = take();
    check( (bits & 0x0a) == 0x0a );
    check( !(bits & ~0x1eull) );
    check( *page( 1 ) == 1 && !*page( 3 ) );

    /* what is there again is protected again */
    *page( 1 ) = 2;
    check( take() == 0x02 );

    /* one that was written, not reported, and dropped may be reported, or may not; written again */
    *page( 5 ) = 1;
    drop( 5, 1, lazily );
    *page( 5 ) = 2;
    check( take() == 0x20 );

    /* read before it is written */
    drop( 7, 2, lazily );
    check( lazily || (!*page( 7 ) && !*page( 8 )) );
    take();
    *page( 7 ) = 1;
    *page( 8 ) = 0;
    check( take() == 0x180 );

    /* all of it */
    drop( 0, PAGES, lazily );
    *page( 0 ) = *page( PAGES - 1 ) = 1;
    bits = take();
    check( (bits & 1) && (bits >> (PAGES - 1)) );
}

/* over and over: each write is reported by the query after it */
static void test_rounds(void)
{
    unsigned int round, missed = 0;

    for (round = 0; round < unit_share( 2000 ); round++)
    {
        size_t number = round * 7 % PAGES;

        drop( number, 1, 0 );
        if (round % 3 == 0) check( !*(volatile char *)page( number ) );
        *(volatile char *)page( number ) = round % 2;
        if (!(take() >> number & 1)) missed++;
    }
    if (missed) printf( "%u writes were not reported\n", missed );
    check( !missed );
}

/* of memory that had pages when it was first watched, or had not */
static void test_memory( int populated )
{
    size_t size = PAGES << page_shift;

    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED );
    if (populated) memset( memory, 1, size );
    check( !writewatch_watch( memory, size ));
    check( !take() );
    test_drop( 0 );
    test_drop( 1 );
    test_rounds();

    /* reading is not writing, whatever it finds */
    memset( memory, 1, size );
    take();
    check( *page( 2 ) == 1 && !take() );
    check( !writewatch_unwatch( memory, size ));
    /* and without a watch it is as any other */
    drop( 0, PAGES, 0 );
    check( !*page( 9 ) );
    *page( 9 ) = 1;
    munmap( memory, size );
}

static int run( const char *name )
{
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    test_memory( 0 );
    test_memory( 1 );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED | UNIT_SIGBUS_OLD, run );
}
