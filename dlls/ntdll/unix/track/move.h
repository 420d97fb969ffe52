/*
 * Moving watched memory with its written state
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MOVE_H
#define WRITEWATCH_MOVE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/watch.h"

/* What is known of a range of one region while its memory moves. */
struct moved_state
{
    uintptr_t          start;    /* before */
    size_t             size;
    enum memory_kind   kind;
    unsigned int       shift;
    int                has_protection;   /* whether the backend keeps its own: see move_take() */
    struct page_marks *written;  /* of queries */
    struct page_marks *tracked[64];      /* of trackers; NULL where there is nothing */
    uint64_t           numbers[64];      /* of these trackers */
};

/* Looks at the region that holds a range: kind, shift, has_protection. 0, -ENOENT or -EIO. */
extern int move_look( struct moved_state *state, uintptr_t start, size_t size );

/* Takes the state of the range and ends its watch. What is written from then on until the memory is
 * watched again is lost. Takes the change lock. 0 or -errno; then nothing has changed, unless the
 * region cannot be split for lack of memory: then all queries of it fail from now on. */
extern int move_take( struct moved_state *state );

/* Gives the state to the memory, which is watched again, at its new place; frees it. */
extern void move_give( struct moved_state *state, uintptr_t start );

#endif /* WRITEWATCH_MOVE_H */
