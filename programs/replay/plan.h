/*
 * What a replay does, in order
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_PLAN_H
#define REPLAY_PLAN_H

#include "record.h"

enum op_kind
{
    OP_ALLOC,
    OP_COMMIT,
    OP_DISCARD,
    OP_DECOMMIT,
    OP_FREE,
    OP_RESET,
    OP_WRITE,      /* once to each page */
    OP_POLL,
};

/* One step, on memory of one allocation: size bytes from offset on. */
struct op
{
    enum op_kind kind;
    unsigned int alloc;
    uint64_t     offset;
    uint64_t     size;
    uint32_t     event;       /* in the process: what it belongs to */
    unsigned int phase;       /* and its place before the event itself */
    size_t       number;      /* keeps the order of the rest */
};

/* A watched region of the record; the replay may get another address for it. */
struct allocation
{
    uint64_t base;
    uint64_t size;
    int      committed;       /* at once */
};

struct plan
{
    struct op         *ops;
    size_t             count;
    struct allocation *allocs;
    unsigned int       alloc_count;
    uint64_t           polls;             /* in the plan */
    uint64_t           skipped_polls;     /* of no memory that was allocated: not in the plan */
    uint64_t           unknown_polls;     /* whose pages are not known: neither */
    uint64_t           skipped_changes;   /* other events of no such memory */
    uint64_t           partial_frees;     /* done as decommits */
    uint64_t           commits;           /* pages committed that the record does not commit */
    uint64_t           resets;            /* pages reset that the record does not reset */
};

/* Returns 0, or -1 if there is not enough memory; then nothing is to be freed. */
extern int make_plan( struct plan *plan, const struct process *process );
extern void free_plan( struct plan *plan );

#endif /* REPLAY_PLAN_H */
