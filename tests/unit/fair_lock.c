/*
 * The lock of faults and queries: alone or shared, and in turns
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "fault/fair_lock.h"
#include "unit.h"

static struct fair_lock lock;
static int order[4], pos;

static void note( int thread )
{
    order[__atomic_fetch_add( &pos, 1, __ATOMIC_SEQ_CST )] = thread;
}

static void *share( void *arg )
{
    fair_lock_share( &lock );
    note( 1 );
    fair_lock_unshare( &lock );
    return arg;
}

static void *hold( void *arg )
{
    fair_lock_hold( &lock );
    note( 2 );
    fair_lock_release( &lock );
    return arg;
}

/* waits until a counter of the lock has gone up: another thread waits */
static void wait_for( const unsigned int *counter, unsigned int before )
{
    while (__atomic_load_n( counter, __ATOMIC_SEQ_CST ) == before) sched_yield();
}

/* A thread that waits to share goes on before the next holder, also before one that was waiting
 * already. */
static void test_turns( int holder_first )
{
    pthread_t sharer, holder;
    unsigned int i, before;

    pos = 0;
    fair_lock_hold( &lock );
    for (i = 0; i < 2; i++)
    {
        if (i == !holder_first)
        {
            before = lock.tickets;
            check( !pthread_create( &holder, NULL, hold, NULL ));
            wait_for( &lock.tickets, before );
        }
        else
        {
            before = lock.entered;
            check( !pthread_create( &sharer, NULL, share, NULL ));
            wait_for( &lock.entered, before );
        }
    }
    fair_lock_release( &lock );
    check( !pthread_join( sharer, NULL ) && !pthread_join( holder, NULL ));
    check( pos == 2 && order[0] == 1 && order[1] == 2 );
}

/* A thread that comes to share while another one waits to hold, waits for that one: holders get
 * their turn, too. */
static void test_holder(void)
{
    pthread_t sharer, holder;
    unsigned int before;

    pos = 0;
    fair_lock_share( &lock );
    before = lock.entered;
    check( !pthread_create( &holder, NULL, hold, NULL ));
    wait_for( &lock.entered, before );
    before = lock.entered;
    check( !pthread_create( &sharer, NULL, share, NULL ));
    wait_for( &lock.entered, before );
    check( !__atomic_load_n( &pos, __ATOMIC_SEQ_CST ));
    fair_lock_unshare( &lock );
    check( !pthread_join( sharer, NULL ) && !pthread_join( holder, NULL ));
    check( pos == 2 && order[0] == 2 && order[1] == 1 );
}

#define ROUNDS 20000

static unsigned int sharers, inside, mistakes;
static unsigned long held;   /* not atomic */

static void *share_often( void *arg )
{
    unsigned int i;

    for (i = 0; i < ROUNDS; i++)
    {
        fair_lock_share( &lock );
        __atomic_fetch_add( &sharers, 1, __ATOMIC_SEQ_CST );
        if (__atomic_load_n( &inside, __ATOMIC_SEQ_CST ))
            __atomic_fetch_add( &mistakes, 1, __ATOMIC_SEQ_CST );
        __atomic_fetch_sub( &sharers, 1, __ATOMIC_SEQ_CST );
        fair_lock_unshare( &lock );
    }
    return arg;
}

static void *hold_often( void *arg )
{
    unsigned int i;

    for (i = 0; i < ROUNDS; i++)
    {
        fair_lock_hold( &lock );
        if (__atomic_fetch_add( &inside, 1, __ATOMIC_SEQ_CST ) ||
            __atomic_load_n( &sharers, __ATOMIC_SEQ_CST ))
            __atomic_fetch_add( &mistakes, 1, __ATOMIC_SEQ_CST );
        held++;
        __atomic_fetch_sub( &inside, 1, __ATOMIC_SEQ_CST );
        fair_lock_release( &lock );
    }
    return arg;
}

/* many of both, also where the counters wrap around */
static void test_many(void)
{
    pthread_t threads[6];
    size_t i;

    lock.entered = lock.left = -0x400u;
    lock.tickets = lock.serving = -5u;
    for (i = 0; i < 6; i++)
        check( !pthread_create( &threads[i], NULL, i & 1 ? hold_often : share_often, NULL ));
    for (i = 0; i < 6; i++) check( !pthread_join( threads[i], NULL ));
    check( !mistakes && held == 3 * ROUNDS );
    check( lock.entered == lock.left && lock.tickets == lock.serving && !lock.sleepers );
}

int main(void)
{
    int i;

    alarm( UNIT_HANGS );
    for (i = 0; i < 50; i++)
    {
        test_turns( 0 );
        test_turns( 1 );
        test_holder();
    }
    test_many();
    return unit_result();
}
