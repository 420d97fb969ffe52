/*
 * What must be set up before the native calls do anything
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PROCESS_H
#define WRITEWATCH_PROCESS_H

#include "engine/region.h"

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

/* The same for restores, where the program has them; set by restore.c. */
extern void (*restore_before_fork)(void);
extern void (*restore_after_fork)( int child );

/* Watches memory that the program has mapped, as watch_add_as() does. -EDEADLK: it holds what the
 * library needs to serve a fault. */
extern int library_watch( void *addr, size_t size, enum memory_kind kind, unsigned int shift );

#endif /* WRITEWATCH_PROCESS_H */
