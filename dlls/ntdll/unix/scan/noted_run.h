/*
 * What is known of a small region: a run of pages that were seen to be written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_NOTED_RUN_H
#define WRITEWATCH_NOTED_RUN_H

#include "engine/backend.h"
#include "sys/page.h"

/* A region without blocks (blocks.h) still remembers one run of pages that a query without reset
 * found written: repeating the query without reset needs no system call, which takes longer than
 * all the rest of a small query. One word holds the run, and a number that each reset changes
 * before it begins, so that all of it is compared and changed at once:
 *
 *   bits 0 to 31    NOTED_NEVER, NOTED_UNUSED, or the number
 *   bits 32 to 47   the first page of the run, counted from the base of the region
 *   bits 48 to 63   the one after the last; 0: there is no run
 *
 * Queries with and without reset run at the same time. One without reset reads the word, makes sure
 * that no other step is in progress, looks, and notes what it found if the word is still the same.
 * A reset that began before the word was read was either seen in progress, or had ended before the
 * look; one that began later has changed the number. A thread that drops contents closes the region
 * and changes the number, too.
 *
 * A region that was never queried without reset has no run, and its resets change nothing: programs
 * that query only with reset pay for one read of the word. The first query without reset turns the
 * word into a number and notes nothing; a reset that found the word unused may be in progress, and
 * is seen by the next query. */
#define NOTED_NEVER  0   /* the program may drop contents unseen */
#define NOTED_UNUSED 1
#define NOTED_FIRST  2   /* the first number */

#define NOTED_MAX_PAGES ((size_t)0xffff)

static inline __attribute__((always_inline)) int is_noted( uint64_t noted, size_t first,
                                                           size_t last )
{
    return (noted >> 32 & 0xffff) <= first && last <= noted >> 48;
}

/***********************************************************************
 *           noted_begin_reset
 *
 * Called before pages are reset, or their contents are dropped: in a step, or while the region is
 * closed.
 */
static inline __attribute__((always_inline)) void noted_begin_reset( atomic_word *noted )
{
    uint64_t old = __atomic_load_n( noted, __ATOMIC_SEQ_CST );
    uint32_t number;

    while ((uint32_t)old >= NOTED_FIRST)
    {
        number = (uint32_t)old + 1;
        if (number < NOTED_FIRST) number = NOTED_FIRST;
        if (__atomic_compare_exchange_n( noted, &old, number, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST )) return;
    }
}

/***********************************************************************
 *           note_run
 *
 * A look without reset found pages [first, last) written. The word was read before that look, when
 * no other step was in progress. Called in the step of that look.
 */
static inline __attribute__((always_inline)) void note_run( atomic_word *noted, uint64_t old,
                                                            size_t first, size_t last )
{
    uint64_t new = NOTED_FIRST;

    if ((uint32_t)old >= NOTED_FIRST)
        new = (uint32_t)old | (uint64_t)first << 32 | (uint64_t)last << 48;
    __atomic_compare_exchange_n( noted, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST );
}

#endif /* WRITEWATCH_NOTED_RUN_H */
