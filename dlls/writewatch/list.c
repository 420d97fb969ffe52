/*
 * Listing pages of watched memory by category
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <unistd.h>

#include "writewatch.h"

#include "engine/step.h"
#include "native/process.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/pagemap.h"

#define ALL_CATEGORIES (WRITEWATCH_WRITTEN | WRITEWATCH_FILE | WRITEWATCH_PRESENT | \
                        WRITEWATCH_SWAPPED | WRITEWATCH_ZERO | WRITEWATCH_HUGE)

_Static_assert( WRITEWATCH_WRITTEN == PAGE_IS_WRITTEN && WRITEWATCH_FILE == PAGE_IS_FILE &&
                WRITEWATCH_PRESENT == PAGE_IS_PRESENT && WRITEWATCH_SWAPPED == PAGE_IS_SWAPPED &&
                WRITEWATCH_ZERO == PAGE_IS_PFNZERO && WRITEWATCH_HUGE == PAGE_IS_HUGE,
                "the kernel's values" );

/* runs that are looked at in one step, and ranges that can be made of them */
#define MAX_LIST_RUNS 64
#define MAX_RANGES    128

/* how much is looked at in one step: the kernel holds the lock of the address space meanwhile */
#define MAX_STEP_SIZE ((size_t)1 << 30)

struct listing
{
    struct watch_query             query;
    struct writewatch_filter       filter;    /* a copy: steps touch no memory of the program */
    int                            pagemap;   /* -1 until it is needed */
    uintptr_t                      pos;       /* where to go on */
    size_t                         pages;     /* that may still be listed, of the granularity */
    size_t                         len;       /* ranges there is room for in this step */
    size_t                         count;     /* ranges found in this step */
    int                            full;
    struct writewatch_range        ranges[MAX_RANGES];
};

/* whether pages of some categories are asked for */
static int passes( const struct listing *list, uint64_t categories )
{
    const struct writewatch_filter *filter = &list->filter;

    return (categories & filter->required) == filter->required &&
           (!filter->any || categories & filter->any) && !(categories & filter->excluded);
}

/***********************************************************************
 *           add_range
 *
 * Adds [start, end), which follows on what was looked at, if it is asked for. Returns 0 if there is
 * no room; there is always room for as many pages.
 */
static int add_range( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories )
{
    struct writewatch_range *last = list->count ? &list->ranges[list->count - 1] : NULL;

    if (start == end) return 1;
    if (passes( list, categories ))
    {
        categories &= list->filter.returned;
        if (last && last->end == start && last->categories == categories) last->end = end;
        else if (list->count == list->len)
        {
            list->full = 1;
            return 0;
        }
        else
        {
            last = &list->ranges[list->count++];
            last->start      = start;
            last->end        = end;
            last->categories = categories;
        }
        list->pages -= (end - start) >> list->query.shift;
        if (!list->pages) list->full = 1;
    }
    list->pos = end;
    return 1;
}

/***********************************************************************
 *           take_scanned
 *
 * Makes pages not written that were found written by the backend a moment ago, and lists them.
 * Another thread may have taken some meanwhile; these are listed only if they are asked for as they
 * are now.
 */
static int take_scanned( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories )
{
    struct watch_region *region = list->query.region;
    struct page_run run;
    uintptr_t next;
    int count;

    while (start < end && !list->full)
    {
        count = region->backend->scan( region, start, end, SCAN_RESET, &run, 1,
                                       (end - start) >> page_shift, &next );
        if (count < 0)
        {
            watch_mark_written( &list->query, start, end );
            return count;
        }
        if (!count) run.start = run.end = next;
        if (!add_range( list, start, run.start, categories & ~WRITEWATCH_WRITTEN ) || list->full ||
            !add_range( list, run.start, run.end, categories ))
        {
            if (count) watch_mark_written( &list->query, run.start, run.end );
            return 0;
        }
        start = run.end;
    }
    return 0;
}

/***********************************************************************
 *           take_marked
 *
 * The same for pages in one group of the bitmap.
 */
static int take_marked( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories )
{
    unsigned int shift = list->query.shift;
    uintptr_t pos, next;
    uint64_t bits;
    int err;

    bits = watch_take_marked( &list->query, start, end, &err );
    if (err) return err;
    for (pos = start; pos < end; pos = next)
    {
        uint64_t bit = bits >> ((pos - start) >> shift) & 1;

        next = pos + ((uintptr_t)1 << shift);
        if (!list->full &&
            add_range( list, pos, next, bit ? categories : categories & ~WRITEWATCH_WRITTEN ))
            continue;
        if (bit) watch_mark_written( &list->query, pos, next );
    }
    return 0;
}

