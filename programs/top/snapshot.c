/*
 * What is shown of a process at one moment
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

_Static_assert( sizeof(CLASS_LETTERS) == CLASS_COUNT + 1, "a letter for each class" );

void snapshot_free( struct snapshot *snapshot )
{
    size_t i;

    for (i = 0; i < snapshot->count; i++) free( snapshot->views[i].runs );
    free( snapshot->views );
    *snapshot = (struct snapshot){ 0 };
}

int view_add( struct region_view *view, uint64_t count, enum page_class class )
{
    struct page_run *grown;
    size_t room;

    if (!count) return 0;
    if (view->run_count && view->runs[view->run_count - 1].class == class)
    {
        view->runs[view->run_count - 1].count += count;
        return 0;
    }
    if (view->run_count == view->room)
    {
        room = view->room ? view->room * 2 : 16;
        if (!(grown = realloc( view->runs, room * sizeof(*grown) ))) return -ENOMEM;
        view->runs = grown;
        view->room = room;
    }
    view->runs[view->run_count++] = (struct page_run){ .count = count, .class = class };
    return 0;
}

uint64_t view_pages( const struct region_view *view, const struct process_view *process )
{
    return view->counters.size / process->page_size;
}

void view_count( const struct region_view *view, uint64_t counts[CLASS_COUNT] )
{
    size_t i;

    memset( counts, 0, CLASS_COUNT * sizeof(*counts) );
    for (i = 0; i < view->run_count; i++) counts[view->runs[i].class] += view->runs[i].count;
}

void view_cells( const struct region_view *view, struct page_range range, unsigned int cells,
                 uint8_t *classes )
{
    uint64_t run_end = 0, start, end;
    unsigned int cell;
    size_t run = 0;

    for (cell = 0; cell < cells; cell++)
    {
        classes[cell] = CLASS_UNTOUCHED;
        start = range.first + cell * range.count / cells;
        end   = range.first + (cell + 1) * range.count / cells;
        if (end <= start) end = start + 1;
        /* run is the one behind run_end */
        while (run < view->run_count && run_end + view->runs[run].count <= start)
            run_end += view->runs[run++].count;
        for (;;)
        {
            if (run >= view->run_count) break;
            if (view->runs[run].class > classes[cell]) classes[cell] = view->runs[run].class;
            if (run_end + view->runs[run].count >= end) break;
            run_end += view->runs[run++].count;
        }
    }
}

const struct region_view *snapshot_find( const struct snapshot *snapshot,
                                         const struct region_counters *counters )
{
    size_t low = 0, high = snapshot->count, middle;

    while (low < high)
    {
        middle = (low + high) / 2;
        if (snapshot->views[middle].counters.base < counters->base) low = middle + 1;
        else high = middle;
    }
    if (low == snapshot->count || snapshot->views[low].counters.base != counters->base ||
        snapshot->views[low].counters.size != counters->size) return NULL;
    return &snapshot->views[low];
}

/* Counts that went down are those of another region at the same place. */
struct rates rates_between( const struct region_counters *old, const struct region_counters *new,
                            double seconds )
{
    uint64_t old_polls = old->polls + old->reset_polls, new_polls = new->polls + new->reset_polls;
    uint64_t old_pages = old->pages + old->reset_pages, new_pages = new->pages + new->reset_pages;
    struct rates rates = { 0 };

    if (seconds <= 0 || new_polls < old_polls || new_pages < old_pages) return rates;
    rates.are_known = 1;
    rates.polls = (new_polls - old_polls) / seconds;
    rates.pages = (new_pages - old_pages) / seconds;
    if (new_polls != old_polls)
        rates.a_poll = (double)(new_pages - old_pages) / (new_polls - old_polls);
    return rates;
}

struct rates view_rates( const struct snapshot *old, const struct snapshot *new,
                         const struct region_view *view )
{
    const struct region_view *before = old ? snapshot_find( old, &view->counters ) : NULL;
    static const struct rates unknown;

    return before ? rates_between( &before->counters, &view->counters, new->time - old->time )
                  : unknown;
}

void class_text( enum page_class class, double interval, char *text, size_t size )
{
    switch (class)
    {
    case CLASS_UNTOUCHED: snprintf( text, size, "untouched" ); break;
    case CLASS_CLEAN:     snprintf( text, size, "clean" ); break;
    case CLASS_SWAPPED:   snprintf( text, size, "swapped" ); break;
    case CLASS_UNWATCHED: snprintf( text, size, "unwatched" ); break;
    case CLASS_COOL:      snprintf( text, size, "<%gs", interval * COOL_INTERVALS ); break;
    case CLASS_WARM:      snprintf( text, size, "<%gs", interval * WARM_INTERVALS ); break;
    case CLASS_HELD:      snprintf( text, size, "not reset" ); break;
    case CLASS_HOT:       snprintf( text, size, "<%gs", interval ); break;
    case CLASS_WRITTEN:   snprintf( text, size, "just written" ); break;
    case CLASS_COUNT:     break;
    }
}

void size_text( uint64_t size, char *text, size_t room )
{
    static const char units[] = "KMGTPE";
    double value = size / 1024.0;
    unsigned int unit = 0;

    while (value >= 1024 && units[unit + 1])
    {
        value /= 1024;
        unit++;
    }
    snprintf( text, room, "%.*f %ciB", value < 100 && unit ? 1 : 0, value, units[unit] );
}
