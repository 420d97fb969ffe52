/*
 * What was seen of a region's pages so far
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_TRACKER_H
#define WRITEWATCH_TOP_TRACKER_H

#include "scan.h"
#include "snapshot.h"

#define BLOCK_PAGES 512

struct tracked_block;

struct tracked_region
{
    struct region_counters counters;    /* as read when the last pass over it began */
    uint64_t               pages;
    uint32_t               began;       /* the last pass over it; 0: there was none */
    uint32_t               before;      /* the pass before */
    int                    was_reset;   /* whether anything was between these two */
    struct tracked_block **blocks;      /* NULL for those in which nothing was ever touched */
};

/* what the looks at one process have in common; times are in ms since watching began, and not 0 */
struct look
{
    uint32_t page_size;
    uint32_t now;
    int      is_marked;  /* whether pages are marked at commit: those that were only read are */
                         /* then not written, and missing ones look swapped out */
    int      has_swap;
};

/* what classes depend on, in ms */
struct ages
{
    uint32_t now;
    uint64_t interval;
    uint64_t recent;     /* since the last sample, at least an interval */
};

/* Returns 0 or -ENOMEM. */
extern int  tracker_begin( struct tracked_region *region, const struct region_counters *counters,
                           uint32_t page_size );
extern void tracker_end( struct tracked_region *region );

/* A pass over the region begins. */
extern void tracker_pass( struct tracked_region *region, const struct region_counters *counters,
                          uint32_t now );

/* Takes over what one scan says of the pages from start to scanner->scanned. Returns 0 or
 * -errno. */
extern int  tracker_look( struct tracked_region *region, const struct look *look, uint64_t start,
                          const struct other_pages *scanner );

/* The classes of all pages. Returns 0 or -ENOMEM. */
extern int  tracker_view( const struct tracked_region *region, const struct ages *ages,
                          struct region_view *view );

#endif /* WRITEWATCH_TOP_TRACKER_H */
