/*
 * robustness: threads terminated inside GetWriteWatch and ResetWriteWatch while others use them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* A terminated thread may leave no lock behind and take no report with it.  Each victim keeps its
 * array and count in static memory, the count preset to a size that no answer can reach: once it
 * differs the call was performed and the answer counts, whether or not the thread lived to see it.
 * If it does not differ, every page must still be reported by a later poll. */

#define PAGES      2048
#define SENTINEL   (PAGES + 1)
#define VICTIMS    12             /* of a round */
#define ROUNDS     20

enum kind { POLL_RESET, POLL_KEEP, RESET, KINDS };

struct victim
{
    void *volatile     results[SENTINEL];
    volatile ULONG_PTR count;
    volatile LONG      calls;
    ULONG              granularity;
    enum kind          kind;
    HANDLE             thread;
};

static struct tracked polled;         /* polled by victims and the survivor: nothing may be lost */
static struct tracked cleared;        /* reset by victims: exact again once they are dead */
static struct victim victims[4][VICTIMS];  /* a round's victims are left alone for three more */
static void *main_results[PAGES + 1];
static void *survivor_results[700];
/* In new WoW64 a poll takes memory from Wine's heap for the answer, with a lock. */
static BOOL wow64;
static volatile LONG stopping, resting, rested, survivor_polls;

/***********************************************************************
 *           victim_thread
 *
 * Calls until it is terminated.  Takes no lock and needs no heap, so that what a termination
 * leaves behind is the business of the calls alone.
 */
static DWORD WINAPI victim_thread( void *arg )
{
    struct victim *victim = arg;
    SIZE_T size = PAGES * PAGE_SIZE;
    UINT ret;

    for (;;)
    {
        victim->count = SENTINEL;
        switch (victim->kind)
        {
        case POLL_RESET:
            ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, polled.base, size,
                                 (void **)victim->results, (ULONG_PTR *)&victim->count,
                                 &victim->granularity );
            if (!ret) tracked_note( &polled, victim->results, victim->count );
            break;
        case POLL_KEEP:
            ret = GetWriteWatch( 0, polled.base, size, (void **)victim->results,
                                 (ULONG_PTR *)&victim->count, &victim->granularity );
            break;
        default:
            ret = ResetWriteWatch( cleared.base, size );
            break;
        }
        if (ret) InterlockedIncrement( &failures );
        InterlockedIncrement( &victim->calls );
    }
    return 0;
}


/***********************************************************************
 *           survivor_thread
 *
 * Polls as the victims do and is never terminated.
 */
static DWORD WINAPI survivor_thread( void *arg )
{
    (void)arg;
    while (!stopping)
    {
        tracked_poll( &polled, survivor_results, ARRAYSIZE( survivor_results ));
        InterlockedIncrement( &survivor_polls );
        Sleep( 1 );
    }
    return 0;
}


/***********************************************************************
 *           writer_thread
 *
 * Writes to both regions, but for the times when the counts are compared.
 */
static DWORD WINAPI writer_thread( void *arg )
{
    ULONG64 random = (ULONG_PTR)arg;
    unsigned int i;

    while (!stopping)
    {
        if (resting)
        {
            InterlockedExchange( &rested, 1 );
            while (resting && !stopping) Sleep( 1 );
            InterlockedExchange( &rested, 0 );
        }
        for (i = 0; i < 50; i++)
        {
            tracked_write( &polled, &random );
            tracked_write( &cleared, &random );
        }
        spin( 20 + next_random( &random ) % 200 );
    }
    return 0;
}


/***********************************************************************
 *           kill
 *
 * Lets a victim start, waits for a random moment and terminates it.
 */
static void kill( struct victim *victim, ULONG64 *random )
{
    stage = "waiting for a victim";
    check( wait_while( &victim->calls, 0 ) && wait_while( &victim->calls, 1 ),
           "a victim (kind %d) makes no call", victim->kind );

    spin( next_random( random ) % 1500 );
    stage = "terminating a thread";
    check( TerminateThread( victim->thread, 0xdead ), "TerminateThread failed, error %lu",
           GetLastError() );
    check( !WaitForSingleObject( victim->thread, patience ), "a terminated thread does not end" );
    CloseHandle( victim->thread );
}


/***********************************************************************
 *           harvest
 *
 * Takes the answers of calls that were performed, but that their threads did not live to use.
 */
static unsigned int harvest( struct victim *round )
{
    unsigned int i, found = 0;

    for (i = 0; i < VICTIMS; i++)
    {
        ULONG_PTR count = round[i].count;

        if (round[i].kind != POLL_RESET || count == SENTINEL) continue;
        if (count < SENTINEL) tracked_note( &polled, round[i].results, count );
        else check( 0, "a victim's count is %u", (unsigned int)count );
        found++;
    }
    return found;
}


/***********************************************************************
 *           check_polled
 *
 * All victims of the round are dead and the writer rests: every write must have been reported or
 * be reported now.  The handle of a terminated thread may be signalled a moment before the thread
 * has left a call, so an answer may still arrive: that is waited for, a lost one never arrives.
 */
