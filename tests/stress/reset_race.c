/*
 * Writes that race with MEM_RESET: each is dropped with what it wrote, or reported
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: reset_race [ROUNDS]. In a round one thread writes to a page, and the other drops the
 * contents of memory around it at about that moment (row 31).
 */

#include "stress.h"

#define PAGES  1600    /* more than three blocks of 2 MiB */
#define ROUNDS 4000

static char *memory;
static volatile LONG turn, answered, ended;
static volatile LONG page_to_write, delay;

static void wait_turns( LONG turns )
{
    while (turns-- > 0) YieldProcessor();
}

static DWORD WINAPI write_page( void *arg )
{
    LONG last = 0;

    (void)arg;
    while (!ended)
    {
        if (turn == last)
        {
            SwitchToThread();
            continue;
        }
        last = turn;
        wait_turns( delay );
        memory[page_to_write * PAGE_SIZE] = 1;
        InterlockedExchange( &answered, last );
    }
    return 0;
}

/* how many pages are written, and whether one of them is; all become not written */
static ULONG_PTR take( LONG page, int *found )
{
    static void *addresses[PAGES];
    ULONG_PTR count = PAGES, i;
    ULONG granularity;
    UINT failed;

    *found = 0;
    failed = GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES * PAGE_SIZE, addresses, &count,
                            &granularity );
    check( !failed, "GetWriteWatch failed, error %lu", GetLastError() );
    for (i = 0; !failed && i < count; i++)
        if (addresses[i] == memory + page * PAGE_SIZE) *found = 1;
    return failed ? 0 : count;
}

int main( int argc, char **argv )
{
    LONG round, rounds = argc > 1 ? atoi( argv[1] ) : ROUNDS, lost = 0, dropped = 0, others = 0;
    ULONG64 state = RANDOM_SPREAD;
    HANDLE thread;
    int found;

    start_watchdog();
    memory = VirtualAlloc( NULL, PAGES * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    check( memory != NULL, "VirtualAlloc failed, error %lu", GetLastError() );
    if (!memory) finish();
    thread = start_thread( write_page, NULL );
    for (round = 1; round <= rounds && lost < 10; round++)
    {
        LONG first = next_random( &state ) % 3 ? 0 : next_random( &state ) % 600;
        LONG last = first ? first + 1 + next_random( &state ) % 700 : PAGES, i;

        stage = "the round's preparation";
        page_to_write = first + next_random( &state ) % (last - first);
        /* each second round the page has contents, and is protected */
        if (round & 1) for (i = first; i < last; i++) memory[i * PAGE_SIZE] = 2;
        take( page_to_write, &found );
        delay = next_random( &state ) % 4000;

        stage = "MEM_RESET";
        InterlockedIncrement( &turn );
        wait_turns( next_random( &state ) % 1000 );
        check( VirtualAlloc( memory + first * PAGE_SIZE, (last - first) * PAGE_SIZE, MEM_RESET,
                             PAGE_READWRITE ) != NULL, "MEM_RESET failed, error %lu",
               GetLastError() );
        stage = "the other thread's write";
        while (answered != turn) SwitchToThread();
        if (take( page_to_write, &found ) != (ULONG_PTR)found) others++;
        if (found) continue;
        if (!memory[page_to_write * PAGE_SIZE])
        {
            dropped++;
            continue;
        }
        lost++;
        say( "round %ld: page %ld was written, and not reported\n", round, page_to_write );
    }
    ended = 1;
    join_thread( thread );
    say( "%ld rounds, %ld writes lost, %ld dropped, %ld times other pages besides\n", round - 1,
         lost,
         dropped, others );
    check( !lost && !others, "writes were lost, or pages reported that nothing wrote to" );
    finish();
}
