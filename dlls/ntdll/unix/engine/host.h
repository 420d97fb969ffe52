/*
 * What the engine needs from its host: the native library or the preloaded one
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_HOST_H
#define WRITEWATCH_HOST_H

struct watch_backend;

/* All backends of the host, best first, terminated by NULL. */
extern const struct watch_backend * const backend_list[];

/* The change lock: one thread at a time changes what is watched. A thread that holds it is not
 * suspended or terminated, and runs no signal handler of the program that may call us; how is up to
 * the host, which has the signal handlers. Counts as a change of the address space (give_way.h). */
extern void change_lock(void);
extern void change_unlock(void);

/* Must be called, without the lock, after each piece of uninterrupted code that was called without
 * it, whatever that returned: delivers the signals that were deferred meanwhile (uninterrupted.h).
 * Might not return. */
extern void leave_uninterrupted_code(void);

/* Around fork(), in the forking thread: takes this lock and all others of the host, in the order in
 * which they nest, and releases them in the parent, or in the child. */
extern void lock_for_fork(void);
extern void unlock_after_fork( int child );

#endif /* WRITEWATCH_HOST_H */
