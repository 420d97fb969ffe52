/*
 * Signals that are deferred while a thread is in a query or a change
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_DEFER_H
#define WRITEWATCH_DEFER_H

#include <ucontext.h>

/* Wine suspends a thread with SIGUSR1 and ends it with SIGQUIT at any instruction. In a query that
 * would delay or lose pages that were taken from the kernel but not yet handed over; on Windows a
 * system call never stops halfway. So both signals are deferred until the thread has left
 * uninterrupted code and has released the lock for changes.
 *
 * Like Wine's handlers, ours run on any stack and with any segment registers: until they know that
 * the thread is in our code they use neither thread-local storage nor a stack protector. */
#define HANDLER __attribute__((noinline, no_stack_protector))

/* in a signal handler: whether the thread must not be stopped here */
extern int must_go_on( const ucontext_t *context );

/* the same; if so, the signal is deferred */
extern int defer_signal( int sig, const ucontext_t *context );

/* Sends the deferred signals again. Call it after each piece of uninterrupted code, outside of such
 * code and without the lock: later signals are not deferred, earlier ones have been recorded. Does
 * not return if one of them ends the thread. */
extern void deliver_deferred_signals(void);

/* for the child of a fork() */
extern void forget_deferred_signals(void);

#endif /* WRITEWATCH_DEFER_H */
