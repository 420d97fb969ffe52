/*
 * Making a sequence that fails as short as it can be
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Delta debugging: pieces are left out as long as what remains fails, smaller and smaller ones.
 * Each attempt has a process of its own, and so begins with nothing allocated.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shrink.h"
#include "step.h"

#define MAX_RUNS 1500

static unsigned int runs;

/***********************************************************************
 *           sequence_fails
 */
int sequence_fails( const struct ops *ops, int print )
{
    const char *file = scratch_file( "ops" );
    char arguments[600];
    int ret;

    runs++;
    if (!ops_save( ops, file )) return 0;
    snprintf( arguments, sizeof(arguments), "--%s %s%s%s", print ? "print" : "replay", file,
              *wrong_rule ? " --wrong-rule " : "", wrong_rule );
    ret = run_self( arguments, !print );
    remove( file );
    return ret == 1 || ret == -1;
}

/* without count operations from first on; takes it over if that still fails */
static int leave_out( struct ops *ops, size_t first, size_t count )
{
    struct ops less = { NULL, 0, 0 };
    size_t i;
    int ret;

    for (i = 0; i < ops->count; i++)
        if (i < first || i >= first + count) ops_add( &less, &ops->list[i] );
    if ((ret = less.count && sequence_fails( &less, 0 )))
    {
        memcpy( ops->list, less.list, less.count * sizeof(*less.list) );
        ops->count = less.count;
    }
    free( less.list );
    return ret;
}

/* from the end, as what comes late seldom matters to what came before; returns what went */
static size_t leave_out_pieces( struct ops *ops, size_t piece )
{
    size_t before = ops->count, end, first;

    for (end = ops->count; end && runs < MAX_RUNS; end = first)
    {
        first = end > piece ? end - piece : 0;
        leave_out( ops, first, end - first );
    }
    return before - ops->count;
}

/* tries another number in an operation; takes it over if that still fails */
static void try_number( struct ops *ops, uint64_t *number, uint64_t value )
{
    uint64_t old = *number;

    if (old <= value || runs >= MAX_RUNS) return;
    *number = value;
    if (!sequence_fails( ops, 0 )) *number = old;
}

static void simplify( struct ops *ops )
{
    size_t i;

    for (i = 0; i < ops->count; i++)
    {
        struct op *op = &ops->list[i];

        try_number( ops, &op->skew, 0 );
        try_number( ops, &op->size, PAGE );
        if (op->size > PAGE) try_number( ops, &op->size, op->size / 2 );
        if (op->kind == OP_GET)
        {
            try_number( ops, &op->d, 0 );
            try_number( ops, &op->b, 1 );
        }
        try_number( ops, &op->c, 0 );
    }
}

/***********************************************************************
 *           shrink
 */
unsigned int shrink( struct ops *ops )
{
    size_t piece, gone;

    runs = 0;
    for (piece = ops->count / 2; piece > 1; piece /= 2) leave_out_pieces( ops, piece );
    do gone = leave_out_pieces( ops, 1 );
    while (gone && runs < MAX_RUNS);
    simplify( ops );
    leave_out_pieces( ops, 1 );
    return runs;
}
