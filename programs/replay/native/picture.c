/*
 * Puts what a record says into bins of time and address
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "picture.h"

uint64_t first_page( const struct front *front, const struct op *op )
{
    return op->offset / front->process->page_size;
}

static unsigned int column_of( const struct picture *picture, uint64_t time )
{
    return (time - picture->start) * COLUMNS / (picture->end - picture->start + 1);
}

/* all polls, those of unknown memory as well */
static void bin_times( struct picture *picture, const struct process *process )
{
    size_t i;

    picture->start = picture->end = process->count ? process->events[0].time : 0;
    for (i = 0; i < process->count; i++)
    {
        uint64_t time = process->events[i].time;

        if (time < picture->start) picture->start = time;
        if (time > picture->end) picture->end = time;
    }
    for (i = 0; i < process->count; i++)
    {
        const struct event *event = &process->events[i];

        if (event->kind != EVENT_POLL) continue;
        picture->polls[column_of( picture, event->time )]++;
        picture->pages[column_of( picture, event->time )] += event->count;
    }
}

static const struct event *event_of( const struct front *front, const struct op *op )
{
    return &front->process->events[op->event];
}

/* the pages that the polls of each allocation reported */
static uint64_t *count_by_alloc( const struct front *front )
{
    const struct plan *plan = &front->plan;
    uint64_t *ret = calloc( (size_t)plan->alloc_count + 1, sizeof(*ret) );
    size_t i;

    for (i = 0; ret && i < plan->count; i++)
        if (plan->ops[i].kind == OP_POLL)
            ret[plan->ops[i].alloc] += event_of( front, &plan->ops[i] )->count;
    return ret;
}

/* takes the regions with most pages, in the order of their allocation; the others are counted */
static void choose_regions( struct picture *picture, const struct front *front, uint64_t *pages )
{
    unsigned int alloc, i, least;

    for (alloc = 0; alloc < front->plan.alloc_count; alloc++)
    {
        if (!pages[alloc]) continue;
        if (picture->heat_count < REGIONS)
        {
            picture->heats[picture->heat_count].alloc = alloc;
            picture->heats[picture->heat_count++].pages = pages[alloc];
            continue;
        }
        for (least = 0, i = 1; i < REGIONS; i++)
            if (picture->heats[i].pages < picture->heats[least].pages) least = i;
        picture->other_regions++;
        if (picture->heats[least].pages >= pages[alloc])
        {
            picture->other_pages += pages[alloc];
            continue;
        }
        picture->other_pages += picture->heats[least].pages;
        for (i = least; i < REGIONS - 1; i++)
        {
            picture->heats[i].alloc = picture->heats[i + 1].alloc;
            picture->heats[i].pages = picture->heats[i + 1].pages;
        }
        picture->heats[i].alloc = alloc;
        picture->heats[i].pages = pages[alloc];
    }
}

/* adds a run of pages to the rows that it touches */
static void add_span( struct heat *heat, unsigned int column, uint64_t total, uint64_t first,
                      uint64_t end )
{
    while (first < end)
    {
        unsigned int row = first * heat->rows / total;
        uint64_t next = ((uint64_t)(row + 1) * total + heat->rows - 1) / heat->rows;

        if (next > end) next = end;
        heat->cells[row][column] += next - first;
        first = next;
    }
}

static void fill_heat( struct picture *picture, const struct front *front, struct heat *heat )
{
    uint64_t total = front->plan.allocs[heat->alloc].size / front->process->page_size;
    size_t i, j;

    heat->rows = total < ROWS ? total : ROWS;
    for (i = 0; i < front->plan.count; i++)
    {
        const struct op *op = &front->plan.ops[i];
        const struct event *event = event_of( front, op );
        const struct page_span *span = front->process->spans + event->span;
        uint64_t start = first_page( front, op );

        if (op->kind != OP_POLL || op->alloc != heat->alloc) continue;
        heat->polls++;
        for (j = 0; j < event->spans; j++, span++)
            add_span( heat, column_of( picture, event->time ), total, start + span->first,
                      start + span->last + 1 );
    }
}

struct picture *make_picture( const struct front *front )
{
    struct picture *picture = calloc( 1, sizeof(*picture) );
    uint64_t *pages = count_by_alloc( front );
    unsigned int i;

    if (!picture || !pages || find_hot_ranges( picture, front ))
    {
        free( picture );
        free( pages );
        return NULL;
    }
    bin_times( picture, front->process );
    choose_regions( picture, front, pages );
    for (i = 0; i < picture->heat_count; i++) fill_heat( picture, front, &picture->heats[i] );
    free( pages );
    return picture;
}
