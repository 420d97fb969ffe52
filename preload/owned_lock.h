/*
 * A lock that lets a signal handler find out whether its thread holds it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OWNED_LOCK_H
#define WRITEWATCH_OWNED_LOCK_H

/* There is one lock for the process. Blocking signals while it is held would cost two system calls,
 * as much as a whole small change. Instead, the handlers of the signals with which Wine suspends
 * and ends threads look at the lock and defer the signal. They also defer it in uninterrupted code,
 * which includes acquire and release: a thread is never stopped at a moment when it has the lock
 * without being known as its owner, or when it has released the lock but not yet woken a waiter.
 * Not recursive. */
extern void owned_lock_acquire(void);
extern void owned_lock_release(void);

/* For the child of a fork(), if the forking thread held the lock. */
extern void owned_lock_release_in_child(void);

/* Returns whether the calling thread holds the lock. Safe in signal handlers, on any stack and with
 * any segment registers. */
extern int owned_lock_is_held(void);

#endif /* WRITEWATCH_OWNED_LOCK_H */
