/*
 * Which memory is watched: an ordered index of regions that is read without a lock
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "engine/fork_state.h"
#include "engine/region.h"
#include "engine/region_object.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"
#include "sys/wait_turn.h"

struct region_entry
{
    uintptr_t            base;
    uintptr_t            end;
    struct watch_region *region;
};

/* Ordered by address, without overlaps. A larger one replaces it when it is full; the old one stays
 * mapped for readers that are still in it (all old ones together have at most the size of the
 * newest). */
struct region_index
{
    size_t              capacity;
    size_t              count;
    struct region_entry entries[];
};

static struct region_index *region_index;

/* Odd while a writer changes the index; readers that see it change look again. A writer cannot be
 * suspended meanwhile (host.h). */
static unsigned int index_seq;

#define load( ptr )         __atomic_load_n( ptr, __ATOMIC_RELAXED )
#define store( ptr, value ) __atomic_store_n( ptr, value, __ATOMIC_RELAXED )

static void begin_change(void)
{
    __atomic_store_n( &index_seq, index_seq + 1, __ATOMIC_SEQ_CST );
    __atomic_thread_fence( __ATOMIC_SEQ_CST );
}

static void end_change(void)
{
    __atomic_store_n( &index_seq, index_seq + 1, __ATOMIC_SEQ_CST );
}

/***********************************************************************
 *           find_entry
 *
 * Position of the first entry that ends above an address. While the index changes the result is
 * useless, but still within the entries.
 */
static inline __attribute__((always_inline)) size_t
find_entry( struct region_index *index, size_t count, uintptr_t addr )
{
    size_t low = 0, high = count;

    while (low < high)
    {
        size_t mid = (low + high) / 2;

        if (load( &index->entries[mid].end ) > addr) high = mid;
        else low = mid + 1;
    }
    return low;
}

/***********************************************************************
 *           read_entry
 *
 * The first entry that ends above an address, as it was at one moment; all zero if there is none.
 * With hold, counts up the region's readers before that moment has passed.
 */
static inline __attribute__((always_inline)) struct region_entry read_entry( uintptr_t addr,
                                                                             int hold )
{
    unsigned int turns = 0;

    for (;;)
    {
        unsigned int seq = __atomic_load_n( &index_seq, __ATOMIC_SEQ_CST );
        struct region_entry entry = { 0 };
        struct region_index *index;
        size_t count, pos;

        if (seq & 1)
        {
            /* the thread that changes it is not in this process */
            if (fork_is_unhandled()) return entry;
            wait_turn( &turns );
            continue;
        }
        if ((index = __atomic_load_n( &region_index, __ATOMIC_ACQUIRE )))
        {
            count = load( &index->count );
            if ((pos = find_entry( index, count, addr )) < count)
            {
                entry.base   = load( &index->entries[pos].base );
                entry.end    = load( &index->entries[pos].end );
                entry.region = load( &index->entries[pos].region );
            }
        }
        __atomic_thread_fence( __ATOMIC_ACQUIRE );
        if (__atomic_load_n( &index_seq, __ATOMIC_RELAXED ) != seq) continue;
        if (!entry.region || !hold) return entry;

        /* a writer that retires the region either sees the count or has changed the sequence */
        __atomic_fetch_add( &entry.region->readers, 1, __ATOMIC_SEQ_CST );
        if (__atomic_load_n( &index_seq, __ATOMIC_SEQ_CST ) == seq) return entry;
        __atomic_fetch_sub( &entry.region->readers, 1, __ATOMIC_SEQ_CST );
    }
}

/***********************************************************************
 *           region_find
 *
 * The region that holds all of [start, end), or NULL (row 6: a range lies in one region).
 */
UNINTERRUPTED struct watch_region *region_find( uintptr_t start, uintptr_t end )
{
    struct region_entry entry = read_entry( start, 0 );

    return entry.base <= start && end <= entry.end ? entry.region : NULL;
}

/***********************************************************************
 *           region_get
 *
 * The same, held. The caller must release it with region_put().
 */
