/*
 * The order in which locks are taken, checked in debug builds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_LOCK_ORDER_H
#define WRITEWATCH_LOCK_ORDER_H

/* A thread that holds a lock may take only those that come later here. docs/design.md says what
 * each protects. The preloaded library has the change lock, steps and Wine's own locks, which come
 * before all of these. */
enum lock_rank
{
    LOCK_PROCESS,     /* which backend is open (native/process.c) */
    LOCK_RESTORES,    /* changes of restores (restore.c) */
    LOCK_VIRTUAL,     /* views and page states of the native memory manager */
    LOCK_CHANGES,     /* the change lock (engine/host.h) */
    LOCK_HANDLERS,    /* handlers of SIGSEGV and SIGBUS (fault/fault.c) */
    LOCK_STEP,        /* a step in a region: not a lock, but changes wait for it */
    LOCK_FAULTS,      /* a region's: shared by faults, held by steps of queries */
    LOCK_BACKEND,     /* what mprotect or softdirty knows of pages */
    LOCK_PROC_FILES,  /* reading a file of /proc/self that is kept (sys/proc_files.h) */
};

#ifdef WRITEWATCH_DEBUG

static inline __attribute__((always_inline)) unsigned int *held_locks(void)
{
    extern __thread unsigned int lock_order_held;

    return &lock_order_held;
}

extern void lock_order_violated( enum lock_rank rank, unsigned int held );

static inline __attribute__((always_inline)) void note_lock( enum lock_rank rank )
{
    if (*held_locks() >> rank) lock_order_violated( rank, *held_locks() );
    *held_locks() |= 1u << rank;
}

static inline __attribute__((always_inline)) void note_unlock( enum lock_rank rank )
{
    if (!(*held_locks() & 1u << rank)) lock_order_violated( rank, *held_locks() );
    *held_locks() &= ~(1u << rank);
}

static inline __attribute__((always_inline)) void assert_locked( enum lock_rank rank )
{
    if (!(*held_locks() & 1u << rank)) lock_order_violated( rank, *held_locks() );
}

#else

static inline __attribute__((always_inline)) void note_lock( enum lock_rank rank )
{
    (void)rank;
}

static inline __attribute__((always_inline)) void note_unlock( enum lock_rank rank )
{
    (void)rank;
}

static inline __attribute__((always_inline)) void assert_locked( enum lock_rank rank )
{
    (void)rank;
}

#endif

#endif /* WRITEWATCH_LOCK_ORDER_H */
