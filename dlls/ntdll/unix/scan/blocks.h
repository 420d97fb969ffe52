/*
 * What is known of blocks: that all their pages are present, or written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_BLOCKS_H
#define WRITEWATCH_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/backend.h"
#include "sys/cpu.h"
#include "sys/page.h"

/* A block is the span of one page table, 2 MiB. At both ends of a region its part of a block counts
 * as one. The scan backend keeps two facts about each:
 *
 * A block is FULL when every page in it is the program's own, in memory or swapped out: none is
 * missing, and none is the shared zero page. There the kernel's quick way to look for written pages
 * has the same result as the exact one. A block stays full until contents are dropped: the kernel
 * moves, swaps and merges pages, but takes none away. A thread that drops contents first closes the
 * region to steps of queries (region_set_state) and calls blocks_forget(). As the fact is
 * established and used only in steps, no step establishes it before the drop and uses it after.
 *
 * A block is WRITTEN when all its pages were seen to be written, and none was reset since. Querying
 * it again without reset needs no look at it. Steps with and without reset run at the same time, so
 * a reset announces itself, clears the bits and only then begins. A step that is about to set a bit
 * checks that no reset has run since before its own look, both before and after setting it. A step
 * that reads a bit discards it if another thread was setting bits meanwhile. */
struct region_blocks
{
    uintptr_t      base;        /* of the region */
    uintptr_t      end;
    size_t         count;       /* number of blocks; 0: nothing is kept */
    size_t         mapped;      /* size of the mapping that holds the bits; 0: in small[] */
    atomic_word   *full;        /* one bit per block */
    atomic_word   *written;
    unsigned char *polls;       /* for each group: exact queries since the last census */
    unsigned char *patience;    /* and how many censuses found no full block */
    atomic_word    resets;      /* RESET_RUNNING for each in progress, RESET_ENDED for others */
    unsigned int   group_shift; /* log2 of the blocks in a group */
    unsigned int   marking;     /* odd while written bits are being set */
    unsigned int   forgotten;   /* counts calls of blocks_forget() */
    atomic_word    small[4];
    atomic_word    noted;       /* for a region without blocks: see noted_run.h */
};

/* Tests set these to extremes. */
struct block_limits
{
    size_t       min_size;      /* of a region, in bytes, below which nothing is kept */
    size_t       min_run;       /* of full blocks */
    unsigned int first_census;  /* polls */
};

extern struct block_limits block_limits;

/* under the change lock, or before another thread knows the region */
extern void blocks_open( struct region_blocks *blocks, uintptr_t start, uintptr_t end );
extern void blocks_close( struct region_blocks *blocks );
extern void blocks_forget( struct region_blocks *blocks, uintptr_t start, uintptr_t end );

/* In steps of queries. A caller that marks blocks passes the counters as they were before it
 * looked. */
extern uintptr_t blocks_full_part( const struct region_blocks *blocks, uintptr_t start,
                                   uintptr_t end, int *full );
extern uintptr_t blocks_written_part( const struct region_blocks *blocks, uintptr_t start,
                                      uintptr_t end, int *written );
extern int blocks_mark_full( struct region_blocks *blocks, uintptr_t start, uintptr_t end,
                             unsigned int forgotten );
extern void blocks_mark_written( struct region_blocks *blocks, const struct page_run *runs,
                                 size_t count, uint64_t resets );
extern void blocks_begin_reset( struct region_blocks *blocks, uintptr_t start, uintptr_t end );
extern void blocks_end_reset( struct region_blocks *blocks );
extern int blocks_next_census( struct region_blocks *blocks, uintptr_t *pos, uintptr_t end,
                               uintptr_t *start, uintptr_t *limit );
extern void blocks_end_census( struct region_blocks *blocks, uintptr_t start, uintptr_t end,
                               int found );

#define RESET_RUNNING ((uint64_t)1)
#define RESET_ENDED   ((uint64_t)1 << 16)

#endif /* WRITEWATCH_BLOCKS_H */
