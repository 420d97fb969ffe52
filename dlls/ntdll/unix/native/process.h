/*
 * What must be set up before the native calls do anything
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PROCESS_H
#define WRITEWATCH_PROCESS_H

extern int library_ready;
extern void library_prepare(void);
extern void library_check_handlers(void);

/* Begins each public call: makes faults on the program's pointers return as errors, even if the
 * program has replaced our handlers meanwhile. */
static inline void library_init(void)
{
    if (!__atomic_load_n( &library_ready, __ATOMIC_ACQUIRE )) library_prepare();
    else library_check_handlers();
}

/* Must be called before memory is watched: opens the backend unless that was done. Returns 0 or
 * -errno; a requested backend that does not work remains an error. */
extern int library_open(void);

/* around a fork(); taken before the writers' lock */
extern void library_lock_for_fork(void);
extern void library_unlock_after_fork(void);
extern void restore_lock_for_fork(void);
extern void restore_unlock_after_fork( int child );

#endif /* WRITEWATCH_PROCESS_H */
