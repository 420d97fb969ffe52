/*
 * A lock of which a signal handler can tell that the thread holds it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <linux/futex.h>
#include <sys/syscall.h>

#include "owned_lock.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

/* 0, or the thread that holds it and FUTEX_WAITERS if others may wait */
static unsigned int owner;

static __thread unsigned int thread_id;

static UNINTERRUPTED int change_owner( unsigned int old, unsigned int new )
{
    return __atomic_compare_exchange_n( &owner, &old, new, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED );
}

/***********************************************************************
 *           wait_and_acquire
 *
 * Whoever had to wait does not know whether others still do.
 */
static UNINTERRUPTED void wait_and_acquire( unsigned int self )
{
    unsigned int value;

    while (!change_owner( 0, self | FUTEX_WAITERS ))
    {
        if (!(value = __atomic_load_n( &owner, __ATOMIC_RELAXED ))) continue;
        if (!(value & FUTEX_WAITERS) && !change_owner( value, value | FUTEX_WAITERS )) continue;
        raw_syscall4( SYS_futex, (long)&owner, FUTEX_WAIT_PRIVATE, value | FUTEX_WAITERS, 0 );
    }
}

/***********************************************************************
 *           owned_lock_acquire
 */
UNINTERRUPTED void owned_lock_acquire(void)
{
    if (!thread_id) thread_id = raw_syscall3( SYS_gettid, 0, 0, 0 );
    if (!change_owner( 0, thread_id )) wait_and_acquire( thread_id );
}

/***********************************************************************
 *           owned_lock_release
 */
UNINTERRUPTED void owned_lock_release(void)
{
    if (__atomic_exchange_n( &owner, 0, __ATOMIC_RELEASE ) & FUTEX_WAITERS)
        raw_syscall3( SYS_futex, (long)&owner, FUTEX_WAKE_PRIVATE, 1 );
}

/***********************************************************************
 *           owned_lock_is_held
 */
__attribute__((no_stack_protector)) int owned_lock_is_held(void)
{
    unsigned int value = __atomic_load_n( &owner, __ATOMIC_RELAXED ) & ~FUTEX_WAITERS;

    return value && value == (unsigned int)raw_syscall3( SYS_gettid, 0, 0, 0 );
}

/***********************************************************************
 *           owned_lock_release_in_child
 *
 * Those who waited for the parent's are not there, and the thread has another number.
 */
void owned_lock_release_in_child(void)
{
    thread_id = 0;
    __atomic_store_n( &owner, 0, __ATOMIC_RELEASE );
}
