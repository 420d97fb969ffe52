/*
 * Lists of pages by category, in any number of regions
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <unistd.h>

#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/step.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "track/listing.h"

/* copies out what a step has found; the first range may continue the last one */
static size_t store_ranges( struct listing *list, struct page_run *ranges, size_t count )
{
    size_t i = 0;

    if (count && list->count && ranges[count - 1].end == list->ranges[0].start &&
        ranges[count - 1].categories == list->ranges[0].categories)
        ranges[count - 1].end = list->ranges[i++].end;
    for (; i < list->count; i++) ranges[count++] = list->ranges[i];
    return count;
}

/* whether the backend knows the categories that the pagemap does not show */
static int knows_all( const struct watch_region *region )
{
    return !!(region->backend->capabilities( region, 0 ) & CAN_LIST_ZERO);
}

/***********************************************************************
 *           list_region
 *
 * Lists pages of one region, after what ranges has already; list->pos is where it ends. The region
 * may become another one meanwhile, or go: that is -ENOENT.
 */
static int list_region( struct listing *list, uintptr_t end, struct page_run *ranges, size_t count,
                        size_t *stored )
{
    uint64_t asked = list->filter.required | list->filter.any | list->filter.excluded |
                     list->filter.returned;
    int ret;

    if ((ret = watch_begin( &list->query, list->pos, end ))) return ret;
    if (asked & (PAGE_IS_PFNZERO | PAGE_IS_HUGE) && !knows_all( list->query.region ))
        return -EOPNOTSUPP;
    if ((ret = check_query( &list->query ))) return ret;
    list->shift = list->filter.source ? page_shift : list->query.shift;
    list->end   = list->filter.source ? end : list->query.end;
    if (!list->filter.source) list->pos = list->query.start;
    while (!ret && list->pos < list->end && list->pages && *stored < count)
    {
        list->count = 0;
        list->full  = 0;
        list->len   = min( count - *stored, MAX_RANGES );
        ret = list_step( list );
        *stored = store_ranges( list, ranges, *stored );
    }
    return ret;
}

/* makes listed pages written again, in whatever regions they are */
static void put_back_ranges( const struct list_source *source, const struct page_run *ranges,
                             size_t count )
{
    struct watch_query query;
    uintptr_t start, end;
    size_t i;

    for (i = 0; source && i < count; i++)
        marks_set( source->marks, ranges[i].start, ranges[i].end );
    for (i = 0; !source && i < count; i++)
        for (start = ranges[i].start, end = ranges[i].end; region_next( &start, &end );
             start = end, end = ranges[i].end)
            if (!watch_begin( &query, start, end )) put_back( &query, start, end );
}

/***********************************************************************
 *           watch_list
 *
 * Where a region goes away or changes while it is listed, the rest of it is looked up anew if the
 * caller wants what is watched, whatever that is.
 */
ssize_t watch_list( uintptr_t start, uintptr_t end, const struct list_filter *filter,
                    struct page_run *ranges, size_t count, uintptr_t *next )
{
    uintptr_t first, last;
    struct listing list;
    size_t stored = 0;
    int ret = 0;

    list.filter  = *filter;
    list.pagemap = -1;
    list.pos     = start;
    list.pages   = filter->max_pages ? filter->max_pages : ~(size_t)0;
    while (!ret && list.pos < end && list.pages && stored < count)
    {
        first = list.pos;
        last  = end;
        if (fork_is_unhandled()) ret = -EIO;
        else if (!region_next( &first, &last ))
        {
            if (filter->across) list.pos = end;
            else ret = -ENOENT;
        }
        else if (first > list.pos && !filter->across) ret = -ENOENT;
        else
        {
            list.pos = first;
            ret = list_region( &list, last, ranges, count, &stored );
            if (ret == -ENOENT && filter->across) ret = 0;
        }
    }
    if (ret && filter->reset) put_back_ranges( filter->source, ranges, stored );
    if (list.pagemap != -1) close( list.pagemap );
    leave_uninterrupted_code();
    if (ret) return ret;
    *next = list.pos;
    return stored;
}
