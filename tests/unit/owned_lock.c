/*
 * The lock of which signal handlers can see whether the thread holds it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <signal.h>

#include "../../preload/owned_lock.h"
#include "sys/cpu.h"
#include "sys/uninterrupted.h"
#include "unit.h"

#include <ucontext.h>

#define THREADS 4
#define TURNS   100000

static unsigned long long count;   /* changed in two parts, under the lock */
static int ended;
static __thread volatile int has_lock;
static unsigned int handled, found_held;

/* Comes at any moment. Where the thread knows that it has the lock, the handler must, too; in
 * between, in uninterrupted code, neither may be asked. */
static void handler( int sig, siginfo_t *info, void *context )
{
    int held = owned_lock_is_held();

    (void)sig, (void)info;
    if (in_uninterrupted_code( context )) return;
    __atomic_fetch_add( &handled, 1, __ATOMIC_RELAXED );
    if (held) __atomic_fetch_add( &found_held, 1, __ATOMIC_RELAXED );
    if (has_lock) check( held );
}

static void *take_turns( void *arg )
{
    unsigned int i, turns = *(unsigned int *)arg;
    unsigned long long value;

    for (i = 0; i < turns; i++)
    {
        check( !owned_lock_is_held() );
        owned_lock_acquire();
        has_lock = 1;
        value = __atomic_load_n( &count, __ATOMIC_RELAXED );
        if (!(i % 64)) usleep( 1 );
        check( owned_lock_is_held() );
        __atomic_store_n( &count, value + 1, __ATOMIC_RELAXED );
        has_lock = 0;
        owned_lock_release();
    }
    __atomic_fetch_add( &ended, 1, __ATOMIC_RELEASE );
    /* pthread_kill() wants a thread that lives */
    while (__atomic_load_n( &ended, __ATOMIC_ACQUIRE ) <= THREADS) usleep( 100 );
    return NULL;
}

/* Each turn is long enough for the others to go to sleep. */
static void *take_long_turns( void *arg )
{
    unsigned int i, turns = *(unsigned int *)arg;

    for (i = 0; i < turns; i++)
    {
        owned_lock_acquire();
        count++;
        usleep( 200 );
        owned_lock_release();
    }
    return NULL;
}

/***********************************************************************
 *           test_waiters
 *
 * Who sleeps is woken by the lock alone: without a signal nothing else ends that sleep.
 */
static void test_waiters(void)
{
    unsigned int i, turns = unit_share( 500 );
    pthread_t threads[THREADS];

    count = 0;
    for (i = 0; i < THREADS; i++)
        check( !pthread_create( &threads[i], NULL, take_long_turns, &turns ));
    for (i = 0; i < THREADS; i++) pthread_join( threads[i], NULL );
    check( count == (unsigned long long)THREADS * turns );
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
    unsigned int i, turns = unit_share( TURNS );
    pthread_t threads[THREADS];

    alarm( UNIT_HANGS );
    check( !sigaction( SIGUSR1, &action, NULL ));
    for (i = 0; i < THREADS; i++) check( !pthread_create( &threads[i], NULL, take_turns, &turns ));
    while (__atomic_load_n( &ended, __ATOMIC_ACQUIRE ) < THREADS)
    {
        for (i = 0; i < THREADS; i++) pthread_kill( threads[i], SIGUSR1 );
        usleep( 50 );
    }
    __atomic_fetch_add( &ended, 1, __ATOMIC_RELEASE );
    for (i = 0; i < THREADS; i++) pthread_join( threads[i], NULL );

    printf( "%u signals, %u with the lock held\n", handled, found_held );
    check( count == (unsigned long long)THREADS * turns );
    check( found_held );
    test_waiters();
    return unit_result();
}
