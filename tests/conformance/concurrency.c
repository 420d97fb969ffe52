/*
 * Write watch tests: writers, polls and allocations at the same time
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define PAGES 600          /* more than one page table spans */
#define RUN_TIME 500       /* milliseconds for each test, or more until all had their turn */
#define MAX_WRITERS 3
#define MAX_POLLERS 3

static char *region;
static volatile LONG stop;

struct writer
{
    unsigned int index;    /* writes the pages with this number modulo the number of writers */
    unsigned int writers;
    unsigned int rounds;
    LONG last[PAGES];      /* what it wrote to each page last */
};


/***********************************************************************
 *           go_on
 *
 * Whether a test goes on that began at a time, and that still waits for something or not.
 */
static BOOL go_on( DWORD start, BOOL waiting )
{
    return waiting || GetTickCount() - start < RUN_TIME;
}


/***********************************************************************
 *           writer_thread
 *
 * Writes rising numbers to its pages, in runs and here and there.
 */
static DWORD CALLBACK writer_thread( void *arg )
{
    struct writer *writer = arg;
    unsigned int seed = writer->index * 7919 + 1, page, i;
    LONG value = 0;

    while (!stop)
    {
        seed = seed * 1103515245 + 12345;
        page = (seed >> 8) % PAGES;
        for (i = (seed >> 4) % 12; i && page < PAGES; i--, page++)
        {
            if (page % writer->writers != writer->index) continue;
            *(volatile LONG *)(region + page * PAGE + (seed & 0xff0)) = ++value;
            *(volatile LONG *)(region + page * PAGE + PAGE - 4) = value;
            writer->last[page] = value;
        }
        if (!(++writer->rounds & 63)) Sleep( 0 );
    }
    return 0;
}


/***********************************************************************
 *           collect
 *
 * One poll with RESET: remember what stands in each page that is reported. Returns the number of
 * pages.
 */
static unsigned int collect( LONG *seen, ULONG_PTR max, unsigned int *wrong )
{
    void *results[PAGES], *prev = NULL;
    ULONG_PTR count = max, i;
    ULONG page_size;

    if (GetWriteWatch( RESET, region, PAGES * PAGE, results, &count, &page_size ) || count > max)
    {
        (*wrong)++;
        return 0;
    }
    for (i = 0; i < count; i++)
    {
        unsigned int page = ((char *)results[i] - region) / PAGE;

        if (results[i] <= prev || page >= PAGES) (*wrong)++;
        else seen[page] = *(volatile LONG *)(region + page * PAGE + PAGE - 4);
        prev = results[i];
    }
    return count;
}


/***********************************************************************
 *           test_writers
 *
 * A write that comes after a page was reported is reported by a later poll: when all is over, the
 * last value seen of each page is the last value written.
 */
static void test_writers( unsigned int writers, ULONG_PTR max )
{
    static struct writer args[MAX_WRITERS];
    HANDLE threads[MAX_WRITERS];
    LONG seen[PAGES];
    unsigned int i, polls = 0, reported = 0, wrong = 0, lost = 0;
    DWORD start;

    region = alloc_watched( PAGES * PAGE );
    memset( args, 0, sizeof(args) );
    memset( seen, 0, sizeof(seen) );
    stop = 0;
    for (i = 0; i < writers; i++)
    {
        args[i].index = i;
        args[i].writers = writers;
        threads[i] = CreateThread( NULL, 0, writer_thread, &args[i], 0, NULL );
    }
    for (start = GetTickCount(), i = 0; go_on( start, i < writers ); polls++)
    {
        reported += collect( seen, max, &wrong );
        while (i < writers && *(volatile unsigned int *)&args[i].rounds) i++;
    }
    stop = 1;
    ok( WaitForMultipleObjects( writers, threads, TRUE, HANG_TIME ) < writers,
        "the writers do not end\n" );
    for (i = 0; i < writers; i++) CloseHandle( threads[i] );
    while ((i = collect( seen, max, &wrong ))) reported += i;

    ok( !wrong, "%u wrong answers\n", wrong );
    for (i = 0; i < PAGES; i++) lost += seen[i] != args[i % writers].last[i];
    ok( !lost, "%u pages lost their last write\n", lost );
    for (i = 0; i < writers; i++) ok( args[i].rounds > 0, "writer %u did nothing\n", i );
    ok( reported > 0 && polls > 0, "%u pages in %u polls\n", reported, polls );
    check_written( 0, region, PAGES * PAGE, "" );
    free_watched( region );
}


struct poller
{
    LONG *totals;          /* how often each page was reported to any poller */
    LONG  polls;           /* that it has taken note of */
};


/***********************************************************************
 *           poller_thread
 */
static DWORD CALLBACK poller_thread( void *arg )
{
    struct poller *poller = arg;
    unsigned int wrong = 0, i;
    void *results[PAGES];
    ULONG_PTR count, n;
    ULONG page_size;

    for (i = 0; !stop; i++)
    {
        count = i % 7 ? PAGES : 5;
        if (GetWriteWatch( RESET, region, PAGES * PAGE, results, &count, &page_size )) wrong++;
        else
            for (n = 0; n < count; n++)
                InterlockedIncrement( &poller->totals[((char *)results[n] - region) / PAGE] );
        InterlockedIncrement( &poller->polls );
    }
    return wrong;
}