UNINTERRUPTED struct watch_region *region_get( uintptr_t start, uintptr_t end )
{
    struct region_entry entry = read_entry( start, 1 );

    if (entry.base <= start && end <= entry.end) return entry.region;
    if (entry.region) region_put( entry.region );
    return NULL;
}

UNINTERRUPTED void region_put( struct watch_region *region )
{
    __atomic_fetch_sub( &region->readers, 1, __ATOMIC_SEQ_CST );
}

/* whether one region holds all of [start, end) */
UNINTERRUPTED int region_contains( uintptr_t start, uintptr_t end )
{
    return region_find( start, end ) != NULL;
}

/* whether any region has a page in [start, end) */
UNINTERRUPTED int region_overlaps( uintptr_t start, uintptr_t end )
{
    struct region_entry entry = read_entry( start, 0 );

    return entry.region && entry.base < end;
}

/***********************************************************************
 *           region_next
 *
 * The first part of [*start, *end) that lies in one region; sets both to it. Returns 0 if no page
 * is watched.
 */
UNINTERRUPTED int region_next( uintptr_t *start, uintptr_t *end )
{
    struct region_entry entry = read_entry( *start, 0 );

    if (*start >= *end || !entry.region || entry.base >= *end) return 0;
    if (*start < entry.base) *start = entry.base;
    if (*end > entry.end) *end = entry.end;
    return 1;
}

/* makes room for more entries, so that a change cannot fail once it has begun */
static int reserve_entries( size_t more )
{
    size_t i, count = region_index ? region_index->count : 0;
    size_t capacity = region_index ? region_index->capacity : 0;
    struct region_index *index;
    long ret;

    if (count + more <= capacity) return 0;
    capacity = capacity ? 2 * capacity : 170;
    ret = raw_mmap_anon( round_up( sizeof(*index) + capacity * sizeof(index->entries[0]) ) );
    if (raw_failed( ret )) return ret;

    index = (struct region_index *)ret;
    index->capacity = capacity;
    index->count = count;
    for (i = 0; i < count; i++) index->entries[i] = region_index->entries[i];
    begin_change();
    __atomic_store_n( &region_index, index, __ATOMIC_RELEASE );
    end_change();
    return 0;
}

/* opens (or closes) a gap of entries at a position; within a change */
static void move_entries( size_t from, size_t to )
{
    struct region_entry *entries = region_index->entries;
    size_t i, count = region_index->count;

    if (to > from)
        for (i = count; i-- > from;)
        {
            store( &entries[i + to - from].base, entries[i].base );
            store( &entries[i + to - from].end, entries[i].end );
            store( &entries[i + to - from].region, entries[i].region );
        }
    else
        for (i = from; i < count; i++)
        {
            store( &entries[i + to - from].base, entries[i].base );
            store( &entries[i + to - from].end, entries[i].end );
            store( &entries[i + to - from].region, entries[i].region );
        }
    store( &region_index->count, count + to - from );
}

static void set_entry( size_t pos, struct watch_region *region )
{
    store( &region_index->entries[pos].base, region->base );
    store( &region_index->entries[pos].end, region->end );
    store( &region_index->entries[pos].region, region );
}

/***********************************************************************
 *           region_insert_as
 *
 * Adds a region. Older regions in its place must have been removed. Returns NULL if there is no
 * memory.
 */
struct watch_region *region_insert_as( uintptr_t start, uintptr_t end,
                                       const struct watch_backend *backend,
                                       enum memory_kind kind, unsigned int shift )
{
    struct watch_region *region;
    size_t pos;

    if (reserve_entries( 1 )) return NULL;
    if (!(region = alloc_region( start, end, backend, kind, shift ))) return NULL;

    pos = find_entry( region_index, region_index->count, start );
    begin_change();
    move_entries( pos, pos + 1 );
    set_entry( pos, region );
    end_change();
    region_set_state( region, REGION_OPEN );
    return region;
}

