/*
 * Steps that one thread has side by side, as several threads would
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_STEPS_H
#define WRITEWATCH_STEPS_H

#include "engine/region_step.h"
#include "sys/lock_order.h"

/* A debug build stops a thread that begins a step in another one: see sys/lock_order.h. */
static inline enum region_step enter_beside( struct watch_region *region, uintptr_t start,
                                             uintptr_t end )
{
    enum region_step step = region_enter( region, start, end );

    if (step) note_unlock( LOCK_STEP );
    return step;
}

static inline void leave_beside( struct watch_region *region, enum region_step step )
{
    note_lock( LOCK_STEP );
    region_leave( region, step );
}

#endif /* WRITEWATCH_STEPS_H */
