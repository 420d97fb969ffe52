/*
 * The lock of those who change what is watched, in native programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <signal.h>

#include "give_way.h"
#include "watch_lock.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigset_t held_mask;   /* what the thread that holds it had blocked before */

/***********************************************************************
 *           lock_regions
 *
 * All signals are blocked, as a handler of the program may call us.
 */
void lock_regions(void)
{
    sigset_t all, mask;

    sigfillset( &all );
    sigprocmask( SIG_BLOCK, &all, &mask );
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
    sigprocmask( SIG_SETMASK, &mask, NULL );
}
