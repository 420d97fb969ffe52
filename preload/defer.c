/*
 * Signals that are deferred while a thread is in a query or a change
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "defer.h"
#include "owned_lock.h"
#include "sys/uninterrupted.h"

/* one bit for each deferred signal of this thread */
static __thread volatile unsigned int deferred;

static __attribute__((noinline)) void note_deferred( int sig )
{
    deferred |= 1u << sig;
}

HANDLER int must_go_on( const ucontext_t *context )
{
    return in_uninterrupted_code( context ) || owned_lock_is_held();
}

HANDLER int defer_signal( int sig, const ucontext_t *context )
{
    if (!must_go_on( context )) return 0;
    note_deferred( sig );
    return 1;
}

void deliver_deferred_signals(void)
{
    unsigned int signals = deferred;

    if (!signals) return;
    deferred = 0;
    if (signals & (1u << SIGUSR1)) syscall( SYS_tgkill, getpid(), syscall( SYS_gettid ), SIGUSR1 );
    if (signals & (1u << SIGQUIT)) syscall( SYS_tgkill, getpid(), syscall( SYS_gettid ), SIGQUIT );
}

void forget_deferred_signals(void)
{
    deferred = 0;
}
