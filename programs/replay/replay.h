/*
 * Runs a plan and compares what polls report with the record
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include "plan.h"

struct replay_result
{
    uint64_t events;          /* of the record that were replayed */
    uint64_t polls;
    uint64_t skipped_polls;   /* of memory that could not be allocated here */
    uint64_t pages;           /* reported */
    uint64_t written;
    uint64_t differ;          /* reported and not in the record, or the other way round */
    uint64_t failed;          /* calls that failed */
    uint64_t write_time;      /* in nanoseconds */
    uint64_t poll_time;
    uint64_t other_time;      /* of allocations, commits, decommits, resets, frees */
};

/* Returns 0, or -1 if there is not enough memory. What differs is said on standard error. */
extern int run_plan( struct replay_result *result, const struct plan *plan,
                     const struct process *process );

#endif /* REPLAY_REPLAY_H */
