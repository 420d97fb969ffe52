/*
 * Steps of queries, during which a region does not change
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_REGION_STEP_H
#define WRITEWATCH_REGION_STEP_H

#include "engine/region.h"
#include "sys/lock_order.h"
#include "sys/wait_turn.h"

/* From region_enter() to region_leave() the memory stays mapped and written state stays where it
 * is, in the kernel or among the marks. A step touches no memory of the program, as that can fault
 * and then wait for a lock whose holder waits for us. Nothing of a region may be relied on before a
 * step or between two steps.
 *
 * A locked instruction after a system call waits until all writes of the call have drained (26 ns
 * on a Xeon, a twentieth of a small query). So one step at a time, usually the only one, ends with
 * a plain store; the others are counted. */
enum region_step
{
    STEP_NONE,
    STEP_FIRST,
    STEP_COUNTED,
};

static inline __attribute__((always_inline)) enum region_step
begin_step( struct watch_region *region )
{
    unsigned int free = 0;

    if (__atomic_compare_exchange_n( &region->first_step, &free, 1, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST ))
        return STEP_FIRST;
    __atomic_fetch_add( &region->steps, 1, __ATOMIC_SEQ_CST );
    return STEP_COUNTED;
}

static inline __attribute__((always_inline)) void region_leave( struct watch_region *region,
                                                                enum region_step step )
{
    note_unlock( LOCK_STEP );
    if (step == STEP_FIRST) __atomic_store_n( &region->first_step, 0, __ATOMIC_RELEASE );
    else __atomic_fetch_sub( &region->steps, 1, __ATOMIC_SEQ_CST );
}

/***********************************************************************
 *           region_enter
 *
 * Begins a step in a region that region_find() returned. Waits while a writer moves written state,
 * which is short and cannot be interrupted. Returns STEP_NONE if the region is gone, or has become
 * another one that does not hold all of [start, end).
 */
static inline __attribute__((always_inline)) enum region_step
region_enter( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    enum region_step step;
    enum region_state state;
    unsigned int turns = 0;

    for (;;)
    {
        note_lock( LOCK_STEP );
        step = begin_step( region );
        state = __atomic_load_n( &region->state, __ATOMIC_SEQ_CST );
        if (state == REGION_OPEN && region->base <= start && end <= region->end) return step;
        region_leave( region, step );
        if (state != REGION_CLOSED) return STEP_NONE;
        wait_turn( &turns );
    }
}

/* whether a step is in progress; one that has only looked at the state may count */
static inline int region_has_steps( const struct watch_region *region )
{
    return __atomic_load_n( &region->first_step, __ATOMIC_SEQ_CST )
           || __atomic_load_n( &region->steps, __ATOMIC_SEQ_CST );
}

/* whether the calling step is the only one; one that begins at the same time may be missed */
static inline __attribute__((always_inline)) int
region_has_one_step( const struct watch_region *region )
{
    return __atomic_load_n( &region->first_step, __ATOMIC_SEQ_CST )
           + __atomic_load_n( &region->steps, __ATOMIC_SEQ_CST ) == 1;
}

#endif /* WRITEWATCH_REGION_STEP_H */
