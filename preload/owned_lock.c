/*
 * A lock that lets a signal handler find out whether its thread holds it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <linux/futex.h>
#include <sys/syscall.h>

#include "owned_lock.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

/* 0, or the id of the owning thread, with FUTEX_WAITERS set if other threads may be waiting */
static unsigned int owner;

static __thread unsigned int thread_id;

static UNINTERRUPTED_PART int change_owner( unsigned int old, unsigned int new )
{
    return __atomic_compare_exchange_n( &owner, &old, new, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED );
}

/***********************************************************************
 *           wait_and_acquire
 *
 * A thread that had to wait sets FUTEX_WAITERS: it cannot know whether other threads still wait.
 */
static UNINTERRUPTED_PART void wait_and_acquire( unsigned int self )
{
    unsigned int value;

    while (!change_owner( 0, self | FUTEX_WAITERS ))
    {
        if (!(value = __atomic_load_n( &owner, __ATOMIC_RELAXED ))) continue;
        if (!(value & FUTEX_WAITERS) && !change_owner( value, value | FUTEX_WAITERS )) continue;
        raw_syscall4( SYS_futex, (long)&owner, FUTEX_WAIT_PRIVATE, value | FUTEX_WAITERS, 0 );
    }
}

UNINTERRUPTED void owned_lock_acquire(void)
{
    if (!thread_id) thread_id = raw_syscall3( SYS_gettid, 0, 0, 0 );
    if (!change_owner( 0, thread_id )) wait_and_acquire( thread_id );
}

UNINTERRUPTED void owned_lock_release(void)
{
    if (__atomic_exchange_n( &owner, 0, __ATOMIC_RELEASE ) & FUTEX_WAITERS)
        raw_syscall3( SYS_futex, (long)&owner, FUTEX_WAKE_PRIVATE, 1 );
}

__attribute__((no_stack_protector)) int owned_lock_is_held(void)
{
    unsigned int value = __atomic_load_n( &owner, __ATOMIC_RELAXED ) & ~FUTEX_WAITERS;

    return value && value == (unsigned int)raw_syscall3( SYS_gettid, 0, 0, 0 );
}

/***********************************************************************
 *           owned_lock_release_in_child
 *
 * The waiting threads exist only in the parent, and this thread has a new id.
 */
void owned_lock_release_in_child(void)
{
    thread_id = 0;
    __atomic_store_n( &owner, 0, __ATOMIC_RELEASE );
}
