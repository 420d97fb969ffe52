/*
 * robustness: threads suspended inside GetWriteWatch and ResetWriteWatch while others use them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* A suspended thread may hold up no other: not those that poll the same region, nor those that
 * poll, reset, allocate or free another one.  And what its call had found must not be lost. */

#define PAGES    4096
#define VICTIMS  4
#define ROUNDS   100              /* suspensions */

struct victim
{
    void         *results[PAGES + 1];
    volatile LONG calls;
    HANDLE        thread;
};

static struct tracked shared;     /* polled by a victim and by the other poller */
static struct tracked apart;      /* polled by the other poller alone */
static char *flat;                /* polled and reset by victims only */
static struct victim victims[VICTIMS];
static void *other_results[PAGES + 1], *main_results[PAGES + 1];
static volatile LONG stopping, resting, writer_rests;
static volatile LONG shared_polls, apart_polls, allocations, batches;

/***********************************************************************
 *           victim_thread
 *
 * The first victim takes reports, the second only looks, the third resets. The last one makes and
 * releases watched memory, under a lock for which no other thread may have to wait then.
 */
static DWORD WINAPI victim_thread( void *arg )
{
    struct victim *victim = arg;
    ULONG_PTR count;
    ULONG granularity;

    while (!stopping)
    {
        if (victim == &victims[0])
            tracked_poll( &shared, victim->results, ARRAYSIZE( victim->results ));
        else if (victim == &victims[1])
        {
            count = ARRAYSIZE( victim->results );
            check( !GetWriteWatch( 0, shared.base, PAGES * PAGE_SIZE, victim->results, &count,
                                   &granularity ),
                   "GetWriteWatch failed, error %lu", GetLastError() );
        }
        else if (victim == &victims[2])
        {
            flat[(victim->calls % PAGES) * PAGE_SIZE]++;
            check( !ResetWriteWatch( flat, PAGES * PAGE_SIZE ), "ResetWriteWatch failed, error %lu",
                   GetLastError() );
        }
        else
        {
            char *base = allocate_watched( 16 );

            check( VirtualFree( base + 2 * PAGE_SIZE, PAGE_SIZE, MEM_DECOMMIT ),
                   "decommit failed" );
            check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed" );
        }
        /* leaves the others some time even where there are few processors */
        if (!(InterlockedIncrement( &victim->calls ) % 32)) Sleep( 1 );
    }
    return 0;
}


/***********************************************************************
 *           other_thread
 *
 * What must go on while a victim is suspended.
 */
static DWORD WINAPI other_thread( void *arg )
{
    (void)arg;
    while (!stopping)
    {
        char *base = allocate_watched( 16 );
        ULONG_PTR count = 16;
        ULONG granularity;
        DWORD old;

        tracked_poll( &shared, other_results, ARRAYSIZE( other_results ));
        InterlockedIncrement( &shared_polls );
        tracked_poll( &apart, other_results, ARRAYSIZE( other_results ));
        InterlockedIncrement( &apart_polls );

        base[5 * PAGE_SIZE] = 1;
        check( VirtualProtect( base, PAGE_SIZE, PAGE_READONLY, &old ), "VirtualProtect failed" );
        check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, 16 * PAGE_SIZE, other_results, &count,
                               &granularity ) &&
               count == 1 && other_results[0] == base + 5 * PAGE_SIZE,
               "wrong answer for a fresh region, %u pages", (unsigned int)count );
        check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed" );
        InterlockedIncrement( &allocations );
    }
    return 0;
}


/***********************************************************************
 *           writer_thread
 *
 * Writes to both tracked regions, but for the times when the numbers are compared.
 */
static DWORD WINAPI writer_thread( void *arg )
{
    ULONG64 random = (ULONG_PTR)arg;
    unsigned int i;

    while (!stopping)
    {
        if (resting)
        {
            InterlockedExchange( &writer_rests, 1 );
            while (resting && !stopping) Sleep( 1 );
            InterlockedExchange( &writer_rests, 0 );
        }
        for (i = 0; i < 50; i++)
        {
            tracked_write( &shared, &random );
            tracked_write( &apart, &random );
        }
        if (!(InterlockedIncrement( &batches ) % 8)) Sleep( 1 );
        else spin( 50 );
    }
    return 0;
}


/***********************************************************************
 *           gets_on
 *
 * Waits until a counter has grown by two: so one whole turn began and ended meanwhile.
 */
static BOOL gets_on( volatile LONG *counter, const char *what )
{
    ULONG64 end = microseconds() + patience * 1000ll;
    LONG start = *counter;

    stage = what;
    while (*counter - start < 2)
    {
        if (microseconds() > end) return FALSE;
        Sleep( 0 );
    }
    return TRUE;
}


