/*
 * Threads that poll with hostile arguments while they are suspended and ended at any moment
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

#define VICTIMS 3
#define PAGES   64
#define WRITTEN 48   /* the others hold arrays */
#define STORM   200  /* threads that are ended while they do nothing but fault */

static struct victim
{
    HANDLE        thread;
    uint64_t      random;
    int           suspended;
    volatile LONG running;
} victims[VICTIMS];

static char *polled;             /* watched; written by the first thread only */
static char *edge;               /* two pages, of which the first can be written */
static uint64_t state;
static volatile LONG storm;
static volatile LONG polls;      /* of the victims; those that succeeded */
static unsigned long ended, stopped;

/***********************************************************************
 *           victim
 *
 * Takes no lock and has no memory of its own but the stack: it may be ended at any moment.
 */
static DWORD WINAPI __attribute__((noreturn)) victim( void *arg )
{
    struct victim *self = arg;
    void *results[PAGES];

    self->running = 1;
    for (;;)
    {
        uint64_t random = random_word( &self->random );
        ULONG_PTR count = random & 0x100 ? PAGES : random >> 16 & 7;
        ULONG_PTR *count_ptr = &count;
        void *array = results;
        DWORD granularity, *granularity_ptr = &granularity;

        switch (storm ? 4 : random % 8)
        {
        case 0: array = edge + PAGE - (random >> 32) % 64 * sizeof(void *); break;   /* too short */
        case 1: array = edge + PAGE; break;
        case 2: array = KERNEL_ADDRESS; break;
        case 3: array = polled + WRITTEN * PAGE + (random >> 32) % (8 * PAGE); break;
        case 4: count_ptr = (void *)(edge + PAGE); break;
        case 5: granularity_ptr = (void *)(edge + PAGE); break;
        }
        if (!GetWriteWatch( random >> 40 & 1, polled, PAGES * PAGE, array, count_ptr,
                            granularity_ptr )) InterlockedIncrement( &polls );
        if (!storm && !(random >> 48 & 15)) Sleep( 1 );
    }
}

/***********************************************************************
 *           start_victim
 *
 * Waits until the thread has started: a thread that is ended while it starts keeps the loader's
 * lock, and then no other one can start.
 */
static void start_victim( struct victim *self )
{
    int tries;

    self->random = random_word( &state ) | 1;
    self->suspended = 0;
    self->running = 0;
    /* what an ended thread had is free a little later */
    for (tries = 0; tries < 30000; tries++)
    {
        if ((self->thread = CreateThread( NULL, 0x10000, victim, self,
                                          STACK_SIZE_PARAM_IS_A_RESERVATION, NULL ))) break;
        Sleep( 20 );
    }
    if (!self->thread)
        fuzz_failed( "no thread, error %u", (unsigned int)GetLastError() );
    for (tries = 0; !self->running && tries < 600000; tries++) Sleep( 1 );
    if (!self->running) fuzz_failed( "a thread does not start" );
}

static void suspend( struct victim *self )
{
    CONTEXT context;

    if (self->suspended) return;
    if (SuspendThread( self->thread ) == ~0u) fuzz_failed( "a thread cannot be suspended" );
    /* it has stopped when its registers can be had */
    context.ContextFlags = CONTEXT_CONTROL;
    if (!GetThreadContext( self->thread, &context )) fuzz_failed( "a thread has no context" );
    self->suspended = 1;
    stopped++;
}

static void resume( struct victim *self )
{
    if (self->suspended) ResumeThread( self->thread );
    self->suspended = 0;
}

/***********************************************************************
 *           poll_alone
 *
 * With all of them suspended, wherever they were: what is written now is reported.
 */
static void poll_alone(void)
{
    void *results[PAGES];
    ULONG_PTR count = PAGES, i;
    DWORD granularity;

    for (i = 0; i < VICTIMS; i++) suspend( &victims[i] );
    for (i = 0; i < WRITTEN; i++) polled[i * PAGE + i] = i;
    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, polled, PAGES * PAGE, results, &count,
                       &granularity ))
        fuzz_failed( "a poll fails beside suspended threads, error %u",
                     (unsigned int)GetLastError() );
    for (i = 0; i < WRITTEN; i++)
        if (i >= count || results[i] != polled + i * PAGE)
            fuzz_failed( "page %u is lost beside suspended threads", (unsigned int)i );
}

static void end( struct victim *self )
{
    TerminateThread( self->thread, 0 );
    if (WaitForSingleObject( self->thread, 600000 )) fuzz_failed( "a thread does not end" );
    CloseHandle( self->thread );
    start_victim( self );
    ended++;
}

/***********************************************************************
 *           threads_start
 *
 * A thread that is ended while Wine looks at its fault must not keep Wine's lock: the next one that
 * faults would wait for ever.
 */
void threads_start( uint64_t seed )
{
    DWORD old;
    int i;

    state = seed * RANDOM_SPREAD + 1;
    polled = VirtualAlloc( NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    edge = VirtualAlloc( NULL, 2 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    if (!polled || !edge || !VirtualProtect( edge + PAGE, PAGE, PAGE_NOACCESS, &old ))
        fuzz_failed( "no memory for the threads" );
    storm = 1;
    for (i = 0; i < VICTIMS; i++) start_victim( &victims[i] );
    for (i = 0; i < STORM; i++) end( &victims[i % VICTIMS] );
    storm = 0;
}

/***********************************************************************
 *           threads_check
 *
 * Between two inputs, each time something else.
 */
void threads_check(void)
{
    uint64_t random = random_word( &state );
    struct victim *self = &victims[random / 64 % VICTIMS];
    unsigned int i;

    switch (random % 32)
    {
    case 0:
        end( self );
        break;
    case 1: case 2:
        poll_alone();
        /* fall through */
    case 3:
        for (i = 0; i < VICTIMS; i++) resume( &victims[i] );
        break;
    default:
        if (self->suspended) resume( self );
        else suspend( self );
        break;
    }
}

/***********************************************************************
 *           threads_report
 */
void threads_report(void)
{
    printf( "%lu threads ended, %lu suspended, %lu of their polls successful\n", ended, stopped,
            (unsigned long)polls );
    if (ended && stopped && polls) return;
    fuzz_failed( "the threads did nothing" );
}

/***********************************************************************
 *           threads_exit
 */
void threads_exit( int status )
{
    TerminateProcess( GetCurrentProcess(), status );
    for (;;) Sleep( 1000 );
}