static unsigned int check_polled( struct victim *round )
{
    ULONG64 end = microseconds() + patience * 1000ll;
    unsigned int found, lost;

    stage = "looking for lost writes";
    for (;;)
    {
        tracked_poll( &polled, main_results, ARRAYSIZE( main_results ));
        found = harvest( round );
        if (!(lost = tracked_lost( &polled )) || microseconds() > end) break;
        Sleep( 20 );
    }
    check( !lost, "%u pages were written and never reported", lost );
    return found;
}


/***********************************************************************
 *           check_cleared
 *
 * With all resets dead and the writer at rest the other region must answer exactly.
 */
static void check_cleared( ULONG64 *random )
{
    ULONG64 end = microseconds() + patience * 1000ll;
    unsigned int i, expected, wrong;
    unsigned char written[PAGES];
    ULONG_PTR count = 0;
    ULONG granularity;

    stage = "polling where resets were terminated";
    /* a dead thread's last reset may still be under way */
    for (;;)
    {
        memset( written, 0, sizeof(written) );
        tracked_poll( &cleared, main_results, ARRAYSIZE( main_results ));
        for (i = 0; i < 100; i++) written[tracked_write( &cleared, random )] = 1;
        for (i = expected = 0; i < PAGES; i++) expected += written[i];
        count = ARRAYSIZE( main_results );
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, cleared.base, PAGES * PAGE_SIZE, main_results,
                           &count, &granularity ))
            count = ~(ULONG_PTR)0;
        for (i = wrong = 0; i < count && i < PAGES; i++)
            if (!written[((char *)main_results[i] - cleared.base) / PAGE_SIZE]) wrong++;
        if (count == expected && !wrong) return;
        if (microseconds() > end) break;
        Sleep( 50 );
    }
    check( 0, "%u pages written, %d reported, %u of them wrongly", expected, (int)count, wrong );
}


/***********************************************************************
 *           check_process
 *
 * What else takes the locks that a termination could have left behind.
 */
static void check_process(void)
{
    char *base;
    DWORD old;

    stage = "using the memory of the process";
    base = allocate_watched( 16 );
    base[3 * PAGE_SIZE] = 1;
    check( VirtualProtect( base, PAGE_SIZE, PAGE_READONLY, &old ), "VirtualProtect failed" );
    check( VirtualFree( base + PAGE_SIZE, PAGE_SIZE, MEM_DECOMMIT ), "decommit failed" );
    check( VirtualAlloc( base + PAGE_SIZE, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE ) != NULL,
           "commit failed" );
    check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed" );
}


/***********************************************************************
 *           run_round
 *
 * Three victims live at any time, until all of the round are dead.  Returns how many answers were
 * found complete.
 */
static unsigned int run_round( struct victim *round, ULONG64 *random )
{
    unsigned int i, found;

    for (i = 0; i < VICTIMS + 3; i++)
    {
        if (i >= 3) kill( &round[i - 3], random );
        if (i >= VICTIMS) continue;
        stage = "starting a victim";
        round[i].calls = 0;
        round[i].kind = wow64 ? RESET : i % KINDS;
        round[i].count = SENTINEL;
        round[i].thread = start_thread( victim_thread, &round[i] );
    }

    stage = "waiting for the writer";
    InterlockedExchange( &resting, 1 );
    check( wait_while( &rested, 0 ), "the writer is stuck" );

    found = check_polled( round );
    check_cleared( random );
    check_process();
    stage = "waiting for the survivor";
    check( wait_while( &survivor_polls, survivor_polls ), "the surviving poller is stuck" );

    InterlockedExchange( &resting, 0 );
    check( wait_while( &rested, 1 ), "the writer is stuck" );
    return found;
}


/***********************************************************************
 *           main
 */
int main(void)
{
    unsigned int round, answers = 0;
    ULONG64 random = 0x1234567;
    HANDLE survivor, writer;

    start_watchdog();
    if ((wow64 = is_wine_wow64()))
        say_todo( "a thread that is ended in a poll leaves the heap locked; only resets are ended" );
    tracked_init( &polled, PAGES );
    tracked_init( &cleared, PAGES );
    survivor = start_thread( survivor_thread, NULL );
    writer = start_thread( writer_thread, (void *)77 );

    for (round = 0; round < ROUNDS && !failures; round++)
        answers += run_round( victims[round % ARRAYSIZE( victims )], &random );

    stage = "ending";
    InterlockedExchange( &stopping, 1 );
    join_thread( survivor );
    join_thread( writer );
    check( VirtualFree( polled.base, 0, MEM_RELEASE ), "VirtualFree failed" );
    check( VirtualFree( cleared.base, 0, MEM_RELEASE ), "VirtualFree failed" );
    say( "kill_threads: %u threads terminated in %u rounds, %u answers found complete, %d writes, "
         "%d reports, %d polls by the survivor, %ld failures\n", round * VICTIMS, round, answers,
         (int)polled.writes, (int)polled.reported, (int)survivor_polls, failures );
    finish();
}
