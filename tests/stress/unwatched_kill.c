/*
 * robustness: threads ended in calls about memory that turns out not to be watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: unwatched_kill [--seconds N]: as many batches as fit into that time, not a fixed number
 */

#include "stress.h"

/* A thread that is to be ended just while it looks up whether memory is watched must be ended, also
 * when the answer is no. Otherwise it goes on after TerminateThread has reported success.
 *
 * Wine does not block SIGQUIT, with which it ends threads, while it holds its lock of the address
 * space. A thread that is ended in a decommit, in a mapping or at its start may leave that lock
 * locked, and then the process hangs, with and without writewatch. So a victim has made a call
 * before it is ended, and makes only calls in which Wine takes no lock: VirtualLock, which is
 * mlock(), and a commit of a type that does not exist, which Wine refuses before it locks anything.
 * Both look the memory up; the commit does so only where pages are prepared before they become
 * accessible (scan:marked). What hangs here hangs because of writewatch: stock Wine completes it.
 *
 * Wine frees neither the stacks of ended threads nor what it keeps of them, so each batch of them
 * has a process of its own. */

#define VICTIMS 400           /* of a batch */
#define BATCHES 4
#define REGIONS 4000

enum kind { LOCK, COMMIT };

struct victim
{
    volatile LONG calls;
    enum kind     kind;
    HANDLE        thread;
};

static struct victim victims[VICTIMS];
static volatile LONG stopping;
static char *address;         /* nothing is mapped there: the shortest way through the calls */

static char *watch(void)
{
    char *base = VirtualAlloc( NULL, 0x10000, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );

    if (!base) check( 0, "VirtualAlloc failed, error %lu", GetLastError() );
    return base;
}

/***********************************************************************
 *           watch_thread
 *
 * Watches memory and releases it, again and again. There are many regions above it, so each change
 * of their index takes long, and calls that look something up wait for it. That is where threads
 * are to be ended; without these changes they spend nearly all of their time in mlock().
 */
static DWORD WINAPI watch_thread( void *arg )
{
    (void)arg;
    while (!stopping) VirtualFree( watch(), 0, MEM_RELEASE );
    return 0;
}

/***********************************************************************
 *           ask
 */
static void ask( enum kind kind )
{
    if (kind == LOCK) VirtualLock( address, PAGE_SIZE );
    else if (VirtualAlloc( address, PAGE_SIZE, MEM_COMMIT | MEM_RELEASE, PAGE_READWRITE ))
        InterlockedIncrement( &failures );
}

/***********************************************************************
 *           victim_thread
 */
static DWORD WINAPI victim_thread( void *arg )
{
    struct victim *victim = arg;

    for (;;)
    {
        ask( victim->kind );
        InterlockedIncrement( &victim->calls );
    }
    return 0;
}

/***********************************************************************
 *           start_victim
 */
static void start_victim( unsigned int i )
{
    stage = "starting a thread";
    victims[i].kind = i % 4 == 3 ? COMMIT : LOCK;
    victims[i].thread = start_thread( victim_thread, &victims[i] );
}

static ULONG64 count_calls( const struct victim *first, unsigned int count )
{
    ULONG64 calls = 0;

    while (count--) calls += (ULONG)first++->calls;
    return calls;
}

/***********************************************************************
 *           have_stopped
 *
 * Whether ended threads make no more calls, by so many looks in a row. Wine wakes the threads that
 * wait for another one's end a moment before it sends the signal; and a thread that goes on may not
 * be running at the moment.
 */
static BOOL have_stopped( const struct victim *first, unsigned int count, unsigned int looks )
{
    ULONG64 end = microseconds() + patience * 1000ll, before, now = count_calls( first, count );
    unsigned int same = 0;

    do
    {
        before = now;
        Sleep( 1 );
        now = count_calls( first, count );
        same = now == before ? same + 1 : 0;
        if (same == looks) return TRUE;
    } while (microseconds() < end);
    return FALSE;
}

/***********************************************************************
 *           end_victim
 */
