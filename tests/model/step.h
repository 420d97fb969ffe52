/*
 * Steps: an operation made for real and in the model, and the answers compared
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TESTS_STEP_H
#define WRITEWATCH_TESTS_STEP_H

#include "model.h"
#include "op.h"
#include "platform.h"

/* what differed: one line */
extern char difference[1024];

/* what the last call should have answered, and the byte that differed, if one did */
extern NTSTATUS expected;
extern struct wrong_byte
{
    struct space *space;
    uint64_t      addr;
} wrong_byte;

/* which rule the model is to get wrong on purpose, to show that this is noticed */
extern const char *wrong_rule;

/* Makes one operation and compares. Returns 1, or 0 and the difference. An operation that cannot be
 * made in the present state (as others were cut out before it) is passed over. */
extern int make_step( const struct op *op );

/* Compares everything: all regions, and with contents all memory that was ever used. */
extern int check_all( int contents );
extern int check_region( struct space *space, const struct view *view );

/* frees all that is allocated */
extern void clear_spaces(void);

/* in step_get.c, step_access.c: parts of make_step() */
extern int step_get( struct space *space, const struct op *op );
extern int get_open(void);
extern int step_access( struct space *space, const struct op *op );
extern int step_kernel_write( struct space *space, const struct op *op );
extern int step_fork( const struct op *op );

/* In step.c: what differs, as by printf; returns 0. */
extern int differs( const char *format, ... ) __attribute__((format( printf, 1, 2 )));

/* Compares a status of either face, or, if not strict, only success and failure. */
extern int check_status( const char *call, int strict, int nt, NTSTATUS status, DWORD error,
                         NTSTATUS expect );

/* compares the memory of a page with the copy, and settles what was open about it */
extern int check_contents( struct space *space, size_t page );

static inline uint64_t address_of( const struct op *op )
{
    return op->page * PAGE + op->skew;
}

/* where the pages of an operation end, as far as they can be */
static inline size_t end_page( const struct space *space, const struct op *op )
{
    uint64_t end = (address_of( op ) + op->size + PAGE - 1) / PAGE;

    if (op->size > (uint64_t)space->pages * PAGE || end > space->pages) return space->pages;
    return end;
}

/* whether a page may be in use by others: beside allocations to which the system gave a place */
static inline int is_foreign( struct space *space, size_t page )
{
    return page >= space->pages || (space != &spaces[ARENA] && !view_at( space, page ));
}

#endif /* WRITEWATCH_TESTS_STEP_H */
