/*
 * Waiting for another thread that is about to finish something short
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WAIT_TURN_H
#define WRITEWATCH_WAIT_TURN_H

#include <sys/syscall.h>

#include "sys/raw_syscall.h"

#define TURNS_BEFORE_SLEEP 100

/* For a loop, with a counter that begins at 0; uninterrupted code may use it. A real-time thread
 * may wait here for one of lower priority: sched_yield() lets only threads of its own priority run,
 * so after some turns it sleeps. */
static inline __attribute__((always_inline)) void wait_turn( unsigned int *turns )
{
    volatile long time[2];   /* seconds and nanoseconds */

    if (++*turns < TURNS_BEFORE_SLEEP)
    {
        raw_syscall3( SYS_sched_yield, 0, 0, 0 );
        return;
    }
    time[0] = 0;
    time[1] = 50000;
    raw_syscall3( SYS_nanosleep, (long)time, 0, 0 );
}

#endif /* WRITEWATCH_WAIT_TURN_H */