/***********************************************************************
 *           add_run
 *
 * Lists pages of some categories, of which a bitmap was or was not to be looked at.
 */
static int add_run( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories,
                    int marked )
{
    unsigned int shift = list->query.shift;
    uintptr_t last;
    int ret;

    if (!passes( list, categories ))
    {
        list->pos = end;
        return 0;
    }
    for (; start < end && !list->full; start = last)
    {
        last = start + (min( (end - start) >> shift, list->pages ) << shift);
        if (!list->filter.reset || !(categories & WRITEWATCH_WRITTEN))
            add_range( list, start, last, categories );
        else if ((ret = marked ? take_marked( list, start, last, categories )
                               : take_scanned( list, start, last, categories )))
            return ret;
    }
    return 0;
}

/***********************************************************************
 *           read_pagemap
 *
 * The categories of pages by way of /proc/self/pagemap. It shows a marker of userfaultfd as a page
 * that was swapped out.
 */
static int read_pagemap( struct listing *list, uintptr_t start, uintptr_t end,
                         struct page_run *runs, size_t len, uintptr_t *next )
{
    uint64_t entries[512];
    int i, ret, pages, count = 0;

    if (list->pagemap == -1 && (ret = pagemap_open( &list->pagemap, NULL )) < 0) return ret;
    pages = min( (end - start) >> page_shift, 512 );
    if ((pages = pagemap_read( list->pagemap, start, pages, entries )) < 0) return pages;

    for (i = 0; i < pages; i++, start += page_size())
    {
        uint64_t categories = 0;

        if (entries[i] & PM_PRESENT) categories |= WRITEWATCH_PRESENT;
        else if (entries[i] & PM_SWAP && !(entries[i] & PM_UFFD_WP))
            categories |= WRITEWATCH_SWAPPED;
        if (entries[i] & PM_FILE) categories |= WRITEWATCH_FILE;

        if (count && runs[count - 1].categories == categories) runs[count - 1].end += page_size();
        else if (count == (int)len) break;
        else
        {
            runs[count].start      = start;
            runs[count].end        = start + page_size();
            runs[count].categories = categories;
            count++;
        }
    }
    *next = start;
    return count;
}

/* what the backend knows of pages, the bitmap aside */
static int read_categories( struct listing *list, uintptr_t start, uintptr_t end, int marked,
                            struct page_run *runs, size_t len, uintptr_t *next )
{
    struct watch_region *region = list->query.region;
    uint64_t required = list->filter.required;

    if (!region->backend->list) return read_pagemap( list, start, end, runs, len, next );
    if (marked) required &= ~WRITEWATCH_WRITTEN;
    return region->backend->list( region, start, end, required, runs, len, next );
}

/***********************************************************************
 *           list_marked
 *
 * Lists pages of a group of the bitmap in which there are marks. In a step.
 */
static int list_marked( struct listing *list, struct saved_pages *saved, uintptr_t end )
{
    uintptr_t granule = (uintptr_t)1 << list->query.shift;
    uintptr_t start = list->pos, pos, last, next;
    struct page_run runs[MAX_LIST_RUNS];
    uint64_t bits;
    int i, count, ret;

    end = min( end, saved_group_end( saved, start ));
    bits = saved_peek( saved, start, end );
    while (list->pos < end && !list->full)
    {
        if ((count = read_categories( list, list->pos, end, 1, runs, MAX_LIST_RUNS, &next )) < 0)
            return count;
        for (i = 0; i < count && !list->full; i++)
            for (pos = runs[i].start; pos < runs[i].end && !list->full; pos = last)
            {
                uint64_t bit = bits >> ((pos - start) / granule) & 1;

                for (last = pos + granule; last < runs[i].end; last += granule)
                    if ((bits >> ((last - start) / granule) & 1) != bit) break;
                ret = add_run( list, pos, last,
                               runs[i].categories | (bit ? WRITEWATCH_WRITTEN : 0), 1 );
                if (ret) return ret;
            }
        if (!list->full) list->pos = next;
    }
    return 0;
}

/***********************************************************************
 *           list_scanned
 *
 * Lists pages without marks. When written pages and nothing else are asked for, finding and taking
 * them is one call. In a step.
 */