/***********************************************************************
 *           suspend_one
 *
 * Suspends a victim at a random moment and sees that the others get on without it.
 */
static void suspend_one( struct victim *victim, ULONG64 *random )
{
    CONTEXT context;
    LONG calls;

    spin( next_random( random ) % 800 );
    stage = "suspending a thread";
    if (SuspendThread( victim->thread ) == ~0u)
    {
        check( 0, "SuspendThread failed, error %lu", GetLastError() );
        return;
    }
    /* returns only when the thread has really stopped */
    stage = "reading the context of a suspended thread";
    memset( &context, 0, sizeof(context) );
    context.ContextFlags = CONTEXT_FULL;
    check( GetThreadContext( victim->thread, &context ), "GetThreadContext failed, error %lu",
           GetLastError() );
    check( CONTEXT_PC( &context ) && CONTEXT_SP( &context ), "no context" );

    calls = victim->calls;
    check( gets_on( &shared_polls, "polls of the same region" ), "polls of the same region stop" );
    check( gets_on( &apart_polls, "polls of another region" ), "polls of another region stop" );
    check( gets_on( &allocations, "allocations" ), "allocations stop" );
    check( gets_on( &batches, "writes" ), "writes stop" );
    check( victim->calls == calls, "the suspended thread goes on" );

    stage = "resuming a thread";
    check( ResumeThread( victim->thread ) == 1, "ResumeThread failed, error %lu", GetLastError() );
}


/***********************************************************************
 *           compare
 *
 * Lets the writer rest and sees that no write went unreported and that nothing is reported twice.
 * The pollers may still be taking note of an answer: that is waited for.
 */
static void compare(void)
{
    unsigned int lost;
    ULONG64 end;

    stage = "waiting for the writer";
    InterlockedExchange( &resting, 1 );
    check( wait_while( &writer_rests, 0 ), "the writer is stuck" );

    stage = "looking for lost writes";
    end = microseconds() + patience * 1000ll;
    do
    {
        tracked_poll( &shared, main_results, ARRAYSIZE( main_results ));
        tracked_poll( &apart, main_results, ARRAYSIZE( main_results ));
        lost = tracked_lost( &shared ) + tracked_lost( &apart );
        if (lost) Sleep( 5 );
    } while (lost && microseconds() < end);
    check( !lost, "%u pages were written and never reported", lost );
    check( !tracked_poll( &shared, main_results, ARRAYSIZE( main_results )) &&
           !tracked_poll( &apart, main_results, ARRAYSIZE( main_results )),
           "pages are reported again without a write" );

    InterlockedExchange( &resting, 0 );
    check( wait_while( &writer_rests, 1 ), "the writer is stuck" );
}


/***********************************************************************
 *           main
 */
int main(void)
{
    unsigned int suspended, i, comparisons = 0;
    ULONG64 random = 0x7654321;
    BOOL wow64;
    HANDLE other, writer;

    /* a poll takes memory from Wine's heap for the answer, with a lock */
    if ((wow64 = is_wine_wow64()))
        say_todo( "a thread that is suspended in a poll keeps the heap locked; the others are" );
    start_watchdog();
    tracked_init( &shared, PAGES );
    tracked_init( &apart, PAGES );
    flat = allocate_watched( PAGES );
    for (i = 0; i < VICTIMS; i++) victims[i].thread = start_thread( victim_thread, &victims[i] );
    other = start_thread( other_thread, NULL );
    writer = start_thread( writer_thread, (void *)99 );

    for (suspended = 0; !failures && suspended < ROUNDS; suspended++)
    {
        suspend_one( &victims[wow64 ? VICTIMS - 1 - suspended % 2 : suspended % VICTIMS], &random );
        if (suspended % 10) continue;
        compare();
        comparisons++;
    }

    for (i = 0; i < VICTIMS; i++)
        check( gets_on( &victims[i].calls, "calls of a victim" ), "victim %u makes no calls", i );
    stage = "ending";
    InterlockedExchange( &stopping, 1 );
    for (i = 0; i < VICTIMS; i++) join_thread( victims[i].thread );
    join_thread( other );
    join_thread( writer );
    say( "suspend: %u suspensions, %u comparisons, %d writes, %d reports, %ld polls beside, "
         "%ld allocations, %ld failures\n", suspended, comparisons,
         (int)(shared.writes + apart.writes), (int)(shared.reported + apart.reported),
         shared_polls, allocations, failures );
    finish();
}
