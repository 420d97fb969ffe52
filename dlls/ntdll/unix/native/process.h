/*
 * What must be set up before the native calls do anything
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PROCESS_H
#define WRITEWATCH_PROCESS_H

#include "engine/region.h"

extern int process_ready;
extern void process_prepare(void);
extern void process_check_handlers(void);

/* Begins each public call: makes faults on the program's pointers return as errors, even if the
 * program has replaced our handlers meanwhile. */
static inline void process_init(void)
{
    if (!__atomic_load_n( &process_ready, __ATOMIC_ACQUIRE )) process_prepare();
    else process_check_handlers();
}

/* Must be called before memory is watched: opens the backend unless that was done. Returns 0 or
 * -errno; a requested backend that does not work remains an error. And after each that returned 0:
 * whether the backend is in use now, so that the program cannot choose another one. */
extern int process_open(void);
extern void process_opened( int is_used );

/* Opens the backend of a name, or for NULL of the environment or the best one. -EBUSY, -EINVAL (no
 * such name), or what watch_open() returns. And why it, or a better one, is not open; "" if nothing
 * is wrong. */
extern int process_choose( const char *name );
extern const char *process_reason(void);

/* Why the last of these failed, in any thread; "" if it did not. */
extern const char *process_open_reason(void);

/* around a fork(); taken before the change lock */
extern void process_lock_for_fork(void);
extern void process_unlock_after_fork( int child );

/* The same for restores, where the program has them; set by restore.c. */
extern void (*restore_before_fork)(void);
extern void (*restore_after_fork)( int child );

/* Watches memory that the program has mapped, as watch_add_as() does. -EDEADLK: it holds what the
 * library needs to serve a fault. No lock may be held. */
extern int process_watch( void *addr, size_t size, enum memory_kind kind, unsigned int shift );

/* what that is */
extern const char *process_watch_reason(void);

/* Whether [start, end) holds data of trackers, which set this: 0 or 1. NULL: there never was one.
 * Takes the change lock. */
extern int (*process_other_data)( uintptr_t start, uintptr_t end );

/* Whether a thread could not begin on this stack, as its top is watched and faults there cannot be
 * served. Takes a lock of the C library's, unless base is NULL. */
extern int process_refuses_stack( const void *base, size_t size );

#endif /* WRITEWATCH_PROCESS_H */