/***********************************************************************
 *           had_their_turn
 *
 * Whether each poller has begun and ended a poll since these counts were taken, whose answer it has
 * taken note of: a page that was written before was found by then.
 */
static BOOL had_their_turn( const struct poller *pollers, const LONG *before )
{
    unsigned int i;

    for (i = 0; i < MAX_POLLERS; i++)
        if (*(volatile LONG *)&pollers[i].polls - before[i] < 2) return FALSE;
    return TRUE;
}


/***********************************************************************
 *           test_pollers
 *
 * Several threads poll the same memory: every write is reported to one of them. To two, perhaps: a
 * page may be opened for a write, reported and closed again before the write instruction gets to
 * run.
 */
static void test_pollers(void)
{
    static LONG totals[PAGES];
    struct poller pollers[MAX_POLLERS];
    HANDLE threads[MAX_POLLERS];
    LONG before[MAX_POLLERS];
    unsigned int i, page, late = 0, rounds = 0;
    DWORD code, start;

    region = alloc_watched( PAGES * PAGE );
    memset( totals, 0, sizeof(totals) );
    stop = 0;
    for (i = 0; i < MAX_POLLERS; i++)
    {
        pollers[i].totals = totals;
        pollers[i].polls = 0;
        threads[i] = CreateThread( NULL, 0, poller_thread, &pollers[i], 0, NULL );
    }

    for (start = GetTickCount(); go_on( start, rounds <= 10 ) && !late; rounds++)
    {
        page = rounds * 7 % PAGES;
        totals[page] = 0;
        *(volatile LONG *)(region + page * PAGE) = rounds;
        for (i = 0; i < MAX_POLLERS; i++) before[i] = *(volatile LONG *)&pollers[i].polls;
        while (!*(volatile LONG *)&totals[page] && !had_their_turn( pollers, before )) Sleep( 0 );
        if (!*(volatile LONG *)&totals[page]) late++;
    }
    stop = 1;
    ok( WaitForMultipleObjects( MAX_POLLERS, threads, TRUE, HANG_TIME ) < MAX_POLLERS,
        "the pollers do not end\n" );
    for (i = 0; i < MAX_POLLERS; i++)
    {
        ok( GetExitCodeThread( threads[i], &code ) && !code, "%u failed polls\n", (int)code );
        CloseHandle( threads[i] );
    }
    ok( !late, "a write was not reported to any thread\n" );
    free_watched( region );
}


/***********************************************************************
 *           alloc_thread
 *
 * Allocates, writes, polls and releases regions of its own. Returns the number of wrong answers.
 */
static DWORD CALLBACK alloc_thread( void *arg )
{
    unsigned int wrong = 0, i, page;
    LONG *rounds = arg;
    void *results[16];
    ULONG_PTR count;
    ULONG page_size;
    char *mem;

    for (i = 0; !stop; i++)
    {
        mem = VirtualAlloc( NULL, 16 * PAGE,
                            MEM_RESERVE | MEM_WRITE_WATCH | (i & 1 ? MEM_COMMIT : 0),
                            PAGE_READWRITE );
        if (!mem || (!(i & 1) && !VirtualAlloc( mem, 16 * PAGE, MEM_COMMIT, PAGE_READWRITE )))
        {
            wrong++;
            continue;
        }
        page = i % 16;
        mem[page * PAGE] = 1;
        if (i & 2) VirtualFree( mem + page * PAGE, PAGE, MEM_DECOMMIT );
        count = 16;
        if (GetWriteWatch( i & 1, mem, 16 * PAGE, results, &count, &page_size )) wrong++;
        else if (count != 1 || results[0] != mem + page * PAGE) wrong++;
        if (!VirtualFree( mem, 0, MEM_RELEASE )) wrong++;
        InterlockedIncrement( rounds );
    }
    return wrong;
}


/***********************************************************************
 *           test_allocations
 *
 * Regions come and go in several threads while another one is polled.
 */
static void test_allocations(void)
{
    HANDLE threads[3];
    LONG rounds = 0, seen[PAGES];
    unsigned int i, wrong = 0, polls = 0, page;
    DWORD code, start;

    region = alloc_watched( PAGES * PAGE );
    stop = 0;
    for (i = 0; i < 3; i++) threads[i] = CreateThread( NULL, 0, alloc_thread, &rounds, 0, NULL );
    for (start = GetTickCount(); go_on( start, *(volatile LONG *)&rounds <= 3 ); polls++)
    {
        page = polls * 5 % PAGES;
        *(volatile LONG *)(region + page * PAGE + PAGE - 4) = polls;
        if (collect( seen, PAGES, &wrong ) != 1 || seen[page] != (LONG)polls) wrong++;
    }
    stop = 1;
    ok( WaitForMultipleObjects( 3, threads, TRUE, HANG_TIME ) < 3, "the threads do not end\n" );
    for (i = 0; i < 3; i++)
    {
        ok( GetExitCodeThread( threads[i], &code ) && !code, "%u wrong answers\n", (int)code );
        CloseHandle( threads[i] );
    }
    ok( !wrong, "%u wrong answers\n", wrong );
    free_watched( region );
}


START_TEST(concurrency)
{
    init_watch();
    test_writers( 1, PAGES );
    test_writers( MAX_WRITERS, PAGES );
    test_writers( 2, 16 );
    test_pollers();
    test_allocations();
}
