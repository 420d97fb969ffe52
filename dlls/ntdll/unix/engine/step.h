/*
 * Steps of queries, for what is built on them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_STEP_H
#define WRITEWATCH_STEP_H

#include "engine/backend.h"
#include "engine/query.h"
#include "sys/page.h"

/* Entries of one scan. The kernel allocates a buffer for as many; beyond 8 KiB (341 entries) that
 * buffer costs 355 ns more per call (6.18), and longer ones gain nothing. */
#define MAX_RUNS 341

/* See MAX_SCAN_PAGES. */
#define MAX_SCAN_SIZE  ((size_t)2 << 30)

/* After a step that found few pages the next one may be twice as large, up to this: a large
 * reservation has few pages. Where it has all of them such a step takes 0.8 ms in full blocks, 2 ms
 * elsewhere. */
#define FEW_PAGES       ((size_t)1024)
#define MAX_SPARSE_SIZE (MAX_SCAN_SIZE * (sizeof(size_t) / 4))

static inline __attribute__((always_inline)) size_t next_step_size( size_t size, size_t pages )
{
    if (pages > FEW_PAGES) return MAX_SCAN_SIZE;
    return size < MAX_SPARSE_SIZE ? 2 * size : size;
}

#define min( a, b ) ((a) < (b) ? (a) : (b))
#define max( a, b ) ((a) > (b) ? (a) : (b))

/* The end of a step that begins at start, at the limit at the latest; and how many written pages
 * the step may take. Steps end with a block where they can, as a block that is reported in two
 * parts is not recognised as full (blocks.h). With pages of 16 KiB a block has 32 MiB, and a step
 * of a fault backend is shorter. */
static inline __attribute__((always_inline)) uintptr_t step_end( uintptr_t start, uintptr_t limit,
                                                                 size_t size )
{
    size_t beyond = block_offset( start + size );

    if (limit - start <= size) return limit;
    return start + size - (beyond < size ? beyond : 0);
}

static inline __attribute__((always_inline)) size_t step_pages( uintptr_t start )
{
    return MAX_SCAN_PAGES - (block_offset( start ) >> page_shift);
}

/* uninterrupted code; -errno on failure */
extern int check_query( const struct watch_query *query );
extern int enter_anew( struct watch_query *query );
extern int enter_held( struct watch_query *query );
extern void leave_held( struct watch_query *query );
extern int arm_pages( struct watch_region *region, uintptr_t start, uintptr_t end );
extern int arm_marked( struct watch_region *region, uintptr_t start, uint64_t bits );
extern void put_back( struct watch_query *query, uintptr_t start, uintptr_t end );
extern int collect_marked( struct watch_query *query );

/* whether the region has the granularity and the backend that the query began with; in a step */
static inline __attribute__((always_inline)) int is_same_kind( const struct watch_query *query )
{
    return query->region->shift == query->shift &&
           __atomic_load_n( &query->region->backend, __ATOMIC_ACQUIRE ) == query->backend;
}

/***********************************************************************
 *           watch_enter
 *
 * Begins a step. If a part of the region was released meanwhile (row 37), the rest of it is another
 * region. Returns -ENOENT if the range no longer lies in one region, or lies in one of another
 * kind.
 */
static inline __attribute__((always_inline)) int watch_enter( struct watch_query *query )
{
    if (query->backend->hold) return enter_held( query );
    query->step = region_enter( query->region, query->start, query->end );
    return query->step && is_same_kind( query ) ? 0 : enter_anew( query );
}

static inline __attribute__((always_inline)) void watch_leave( struct watch_query *query )
{
    if (query->backend->hold) leave_held( query );
    else region_leave( query->region, query->step );
}

/* asks the backend for written pages; in a step */
static inline __attribute__((always_inline)) int ask_backend( const struct watch_query *query,
                                                              struct page_scan *scan )
{
    return query->backend->collect_written( query->region, scan );
}

/* The latest end of a step that takes marks: it covers no more than MAX_SCAN_PAGES. */
static inline __attribute__((always_inline)) uintptr_t
marked_step_end( const struct watch_query *query, uintptr_t start )
{
    size_t pages = min( query->backend->max_marked_pages, MAX_SCAN_SIZE >> query->shift );

    return step_end( start, query->end, pages << query->shift );
}

#endif /* WRITEWATCH_STEP_H */
