/*
 * The change lock, in native programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <signal.h>

#include "engine/fork.h"
#include "engine/give_way.h"
#include "engine/host.h"
#include "fault/fault.h"
#include "native/process.h"
#include "native/virtual_internal.h"
#include "sys/lock_order.h"
#include "sys/signals.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigset_t held_mask;   /* of the thread that holds the mutex, before it blocked all signals */

/* all signals are blocked, as a handler of the program may call us */
void change_lock(void)
{
    sigset_t mask;

    block_all_signals( &mask );
    begin_address_space_change();
    note_lock( LOCK_CHANGES );
    pthread_mutex_lock( &mutex );
    held_mask = mask;
}

/* nothing terminates or suspends threads of a native program there */
void leave_uninterrupted_code(void)
{
}

void change_unlock(void)
{
    sigset_t mask = held_mask;

    note_unlock( LOCK_CHANGES );
    pthread_mutex_unlock( &mutex );
    end_address_space_change();
    restore_signals( &mask );
}

static sigset_t fork_mask;

void (*restore_before_fork)(void);
void (*restore_after_fork)( int child );

/* SIGSEGV and SIGBUS are not blocked: fork() itself may fault on a watched stack */
void lock_for_fork(void)
{
    sigset_t mask;

    block_all_but_faults( &mask );
    process_lock_for_fork();
    if (restore_before_fork) restore_before_fork();
    virtual_lock_for_fork();
    note_lock( LOCK_CHANGES );
    pthread_mutex_lock( &mutex );
    fault_lock_for_fork();
    fork_mask = mask;
}

void unlock_after_fork( int child )
{
    sigset_t mask = fork_mask;

    fault_unlock_after_fork();
    note_unlock( LOCK_CHANGES );
    pthread_mutex_unlock( &mutex );
    virtual_unlock_after_fork();
    if (restore_after_fork) restore_after_fork( child );
    process_unlock_after_fork( child );
    restore_signals( &mask );
}

/* before any thread can hold one of these locks while another one forks */
__attribute__((constructor)) static void register_fork(void)
{
    fork_register();
}
