/*
 * robustness: threads suspended in calls about memory that turns out not to be watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: unwatched [--seconds N]: for so long, not a fixed number of suspensions
 */

#include "stress.h"

/* Each decommit and each mapping asks whether its memory is watched. A thread that is to be
 * suspended just then must be, also when the answer is no: otherwise GetThreadContext waits for
 * ever. Threads are ended in unwatched_kill.c, not here: with stock Wine, too, one that is ended
 * while it decommits may leave a lock of Wine's locked. */

#define SUSPENSIONS 6000

static volatile LONG calls, stopping;
static unsigned int suspensions;

/***********************************************************************
 *           victim_thread
 */
static DWORD WINAPI victim_thread( void *arg )
{
    char *base = arg;

    while (!stopping)
    {
        VirtualFree( base, PAGE_SIZE, MEM_DECOMMIT );
        InterlockedIncrement( &calls );
    }
    return 0;
}

/***********************************************************************
 *           suspend_rounds
 */
static void suspend_rounds( char *base, unsigned int seconds )
{
    ULONG64 end = microseconds() + seconds * 1000000ull;
    HANDLE thread = start_thread( victim_thread, base );
    unsigned int round;
    CONTEXT context;

    for (round = 0; !failures; round++, suspensions++)
    {
        if (seconds ? microseconds() > end : round == SUSPENSIONS) break;
        stage = "suspending a thread";
        check( SuspendThread( thread ) != ~0u, "SuspendThread failed, error %lu", GetLastError() );
        context.ContextFlags = CONTEXT_CONTROL;
        stage = "asking where a suspended thread is";
        check( GetThreadContext( thread, &context ), "GetThreadContext failed, error %lu",
               GetLastError() );
        stage = "resuming a thread";
        check( ResumeThread( thread ) == 1, "ResumeThread failed, error %lu", GetLastError() );
        if (!(round % 16)) Sleep( 0 );
    }
    stopping = 1;
    join_thread( thread );
    stopping = 0;
}

/***********************************************************************
 *           main
 */
int main( int argc, char **argv )
{
    unsigned int seconds = seconds_wanted( argc, argv );
    char *watched = allocate_watched( 16 ), *base;

    start_watchdog_after( seconds );
    if (is_wine_wow64() && is_wine_8())
    {
        say( "unwatched: a 32-bit thread may crash when it is suspended in this Wine\n" );
        TerminateProcess( GetCurrentProcess(), 77 );
    }
    *watched = 1;
    base = VirtualAlloc( NULL, 16 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    check( base != NULL, "VirtualAlloc failed, error %lu", GetLastError() );
    suspend_rounds( base, (seconds + 1) / 2 );
    /* an address where nothing is mapped: the shortest way through the call */
    suspend_rounds( free_address(), (seconds + 1) / 2 );
    say( "unwatched: %ld calls, %u suspensions, %ld failures\n", calls, suspensions, failures );
    finish();
}
