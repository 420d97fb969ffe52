/*
 * Steps of queries, for what is made of them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_QUERY_STEP_H
#define WRITEWATCH_QUERY_STEP_H

#include "engine/backend.h"
#include "engine/watch.h"
#include "scan/blocks.h"
#include "sys/page.h"

/* Entries of one scan. The kernel keeps a buffer of as many; from 8 KiB (341 entries) on that
 * buffer costs 355 ns a call more (6.18), and longer ones gain nothing. */
#define MAX_RUNS 341

/* The kernel holds the lock of the address space during a scan, and other threads' mmap calls
 * wait: 1 GiB of written pages in one call made them wait 15 ms, 32 MiB 0.7 ms at most with what
 * give_way.h does; shorter calls made a reset of 4 GiB no slower (6.18). A page that was not
 * written takes a twentieth of the time: a step may pass over more of those. */
#define MAX_SCAN_SIZE  ((size_t)2 << 30)
#define MAX_SCAN_PAGES ((size_t)8192)

/* After a step that found few pages the next one may be twice as large, up to this: a large
 * reservation has few pages, and in one that has all of them it takes 0.8 ms in full blocks, 2 ms
 * elsewhere. */
#define FEW_PAGES       ((size_t)1024)
#define MAX_SPARSE_SIZE ((size_t)4 << 30)

static inline __attribute__((always_inline)) size_t next_step_size( size_t size, size_t pages )
{
    if (pages > FEW_PAGES) return MAX_SCAN_SIZE;
    return size < MAX_SPARSE_SIZE ? 2 * size : size;
}

#define min( a, b ) ((a) < (b) ? (a) : (b))

/* Where a step that begins at start ends, at the limit at the latest, and how many written pages it
 * may take. Steps end with a block where they can, as one that is reported in two parts is not
 * known to be full by that (blocks.h). The size is that of several blocks at least. */
static inline __attribute__((always_inline)) uintptr_t step_end( uintptr_t start, uintptr_t limit,
                                                                 size_t size )
{
    if (limit - start <= size) return limit;
    return start + size - block_offset( start );
}

static inline __attribute__((always_inline)) size_t step_pages( uintptr_t start )
{
    return MAX_SCAN_PAGES - (block_offset( start ) >> page_shift);
}

/* uninterrupted code; -errno on failure */
extern int check_query( const struct watch_query *query );
extern int enter_anew( struct watch_query *query );
extern int arm_marked( struct watch_region *region, uintptr_t start, uint64_t bits );
extern void mark_region_written( struct watch_region *region, uintptr_t start, uintptr_t end );
extern void put_back( struct watch_query *query, uintptr_t start, uintptr_t end );
extern int collect_marked( struct watch_query *query, uintptr_t *start, int reset,
                           void **addresses, size_t max, size_t *pos );

/***********************************************************************
 *           watch_enter
 *
 * Begins a step. If a part of the region was released meanwhile (row 37), its rest is another
 * region; returns -ENOENT if the range is no longer in one, or in one of other pages.
 */
static inline __attribute__((always_inline)) int watch_enter( struct watch_query *query )
{
    query->step = region_enter( query->region, query->start, query->end );
    if ((!query->step || query->region->shift != query->shift) && enter_anew( query ))
        return -ENOENT;
    if (query->region->backend->hold) query->region->backend->hold( query->region );
    return 0;
}

/***********************************************************************
 *           watch_leave
 */
static inline __attribute__((always_inline)) void watch_leave( struct watch_query *query )
{
    if (query->region->backend->release) query->region->backend->release( query->region );
    region_leave( query->region, query->step );
}

/***********************************************************************
 *           scan_step
 *
 * Asks the backend; in a step.
 */
static inline __attribute__((always_inline)) int
scan_step( struct watch_region *region, uintptr_t start, uintptr_t end, int reset,
           struct page_run *runs, size_t len, size_t max_pages, uintptr_t *next )
{
    if (region->backend->scan)
        return region->backend->scan( region, start, end, reset ? SCAN_RESET : 0, runs, len,
                                      max_pages, next );
    *next = end;
    return 0;
}

/* Where a step ends at the latest that looks at the bitmap. To make pages fault again takes a call
 * of the kernel for each run of marks, and faults wait meanwhile: such steps are shorter. */
#define MAX_MARKED_PAGES MAX_SCAN_PAGES
#define MAX_ARMED_PAGES  ((size_t)512)

static inline __attribute__((always_inline)) uintptr_t
marked_step_end( const struct watch_query *query, uintptr_t start )
{
    if (query->region->backend->arm)
        return start + min( query->end - start, MAX_ARMED_PAGES << query->shift );
    return step_end( start, query->end, min( MAX_MARKED_PAGES << query->shift, MAX_SCAN_SIZE ));
}

#endif /* WRITEWATCH_QUERY_STEP_H */
