/*
 * What was done, counted for people
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stddef.h>

#include "engine/counters.h"
#include "engine/region.h"

static struct watch_counters *watch_counters;

#define load( ptr )         __atomic_load_n( ptr, __ATOMIC_RELAXED )
#define store( ptr, value ) __atomic_store_n( ptr, value, __ATOMIC_RELAXED )
#define add( ptr, value )   __atomic_fetch_add( ptr, value, __ATOMIC_RELAXED )
#define take( ptr )         __atomic_exchange_n( ptr, 0, __ATOMIC_RELAXED )

void count_in( struct watch_counters *counters )
{
    store( &watch_counters, counters );
}

static void add_counters( struct region_counters *total, const struct region_counters *counters )
{
    total->polls       += load( &counters->polls );
    total->reset_polls += load( &counters->reset_polls );
    total->resets      += load( &counters->resets );
    total->pages       += load( &counters->pages );
    total->reset_pages += load( &counters->reset_pages );
}

void counters_total( const struct watch_counters *counters, struct region_counters *total )
{
    size_t i, count = load( &counters->slot_count );

    *total = (struct region_counters){ 0 };
    add_counters( total, &counters->others );
    for (i = 0; i < count; i++) add_counters( total, &counters->slots[i] );
}

/* a slot without a region, or the one of those that have none */
static struct region_counters *find_slot( struct watch_counters *counters )
{
    size_t i;

    for (i = 0; i < counters->slot_count; i++)
        if (!load( &counters->slots[i].base )) return &counters->slots[i];
    return &counters->others;
}

void counters_begin( struct watch_region *region )
{
    struct watch_counters *counters = load( &watch_counters );
    struct region_counters *slot = NULL;
    uint64_t size = region->end - region->base, bytes;

    if (counters)
    {
        slot = find_slot( counters );
        add( &counters->regions_ever, 1 );
        add( &counters->regions, 1 );
        bytes = add( &counters->bytes, size ) + size;
        if (bytes > load( &counters->most_bytes )) store( &counters->most_bytes, bytes );
    }
    if (slot && slot != &counters->others)
    {
        store( &slot->size, size );
        store( &slot->shift, region->shift );
        /* last: a reader takes the slot for a region from here on */
        __atomic_store_n( &slot->base, region->base, __ATOMIC_RELEASE );
    }
    store( &region->counters, slot );
}

/***********************************************************************
 *           counters_end
 *
 * What was counted goes to the others. A query that is late counts in a slot that may be another
 * region's by then; the totals stay right.
 */
void counters_end( struct watch_region *region )
{
    struct watch_counters *counters = load( &watch_counters );
    struct region_counters *slot = region->counters;

    if (!slot) return;
    store( &region->counters, NULL );
    add( &counters->regions, -1 );
    add( &counters->bytes, -(uint64_t)(region->end - region->base) );
    if (slot == &counters->others) return;
    add( &counters->others.polls, take( &slot->polls ));
    add( &counters->others.reset_polls, take( &slot->reset_polls ));
    add( &counters->others.resets, take( &slot->resets ));
    add( &counters->others.pages, take( &slot->pages ));
    add( &counters->others.reset_pages, take( &slot->reset_pages ));
    store( &slot->base, 0 );
}
