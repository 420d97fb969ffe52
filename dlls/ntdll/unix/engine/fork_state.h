/*
 * Whether this process is the one that opened the watches, or a child by fork()
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_FORK_STATE_H
#define WRITEWATCH_FORK_STATE_H

/* FORK_OURS: descriptors and locks are those of this process. Anything else: this is a child whose
 * descriptors are the parent's, and whose locks may be held by threads that do not exist. */
#define FORK_CHILD 0
#define FORK_OURS  1
#define FORK_FAULT 2   /* faults are served, nothing else */

extern volatile int *fork_state;   /* changed by fork.c alone */

/* whether only faults may be served, so that calls must fail; callable from any code */
static inline __attribute__((always_inline)) int fork_is_unhandled(void)
{
    return *fork_state != FORK_OURS;
}

#endif /* WRITEWATCH_FORK_STATE_H */
