/*
 * Lists and polls of any range: adjacent and separate regions, and memory that is not watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 512

static char *memory;

/* the regions, as pages: two that touch, a gap, another one, a gap to the end */
static const struct { size_t first, end; } regions[] = { { 8, 64 }, { 64, 200 }, { 300, 420 } };

static char *page( size_t number )
{
    return memory + (number << page_shift);
}

static int is_watched( size_t number )
{
    size_t i;

    for (i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
        if (number >= regions[i].first && number < regions[i].end) return 1;
    return 0;
}

static void watch_memory(void)
{
    size_t i;

    memory = mmap( NULL, PAGES << page_shift, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    check( memory != MAP_FAILED );
    for (i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
        check( !writewatch_watch( page( regions[i].first ),
                                  (regions[i].end - regions[i].first) << page_shift ));
}

/* Polls the memory from a page on, count ranges a call, and adds the pages to found, which must not
 * have them already. Returns how many calls that took, or -errno. */
static int poll_all( unsigned int flags, size_t count, unsigned char *found )
{
    struct writewatch_range ranges[PAGES];
    const char *end = page( PAGES );
    const void *next = memory;
    int calls = 0;

    while ((const char *)next < end)
    {
        const char *from = next;
        ssize_t i, ret = writewatch_poll( from, end - from, flags, ranges, count, &next );

        if (ret < 0) return ret;
        calls++;
        for (i = 0; i < ret; i++)
        {
            check( ranges[i].categories == WRITEWATCH_WRITTEN );
            check( ranges[i].start >= (uintptr_t)from && ranges[i].end <= (uintptr_t)next );
            for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
                check( !found[(ranges[i].start - (uintptr_t)memory) >> page_shift]++ );
        }
        check( next > (const void *)from );
    }
    return calls;
}

static void write_some( unsigned char *written, unsigned int step )
{
    size_t i;

    memset( written, 0, PAGES );
    for (i = 0; i < PAGES; i += step)
    {
        *(volatile char *)page( i ) = i;
        written[i] = is_watched( i );
    }
}

static void test_poll(void)
{
    unsigned char written[PAGES], found[PAGES];
    static const size_t counts[] = { PAGES, 1, 2, 7 };
    struct writewatch_range range, two[2];
    const void *next;
    size_t i;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
    {
        write_some( written, 1 + i );
        memset( found, 0, sizeof(found) );
        check( poll_all( WRITEWATCH_ACROSS, counts[i], found ) > 0 );
        check( !memcmp( found, written, PAGES ));
        memset( found, 0, sizeof(found) );
        check( poll_all( WRITEWATCH_ACROSS | WRITEWATCH_RESET, counts[i], found ) > 0 );
        check( !memcmp( found, written, PAGES ));
        memset( written, 0, sizeof(written) );
        memset( found, 0, sizeof(found) );
        check( poll_all( WRITEWATCH_ACROSS, PAGES, found ) == 1 );
        check( !memcmp( found, written, PAGES ));
    }

    /* adjacent regions are one range where both are written */
    memset( page( 60 ), 1, 8 << page_shift );
    check( writewatch_poll( page( 8 ), 192 << page_shift, WRITEWATCH_RESET, two, 2, &next ) == 1 );
    check( two[0].start == (uintptr_t)page( 60 ) && two[0].end == (uintptr_t)page( 68 ));
    check( next == page( 200 ) );

    /* what is not watched is an error unless the caller says otherwise, and nothing is lost then */
    *page( 150 ) = *page( 310 ) = 1;
    check( writewatch_poll( page( 140 ), 200 << page_shift, WRITEWATCH_RESET, &range, 1, &next ) == 1 );
    *page( 150 ) = 2;
    memset( found, 0, sizeof(found) );
    check( poll_all( WRITEWATCH_RESET, PAGES, found ) == -ENOENT );
    check( writewatch_poll( page( 8 ), 300 << page_shift, WRITEWATCH_RESET, two, 2, &next )
           == -ENOENT );
    check( poll_all( WRITEWATCH_RESET | WRITEWATCH_ACROSS, PAGES, found ) == 1 );
    check( found[150] && found[310] );
    check( writewatch_poll( page( 420 ), 9 << page_shift, 0, &range, 1, &next ) == -ENOENT );
    check( writewatch_poll( page( 420 ), 9 << page_shift, WRITEWATCH_ACROSS, &range, 1, &next ) == 0 );
    check( next == page( 429 ) );
}

/* a limit of pages, and where it ends */
static void test_limit(void)
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .max_pages = 70, .reset = 1,
                                        .flags = WRITEWATCH_ACROSS };
    struct writewatch_range ranges[8];
    const void *next;

    memset( page( 8 ), 1, 56 << page_shift );
    memset( page( 100 ), 1, 10 << page_shift );
    memset( page( 300 ), 1, 10 << page_shift );
    check( writewatch_list( memory, PAGES << page_shift, &filter, ranges, 8, &next ) == 3 );
    check( ranges[2].start == (uintptr_t)page( 300 ) && ranges[2].end == (uintptr_t)page( 304 ));
    check( next == page( 304 ) );
    check( writewatch_list( next, page( PAGES ) - (char *)next, &filter, ranges, 8, &next ) == 1 );
    check( ranges[0].start == (uintptr_t)page( 304 ) && ranges[0].end == (uintptr_t)page( 310 ));

    filter.reserved[2] = 1;
    check( writewatch_list( memory, PAGES << page_shift, &filter, ranges, 8, &next ) == -EINVAL );
    filter.reserved[2] = 0;
    filter.flags = 0x80;
    check( writewatch_list( memory, PAGES << page_shift, &filter, ranges, 8, &next ) == -EINVAL );
    check( writewatch_poll( memory, PAGES << page_shift, 0x80, ranges, 8, &next ) == -EINVAL );
}

/* an error in the last region puts back what was found in those before */
static void test_error(void)
{
    unsigned char found[PAGES] = { 0 };
    struct writewatch_range ranges[8];
    const void *next;

    *page( 10 ) = *page( 70 ) = *page( 301 ) = 1;
    munmap( page( 410 ), 10 << page_shift );
    check( writewatch_poll( memory, PAGES << page_shift, WRITEWATCH_RESET | WRITEWATCH_ACROSS, ranges,
                            8, &next ) == -EFAULT );
    check( !writewatch_unwatch( page( 300 ), 120 << page_shift ));
    check( poll_all( WRITEWATCH_RESET | WRITEWATCH_ACROSS, PAGES, found ) == 1 );
    check( found[10] && found[70] && !found[301] );
}

static unsigned int by_signal[PAGES], signals;
static volatile int signal_errors;

/* Polls in the midst of whatever was interrupted. The next signal is asked for at the end, so that
 * the program gets on, however long this takes. */
static void on_signal( int sig )
{
    static const struct itimerval timer = { { 0, 0 }, { 0, 50 } };
    struct writewatch_range ranges[4];
    const void *next;
    ssize_t i, ret;

    (void)sig;
    signals++;
    ret = writewatch_poll( page( 8 ), 192 << page_shift, WRITEWATCH_RESET, ranges, 4, &next );
    if (ret < 0) signal_errors++;
    for (i = 0; i < ret; i++)
        for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
            by_signal[(ranges[i].start - (uintptr_t)memory) >> page_shift]++;
    setitimer( ITIMER_REAL, &timer, NULL );
}

/* Each page is written, then polled, by the program or by a signal handler: exactly one of them
 * gets it, whatever the signal has interrupted. */
static void test_signal(void)
{
    static const struct itimerval timer = { { 0, 0 }, { 0, 50 } };
    unsigned int total[PAGES] = { 0 }, writes[PAGES] = { 0 }, wrong = 0;
    struct sigaction action = { .sa_handler = on_signal };
    unsigned int round, rounds = unit_share( 20000 );
    struct writewatch_range ranges[4];
    const void *next;
    sigset_t mask;
    size_t number;
    ssize_t i;

    sigemptyset( &mask );
    sigaddset( &mask, SIGALRM );
    check( !sigaction( SIGALRM, &action, NULL ));
    check( !setitimer( ITIMER_REAL, &timer, NULL ));
    for (round = 0; round < rounds || !signals; round++)
    {
        number = 8 + round * 7 % 192;
        sigprocmask( SIG_BLOCK, &mask, NULL );
        *(volatile char *)page( number ) = round;
        writes[number]++;
        sigprocmask( SIG_UNBLOCK, &mask, NULL );
        ssize_t ret = writewatch_poll( page( 8 ), 192 << page_shift, WRITEWATCH_RESET, ranges, 4,
                                       &next );
        if (ret < 0) wrong++;
        for (i = 0; i < ret; i++)
            for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
                total[(ranges[i].start - (uintptr_t)memory) >> page_shift]++;
    }
    sigprocmask( SIG_BLOCK, &mask, NULL );
    for (number = 0; number < PAGES; number++)
        if (total[number] + by_signal[number] != writes[number]) wrong++;
    check( !wrong && !signal_errors );
}

static int run( const char *name )
{
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    watch_memory();
    test_poll();
    test_limit();
    test_signal();
    test_error();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