static int list_scanned( struct listing *list, uintptr_t end )
{
    const struct writewatch_filter *filter = &list->filter;
    struct watch_region *region = list->query.region;
    struct page_run runs[MAX_LIST_RUNS];
    int i, count, ret, taken = 0;
    uintptr_t next;

    if (region->backend->scan && filter->required == WRITEWATCH_WRITTEN && !filter->any &&
        !filter->excluded && !(filter->returned & ~WRITEWATCH_WRITTEN))
    {
        size_t len = min( list->len, MAX_LIST_RUNS ), pages = min( list->pages, (size_t)16384 );

        count = region->backend->scan( region, list->pos, end, filter->reset ? SCAN_RESET : 0, runs,
                                       len, pages << (region->shift - page_shift), &next );
        if (count < 0 && filter->reset) watch_mark_written( &list->query, list->pos, end );
        taken = 1;
    }
    else count = read_categories( list, list->pos, end, 0, runs, MAX_LIST_RUNS, &next );
    if (count < 0) return count;

    for (i = 0; i < count && !list->full; i++)
    {
        if (taken) add_range( list, runs[i].start, runs[i].end, WRITEWATCH_WRITTEN );
        else if ((ret = add_run( list, runs[i].start, runs[i].end, runs[i].categories, 0 )))
            return ret;
    }
    if (!list->full) list->pos = next;
    return 0;
}

/***********************************************************************
 *           list_step
 */
static int list_step( struct listing *list )
{
    uintptr_t end = list->pos + min( list->query.end - list->pos, MAX_STEP_SIZE ), limit = end;
    struct watch_region *region;
    struct saved_pages *saved;
    int ret;

    if ((ret = watch_enter( &list->query ))) return ret;
    region = list->query.region;
    saved = __atomic_load_n( &region->saved, __ATOMIC_ACQUIRE );
    if (saved && __atomic_load_n( &saved->count, __ATOMIC_SEQ_CST ))
        limit = saved_next( saved, list->pos, end );
    if (__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST )) ret = -ENOMEM;
    else if (limit == list->pos) ret = list_marked( list, saved, end );
    else ret = list_scanned( list, limit );
    watch_leave( &list->query );
    return ret;
}

/* hands over what was found in a step; the first range may go on the last one */
static size_t store_ranges( struct listing *list, struct writewatch_range *ranges, size_t count )
{
    size_t i = 0;

    if (count && list->count && ranges[count - 1].end == list->ranges[0].start &&
        ranges[count - 1].categories == list->ranges[0].categories)
        ranges[count - 1].end = list->ranges[i++].end;
    for (; i < list->count; i++) ranges[count++] = list->ranges[i];
    return count;
}

/***********************************************************************
 *           writewatch_list
 *
 * Bytes and addresses; the range is rounded to the granularity and lies in one watched region.
 * Limits count pages of the granularity. A list is a picture of one moment for each page, not for
 * all of them. With reset each page that is listed as written becomes not written in one step with
 * its being looked at; a page is never given to two callers for one write. By any thread, no lock.
 * Written state that was kept over a decommit counts.
 *
 * Where memory had pages when it was watched, or is of a file, SWAPPED is told of written pages
 * only.
 *
 * On failure nothing that was listed before is lost: it is written again. Errors: -EINVAL (no page,
 * or a category that does not exist), -ENOENT (not watched), -EOPNOTSUPP (ZERO or HUGE with a
 * backend other than scan), -EFAULT (a part is not mapped), -ENOMEM, -EIO.
 */
ssize_t writewatch_list( const void *addr, size_t size, const struct writewatch_filter *filter,
                         struct writewatch_range *ranges, size_t count, const void **next )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;
    uint64_t asked = filter->required | filter->any | filter->excluded | filter->returned;
    struct listing list;
    size_t i, stored = 0;
    int ret = 0;

    library_init();
    if (!size || end < start || !count || asked & ~(uint64_t)ALL_CATEGORIES) return -EINVAL;
    if ((end = round_up( end )) <= (start = round_down( start ))) return -EINVAL;
    if ((ret = watch_begin( &list.query, start, end ))) return ret;

    list.filter  = *filter;
    list.pagemap = -1;
    list.pos     = list.query.start;
    list.pages   = filter->max_pages ? filter->max_pages : ~(size_t)0;
    list.full    = 0;
    if (!list.query.region->backend->list && asked & (WRITEWATCH_ZERO | WRITEWATCH_HUGE))
        ret = -EOPNOTSUPP;
    else ret = check_query( &list.query );

    while (!ret && list.pos < list.query.end && list.pages && stored < count)
    {
        list.count = 0;
        list.full  = 0;
        list.len   = min( count - stored, MAX_RANGES );
        ret = list_step( &list );
        stored = store_ranges( &list, ranges, stored );
    }
    for (i = 0; ret && list.filter.reset && i < stored; i++)
        put_back( &list.query, ranges[i].start, ranges[i].end );
    if (list.pagemap != -1) close( list.pagemap );
    if (ret) return ret;
    if (next) *next = (void *)list.pos;
    return stored;
}
