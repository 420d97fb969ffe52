/*
 * The lock of those who change what is watched, in native programs
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
#include "sys/signals.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigset_t held_mask;   /* what the thread that holds it had blocked before */

/***********************************************************************
 *           lock_regions
 *
 * All signals are blocked, as a handler of the program may call us.
 */
void lock_regions(void)
{
    sigset_t mask;

    block_all_signals( &mask );
    begin_address_space_change();
    pthread_mutex_lock( &mutex );
    held_mask = mask;
}

/***********************************************************************
 *           leave_uninterrupted_code
 *
 * Nothing ends or suspends threads of a native program there.
 */
void leave_uninterrupted_code(void)
{
}

/***********************************************************************
 *           unlock_regions
 */
void unlock_regions(void)
{
    sigset_t mask = held_mask;

    pthread_mutex_unlock( &mutex );
    end_address_space_change();
    restore_signals( &mask );
}

static sigset_t fork_mask;

/***********************************************************************
 *           lock_for_fork
 *
 * Faults are not blocked: fork() itself may meet one, on a stack that is watched.
 */
void lock_for_fork(void)
{
    sigset_t mask;

    block_all_but_faults( &mask );
    library_lock_for_fork();
    restore_lock_for_fork();
    virtual_lock_for_fork();
    pthread_mutex_lock( &mutex );
    fault_lock_for_fork();
    fork_mask = mask;
}

/***********************************************************************
 *           unlock_after_fork
 */
void unlock_after_fork( int child )
{
    sigset_t mask = fork_mask;

    fault_unlock_after_fork();
    pthread_mutex_unlock( &mutex );
    virtual_unlock_after_fork();
    restore_unlock_after_fork( child );
    library_unlock_after_fork();
    restore_signals( &mask );
}

/* before any thread can be in one of these locks while another one forks */
__attribute__((constructor)) static void register_fork(void)
{
    fork_register();
}
