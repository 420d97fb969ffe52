/*
 * A fair lock that many threads share or one holds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <limits.h>
#include <linux/futex.h>
#include <stdint.h>

#include "fault/fair_lock.h"
#include "sys/cpu.h"
#include "sys/raw_syscall.h"

/* how often a waiter looks before it sleeps: about the time of a short query or a fault */
#define SPINS 100

/* Waits while the bits of mask in a word have a value. wake() must follow a change of them. */
static void wait_while( struct fair_lock *lock, unsigned int *word, unsigned int mask,
                        unsigned int value )
{
    unsigned int i, now;

    for (i = 0; i < SPINS; i++)
    {
        if ((__atomic_load_n( word, __ATOMIC_SEQ_CST ) & mask) != value) return;
        cpu_pause();
    }
    __atomic_fetch_add( &lock->sleepers, 1, __ATOMIC_SEQ_CST );
    while (((now = __atomic_load_n( word, __ATOMIC_SEQ_CST )) & mask) == value)
        raw_syscall4( SYS_futex, (uintptr_t)word, FUTEX_WAIT_PRIVATE, now, 0 );
    __atomic_fetch_sub( &lock->sleepers, 1, __ATOMIC_SEQ_CST );
}

static void wake( struct fair_lock *lock, unsigned int *word )
{
    if (__atomic_load_n( &lock->sleepers, __ATOMIC_SEQ_CST ))
        raw_syscall3( SYS_futex, (uintptr_t)word, FUTEX_WAKE_PRIVATE, INT_MAX );
}

/***********************************************************************
 *           fair_lock_share
 *
 * Any number of threads at once.
 */
void fair_lock_share( struct fair_lock *lock )
{
    unsigned int before = __atomic_fetch_add( &lock->entered, FAIR_SHARER, __ATOMIC_SEQ_CST );

    if (before & FAIR_HOLDER) wait_while( lock, &lock->entered, FAIR_HOLDER, before & FAIR_HOLDER );
}

void fair_lock_unshare( struct fair_lock *lock )
{
    __atomic_fetch_add( &lock->left, FAIR_SHARER, __ATOMIC_SEQ_CST );
    wake( lock, &lock->left );
}

void fair_lock_hold( struct fair_lock *lock )
{
    unsigned int ticket = __atomic_fetch_add( &lock->tickets, 1, __ATOMIC_SEQ_CST );
    unsigned int serving, before, left;

    while ((serving = __atomic_load_n( &lock->serving, __ATOMIC_SEQ_CST )) != ticket)
        wait_while( lock, &lock->serving, ~0u, serving );
    before = __atomic_fetch_add( &lock->entered, 2 | (ticket & 1), __ATOMIC_SEQ_CST );
    while ((left = __atomic_load_n( &lock->left, __ATOMIC_SEQ_CST )) != before)
        wait_while( lock, &lock->left, ~0u, left );
}

void fair_lock_release( struct fair_lock *lock )
{
    __atomic_fetch_and( &lock->entered, ~FAIR_HOLDER, __ATOMIC_SEQ_CST );
    wake( lock, &lock->entered );
    __atomic_fetch_add( &lock->serving, 1, __ATOMIC_SEQ_CST );
    wake( lock, &lock->serving );
}