void region_lose( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;
    struct region_entry entry;

    for (; start < end; start = entry.end)
    {
        entry = read_entry( start, 1 );
        if (!entry.region) return;
        if (entry.base < end)
            __atomic_fetch_or( &entry.region->lost, LOST_MEMORY, __ATOMIC_SEQ_CST );
        region = entry.region;
        region_put( region );
        /* it may have been split meanwhile, before the parts that are left were flagged */
        if (entry.base < end && read_entry( start, 0 ).region != region) entry.end = start;
    }
}

/* region_insert_as() for fresh memory */
struct watch_region *region_insert( uintptr_t start, uintptr_t end,
                                    const struct watch_backend *backend )
{
    return region_insert_as( start, end, backend, REGION_FRESH, page_shift );
}

/***********************************************************************
 *           region_remove
 *
 * Takes [start, end) out of the index; what is left of a region on either side becomes a region of
 * its own (row 37). No query looks at these pages any more when this returns. On failure (no
 * memory) nothing has changed.
 */
int region_remove( uintptr_t start, uintptr_t end )
{
    struct watch_region *left = NULL, *right = NULL, *retired = NULL, *region;
    size_t first, last, i;
    int ret;

    if (!region_index) return 0;
    first = find_entry( region_index, region_index->count, start );
    for (last = first; last < region_index->count; last++)
        if (region_index->entries[last].base >= end) break;
    if (first == last) return 0;

    if ((ret = reserve_entries( 2 ))) return ret;
    region = region_index->entries[first].region;
    if (region->base < start && !(left = split_region( region, region->base, start )))
        return -ENOMEM;
    region = region_index->entries[last - 1].region;
    if (region->end > end && !(right = split_region( region, end, region->end )))
    {
        if (left) free_region( left );
        return -ENOMEM;
    }

    for (i = first; i < last; i++) region_set_state( region_index->entries[i].region, REGION_GONE );
    if (left) move_marks( region_index->entries[first].region, left );
    if (right) move_marks( region_index->entries[last - 1].region, right );
    for (i = first; i < last; i++)
    {
        region = region_index->entries[i].region;
        region->next = retired;
        retired = region;
    }

    begin_change();
    move_entries( last, first + !!left + !!right );
    if (left) set_entry( first, left );
    if (right) set_entry( first + !!left, right );
    end_change();
    /* what region_lose() has flagged since the old ones were split */
    for (region = retired; region; region = region->next)
    {
        unsigned int lost = __atomic_load_n( &region->lost, __ATOMIC_SEQ_CST );

        if (left && left->base < region->end && region->base < left->end)
            __atomic_fetch_or( &left->lost, lost, __ATOMIC_SEQ_CST );
        if (right && right->base < region->end && region->base < right->end)
            __atomic_fetch_or( &right->lost, lost, __ATOMIC_SEQ_CST );
    }
    if (left) region_set_state( left, REGION_OPEN );
    if (right) region_set_state( right, REGION_OPEN );

    while ((region = retired))
    {
        retired = region->next;
        free_region( region );
    }
    return 0;
}

/***********************************************************************
 *           region_first
 *
 * The first region with a page in [start, end), or NULL. Valid while the change lock is held.
 */
struct watch_region *region_first( uintptr_t start, uintptr_t end )
{
    size_t pos;

    if (!region_index) return NULL;
    pos = find_entry( region_index, region_index->count, start );
    if (pos == region_index->count || region_index->entries[pos].base >= end) return NULL;
    return region_index->entries[pos].region;
}

int region_uses_memory( uintptr_t start, uintptr_t end )
{
    size_t i;

    if (free_region_is_within( start, end )) return 1;
    if (!region_index) return 0;
    if (overlaps( start, end, region_index, sizeof(*region_index) +
                  region_index->capacity * sizeof(region_index->entries[0]) )) return 1;
    for (i = 0; i < region_index->count; i++)
        if (region_is_within( region_index->entries[i].region, start, end )) return 1;
    return 0;
}

void regions_without_steps(void)
{
    size_t i;

    for (i = 0; region_index && i < region_index->count; i++)
        region_without_steps( region_index->entries[i].region );
    free_regions_without_steps();
}
