/*
 * Sequences of operations in files, one line of numbers for each
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "op.h"

/***********************************************************************
 *           ops_add
 */
void ops_add( struct ops *ops, const struct op *op )
{
    if (ops->count == ops->room)
    {
        ops->room = ops->room ? 2 * ops->room : 1024;
        if (!(ops->list = realloc( ops->list, ops->room * sizeof(*op) ))) abort();
    }
    ops->list[ops->count++] = *op;
}

/***********************************************************************
 *           op_write
 */
void op_write( FILE *file, const struct op *op )
{
    fprintf( file, "%u %u %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu\n", op->kind, op->space,
             (unsigned long long)op->page, (unsigned long long)op->skew,
             (unsigned long long)op->size, (unsigned long long)op->a, (unsigned long long)op->b,
             (unsigned long long)op->c, (unsigned long long)op->d,
             (unsigned long long)op->d_space, (unsigned long long)op->d_page,
             (unsigned long long)op->d_offset );
}

/***********************************************************************
 *           ops_save
 *
 * Returns whether all could be written.
 */
int ops_save( const struct ops *ops, const char *name )
{
    FILE *file = fopen( name, "w" );
    size_t i;

    if (!file) return 0;
    for (i = 0; i < ops->count; i++) op_write( file, &ops->list[i] );
    return !fclose( file );
}

/***********************************************************************
 *           ops_load
 *
 * Up to the first line that is not whole: a run may have ended while it was written.
 */
int ops_load( struct ops *ops, const char *name )
{
    FILE *file = fopen( name, "r" );
    char line[400], *pos, *end;
    uint64_t number[OP_NUMBERS];
    struct op op;
    int i;

    ops->count = 0;
    if (!file) return 0;
    while (fgets( line, sizeof(line), file ))
    {
        for (i = 0, pos = line; i < OP_NUMBERS; i++, pos = end)
        {
            number[i] = strtoull( pos, &end, 10 );
            if (end == pos) break;
        }
        if (i < OP_NUMBERS || *pos != '\n') break;
        op.kind  = number[0];
        op.space = number[1];
        op.page  = number[2];
        op.skew  = number[3];
        op.size  = number[4];
        op.a = number[5];
        op.b = number[6];
        op.c = number[7];
        op.d = number[8];
        op.d_space  = number[9];
        op.d_page   = number[10];
        op.d_offset = number[11];
        ops_add( ops, &op );
    }
    fclose( file );
    return 1;
}