static void end_victim( unsigned int i, ULONG64 *random )
{
    struct victim *victim = &victims[i];

    stage = "waiting for a thread's first call";
    check( wait_while( &victim->calls, 0 ), "thread %u (kind %d) makes no call", i, victim->kind );
    spin( next_random( random ) % 100 );
    stage = "ending a thread";
    check( TerminateThread( victim->thread, 0xdead ), "TerminateThread failed, error %lu",
           GetLastError() );
    join_thread( victim->thread );
    stage = "looking whether an ended thread goes on";
    check( have_stopped( victim, 1, 1 ), "thread %u (kind %d) goes on after it was ended", i,
           victim->kind );
}

/***********************************************************************
 *           say_which
 */
static void say_which(void)
{
    static LONG before[VICTIMS];
    unsigned int i, count[2] = { 0 };

    for (i = 0; i < VICTIMS; i++) before[i] = victims[i].calls;
    Sleep( 1000 );
    for (i = 0; i < VICTIMS; i++) if (victims[i].calls != before[i]) count[victims[i].kind]++;
    check( 0, "ended threads go on: at least %u in VirtualLock, %u in a commit", count[LOCK],
           count[COMMIT] );
}

/***********************************************************************
 *           check_process
 *
 * Takes the locks that an ended thread could have left behind, ours and Wine's.
 */
static void check_process(void)
{
    ULONG_PTR count = 16;
    ULONG granularity;
    void *results[16];
    char *base;

    stage = "using the memory of the process";
    ask( LOCK );
    ask( COMMIT );
    base = allocate_watched( 16 );
    base[3 * PAGE_SIZE] = 1;
    check( !GetWriteWatch( 0, base, 16 * PAGE_SIZE, results, &count, &granularity ) && count == 1,
           "%u pages are reported, not 1", (unsigned int)count );
    check( VirtualFree( base, PAGE_SIZE, MEM_DECOMMIT ), "decommit failed" );
    check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed" );
}

/***********************************************************************
 *           run_batch
 *
 * Two threads make calls at any time.
 */
static void run_batch( unsigned int number )
{
    ULONG64 random = (number + 1) * RANDOM_SPREAD;
    HANDLE watcher;
    unsigned int i;

    address = free_address();
    for (i = 0; i < REGIONS && !failures; i++) watch();
    watcher = start_thread( watch_thread, NULL );
    start_victim( 0 );
    for (i = 0; i < VICTIMS && !failures; i++)
    {
        if (i + 1 < VICTIMS) start_victim( i + 1 );
        end_victim( i, &random );
    }
    if (failures) return;
    stopping = 1;
    join_thread( watcher );
    stage = "looking whether ended threads go on";
    if (!have_stopped( victims, VICTIMS, 20 )) say_which();
    check_process();
}

/***********************************************************************
 *           start_batch
 *
 * In a process of its own, which has a watchdog as well.
 */
static void start_batch( unsigned int number )
{
    char program[MAX_PATH], command[MAX_PATH + 32];
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    DWORD code = ~0u;

    stage = "starting a batch";
    if (!GetModuleFileNameA( NULL, program, sizeof(program) )) program[0] = 0;
    snprintf( command, sizeof(command), "\"%s\" --batch %u", program, number );
    if (!CreateProcessA( program, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info ))
    {
        check( 0, "CreateProcess failed, error %lu", GetLastError() );
        return;
    }
    stage = "waiting for a batch";
    if (WaitForSingleObject( info.hProcess, 4 * patience ))
    {
        check( 0, "batch %u hangs", number );
        TerminateProcess( info.hProcess, 1 );
    }
    else if (!GetExitCodeProcess( info.hProcess, &code ) || code)
        check( 0, "batch %u ended with %lu", number, code );
    CloseHandle( info.hThread );
    CloseHandle( info.hProcess );
}

/***********************************************************************
 *           main
 */
int main( int argc, char **argv )
{
    unsigned int seconds = seconds_wanted( argc, argv ), batch = 0;
    ULONG64 end = microseconds() + seconds * 1000000ull;

    start_watchdog_after( seconds );
    if (argc == 3 && !strcmp( argv[1], "--batch" ))
    {
        run_batch( atoi( argv[2] ));
        finish();
    }
    while (!failures && (seconds ? microseconds() < end : batch < BATCHES)) start_batch( batch++ );
    say( "unwatched_kill: %u threads ended in %u processes, %ld failures\n", batch * VICTIMS, batch,
         failures );
    finish();
}
