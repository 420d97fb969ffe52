/*
 * Snapshots as text and as JSON
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_TEXT_H
#define WRITEWATCH_TOP_TEXT_H

#include <stdio.h>

#include "snapshot.h"

/* what a view of a region says besides its counters, in pages */
struct page_sums
{
    uint64_t written;   /* and not reset */
    uint64_t recent;    /* reset, and seen written within COOL_INTERVALS */
    uint64_t touched;
    uint64_t swapped;
};

extern struct page_sums view_sums( const struct region_view *view );

/* The heading lines of a process, without their ends: its name, and what it polls. old is the
 * sample before, or NULL. */
extern void heading_text( const struct process_view *process, char *text, size_t size );
extern void rates_text( const struct snapshot *old, const struct snapshot *new, char *text,
                        size_t size );

/* One line of the table of regions, and the one above it. */
#define TABLE_HEADING \
    "REGION              SIZE  POLLS/S PAGES/POLL  WRITTEN   RECENT  TOUCHED SWAPPED"
extern void row_text( const struct snapshot *old, const struct snapshot *new,
                      const struct region_view *view, char *text, size_t size );

extern void print_snapshot( FILE *file, const struct process_view *process,
                            const struct snapshot *old, const struct snapshot *new );
extern void print_json( FILE *file, const struct process_view *process, const struct snapshot *old,
                        const struct snapshot *new );

#endif /* WRITEWATCH_TOP_TEXT_H */
