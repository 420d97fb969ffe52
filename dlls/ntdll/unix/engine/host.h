/*
 * The lock of those who change what is watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WATCH_LOCK_H
#define WRITEWATCH_WATCH_LOCK_H

/* One at a time. No thread is suspended or ended while it holds the lock, and none of the program's
 * signal handlers that may call us runs; how that is done is up to who has the signal handlers.
 * Counts as a change of the address space (give_way.h). */
extern void lock_regions(void);
extern void unlock_regions(void);

/* To be called, without the lock, after each piece of uninterrupted code that was called without
 * it, whatever came of it: delivers what was put off meanwhile (uninterrupted.h). May not return. */
extern void leave_uninterrupted_code(void);

/* Around fork(), in the thread that forks: takes this lock and all others of the host, in the
 * order in which they are nested, and gives them back in the parent, or in the child. */
extern void lock_for_fork(void);
extern void unlock_after_fork( int child );

#endif /* WRITEWATCH_WATCH_LOCK_H */
