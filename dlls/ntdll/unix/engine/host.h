/*
 * What the engine needs of its host: the native library or the preloaded one
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_HOST_H
#define WRITEWATCH_HOST_H

struct watch_backend;

/* All backends that the host has, best first, ended by NULL. */
extern const struct watch_backend * const backend_list[];

/* The change lock: one thread at a time changes what is watched. No thread is suspended or ended
 * while it holds it, and no signal handler of the program runs that may call us; how is up to the
 * host, which has the signal handlers. Counts as a change of the address space (give_way.h). */
extern void change_lock(void);
extern void change_unlock(void);

/* To be called, without the lock, after each piece of uninterrupted code that was called without
 * it, whatever came of it: delivers what was put off meanwhile (uninterrupted.h). May not return. */
extern void leave_uninterrupted_code(void);

/* Around fork(), in the thread that forks: takes this lock and all others of the host, in the
 * order in which they are nested, and gives them back in the parent, or in the child. */
extern void lock_for_fork(void);
extern void unlock_after_fork( int child );

#endif /* WRITEWATCH_HOST_H */
