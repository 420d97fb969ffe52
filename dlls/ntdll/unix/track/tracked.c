/*
 * Regions with trackers: what is taken from the backend is passed on
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "engine/step.h"
#include "fault/fair_lock.h"
#include "sys/lock_order.h"
#include "track/tracker.h"

#define MAX_LOCKS 64

/* For regions whose backend serves no faults, and has no lock for its steps; by address. */
static struct fair_lock locks[MAX_LOCKS];

static struct watch_backend tables[MAX_BACKENDS];

static struct fair_lock *lock_of( const struct watch_region *region )
{
    return &locks[((uintptr_t)region / sizeof(*region)) % MAX_LOCKS];
}

static const struct watch_backend *original( const struct watch_region *region )
{
    return original_backend( __atomic_load_n( &region->backend, __ATOMIC_RELAXED ));
}

static void hold( struct watch_region *region )
{
    if (original( region )->hold) original( region )->hold( region );
    else
    {
        note_lock( LOCK_FAULTS );
        fair_lock_hold( lock_of( region ));
    }
}

static void release( struct watch_region *region )
{
    if (original( region )->release) original( region )->release( region );
    else
    {
        note_unlock( LOCK_FAULTS );
        fair_lock_release( lock_of( region ));
    }
}

/* in a child by fork(): the thread that had the lock does not exist there */
static void free_locks( struct watch_region *region )
{
    static const struct fair_lock free_lock;

    *lock_of( region ) = free_lock;
    if (original( region )->free_locks) original( region )->free_locks( region );
}

/***********************************************************************
 *           note_written
 *
 * Passes pages on to the trackers of the region. Those of a fault are passed on before the fault
 * ends, so a tracker that holds the region sees a page that is open.
 */
static void note_written( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    uint64_t bits = region->trackers;

    for (; bits; bits &= bits - 1) tracker_note( trackers[lowest_bit( bits )], start, end );
}

/* the library itself drops contents: the written state stays, what the page holds does not */
static int discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                    enum discard_reason reason )
{
    drops_note( region, start, end );
    return original( region )->discard( region, start, end, reason );
}

/* What a query takes is passed on to trackers. On failure all of the range is written: here for the
 * trackers, in the query itself for queries. */
static int collect_written( struct watch_region *region, struct page_scan *scan )
{
    uintptr_t start = scan->start, end = scan->end;
    int i, count = original( region )->collect_written( region, scan );

    if (!(scan->flags & COLLECT_RESET)) return count;
    if (count < 0) note_written( region, start, end );
    for (i = 0; i < count; i++) note_written( region, scan->runs[i].start, scan->runs[i].end );
    return count;
}

/* how many pages one scan may find: whole huge pages of any size */
static size_t scan_limit( const struct watch_region *region, uintptr_t start, uintptr_t end )
{
    size_t granule = (size_t)1 << (region->shift - page_shift);

    return min( (end - start) >> page_shift, max( MAX_SCAN_PAGES, granule ));
}

int tracked_gather( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct page_run runs[MAX_RUNS];
    struct page_scan scan = { .end = end, .flags = COLLECT_RESET, .runs = runs, .len = MAX_RUNS };
    int i, count;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        scan.max_pages = scan_limit( region, scan.start, end );
        count = original( region )->collect_written( region, &scan );
        if (count < 0)
        {
            region_put_back( region, scan.start, end );
            note_written( region, scan.start, end );
            return count;
        }
        for (i = 0; i < count; i++)
        {
            region_put_back( region, runs[i].start, runs[i].end );
            note_written( region, runs[i].start, runs[i].end );
        }
    }
    return 0;
}

int tracked_peek( struct watch_region *region, struct tracker *tracker, uintptr_t start,
                  uintptr_t end )
{
    struct page_run runs[MAX_RUNS];
    struct page_scan scan = { .end = end, .runs = runs, .len = MAX_RUNS };
    int i, count;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        scan.max_pages = scan_limit( region, scan.start, end );
        count = original( region )->collect_written( region, &scan );
        if (count < 0) return count;
        for (i = 0; i < count; i++) tracker_note( tracker, runs[i].start, runs[i].end );
    }
    return 0;
}

const struct watch_backend *tracked_table( const struct watch_backend *backend )
{
    size_t i;

    backend = original_backend( backend );
    for (i = 0; tables[i].original && tables[i].original != backend; i++) /* nothing */;
    if (tables[i].original) return &tables[i];
    tables[i] = *backend;
    tables[i].original        = backend;
    tables[i].hold            = hold;
    tables[i].release         = release;
    tables[i].free_locks      = free_locks;
    tables[i].collect_written = collect_written;
    tables[i].note_written    = note_written;
    tables[i].note_filled     = drops_note;
    tables[i].discard         = discard;
    return &tables[i];
}
