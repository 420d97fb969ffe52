/*
 * One operation of a random sequence, all of it numbers, so that a sequence can be cut and repeated
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TESTS_OP_H
#define WRITEWATCH_TESTS_OP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum op_kind
{
    OP_ALLOC,         /* a: type, b: protection, c: a call of enum face */
    OP_FREE,          /* a: type, c: face */
    OP_PROTECT,       /* a: protection, b: 1 without a place for the old one, c: face */
    OP_READ,          /* the bytes, compared */
    OP_WRITE,         /* a: value, b: a byte each so many pages, 0: all bytes, c: 1 in one store */
    OP_KERNEL_WRITE,  /* a: value, b: which system call */
    OP_GET,           /* a: flags, b: count, c: face; d: where the array lies, enum array */
    OP_RESET,         /* c: face */
    OP_QUERY,         /* what VirtualQuery returns */
    OP_LOCK,
    OP_UNLOCK,
    OP_FORK,          /* a child writes to the bytes and ends; a: value */
    OP_PAGE_OUT,
    OP_KINDS
};

enum face { FACE_WIN32, FACE_NT, FACE_NT_EX };

enum array
{
    ARRAY_OWN,        /* memory of the test */
    ARRAY_NULL,
    ARRAY_READONLY,
    ARRAY_SHORT,      /* ends before the last of its entries */
    ARRAY_KERNEL,     /* an address that programs cannot have */
    ARRAY_INSIDE,     /* at page and offset d_page, d_offset of d_space */
    ARRAY_COUNTS,     /* one's own; the count lies at this place instead */
    ARRAY_NO_COUNT,   /* NULL in the place of the count's address */
    ARRAY_KINDS
};

struct op
{
    uint32_t kind;
    uint32_t space;   /* enum of model.h: the arena, or one that the system chose */
    uint64_t page;    /* the range: an address within the space, */
    uint64_t skew;    /* in bytes beyond the page, */
    uint64_t size;    /* and bytes */
    uint64_t a, b, c, d;
    uint64_t d_space, d_page, d_offset;
};

#define OP_NUMBERS 12

/* a sequence */
struct ops
{
    struct op *list;
    size_t     count, room;
};

extern void ops_add( struct ops *ops, const struct op *op );
extern int ops_load( struct ops *ops, const char *file );
extern int ops_save( const struct ops *ops, const char *file );
extern void op_write( FILE *file, const struct op *op );

#endif /* WRITEWATCH_TESTS_OP_H */
