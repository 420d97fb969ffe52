/*
 * Finds the pages that were reported most often
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "picture.h"

/* Where a run of reported pages begins or ends. */
struct edge
{
    unsigned int alloc;
    uint64_t     page;
    int          step;     /* 1 or -1 */
};

static int compare_edges( const void *a, const void *b )
{
    const struct edge *left = a, *right = b;

    if (left->alloc != right->alloc) return left->alloc < right->alloc ? -1 : 1;
    return left->page < right->page ? -1 : left->page > right->page;
}

static size_t collect_edges( const struct front *front, struct edge *edges )
{
    size_t i, j, count = 0;

    for (i = 0; i < front->plan.count; i++)
    {
        const struct op *op = &front->plan.ops[i];
        const struct event *event = &front->process->events[op->event];
        const struct page_span *span = front->process->spans + event->span;
        uint64_t start = first_page( front, op );

        if (op->kind != OP_POLL) continue;
        for (j = 0; j < event->spans; j++, span++)
        {
            edges[count++] = (struct edge){ op->alloc, start + span->first, 1 };
            edges[count++] = (struct edge){ op->alloc, start + span->last + 1, -1 };
        }
    }
    return count;
}

static int is_hotter( const struct hot_range *left, const struct hot_range *right )
{
    if (left->times != right->times) return left->times > right->times;
    return left->end - left->first > right->end - right->first;
}

/* the list stays in order, the hottest first */
static void add_range( struct picture *picture, const struct hot_range *range )
{
    unsigned int i = picture->hot_count;

    if (i < HOT_RANGES) picture->hot_count++;
    else if (!is_hotter( range, &picture->hot[--i] )) return;
    for (; i && is_hotter( range, &picture->hot[i - 1] ); i--)
        picture->hot[i] = picture->hot[i - 1];
    picture->hot[i] = *range;
}

int find_hot_ranges( struct picture *picture, const struct front *front )
{
    struct edge *edges = calloc( 2 * front->process->span_count + 1, sizeof(*edges) );
    struct hot_range range = { 0 };
    uint64_t times = 0;
    size_t i, count;

    if (!edges) return -1;
    count = collect_edges( front, edges );
    qsort( edges, count, sizeof(*edges), compare_edges );
    for (i = 0; i < count; range.end = i < count ? edges[i].page : 0)
    {
        unsigned int alloc = edges[i].alloc;
        uint64_t page = edges[i].page, before = range.times;

        for (; i < count && edges[i].alloc == alloc && edges[i].page == page; i++)
            times += edges[i].step;
        /* where as many runs end as begin, nothing is divided */
        if (times == before) continue;
        if (before) add_range( picture, &range );
        range = (struct hot_range){ .alloc = alloc, .first = page, .times = times };
    }
    free( edges );
    return 0;
}
