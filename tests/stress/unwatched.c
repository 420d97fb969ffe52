/*
 * robustness: threads suspended in calls about memory that turns out not to be watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* Each decommit and each mapping asks whether its memory is watched. A thread that is to be
 * suspended just then must be, also when the answer is no: otherwise GetThreadContext waits for
 * ever. Threads are not ended here: with stock Wine, too, one that is ended while it decommits may
 * leave a lock of Wine's locked. */

#define SUSPENSIONS 6000

static volatile LONG calls, stopping;

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
static void suspend_rounds( char *base )
{
    HANDLE thread = start_thread( victim_thread, base );
    unsigned int round;
    CONTEXT context;

    for (round = 0; round < SUSPENSIONS && !failures; round++)
    {
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

/* the lowest one; in a 32-bit program Wine has something at 0x10000 */
static char *free_address(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *addr = (char *)0x10000;

    while (VirtualQuery( addr, &info, sizeof(info) ) && info.State != MEM_FREE)
        addr = (char *)info.BaseAddress + info.RegionSize;
    return addr;
}

/***********************************************************************
 *           main
 */
int main(void)
{
    char *watched = allocate_watched( 16 ), *base;

    start_watchdog();
    if (is_wine_wow64() && is_wine_8())
    {
        say( "unwatched: a 32-bit thread may crash when it is suspended in this Wine\n" );
        TerminateProcess( GetCurrentProcess(), 77 );
    }
    *watched = 1;
    base = VirtualAlloc( NULL, 16 * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    check( base != NULL, "VirtualAlloc failed, error %lu", GetLastError() );
    suspend_rounds( base );
    /* an address where nothing is mapped: the shortest way through the call */
    suspend_rounds( free_address() );
    say( "unwatched: %ld calls, %u suspensions, %ld failures\n", calls, 2 * SUSPENSIONS, failures );
    finish();
}
