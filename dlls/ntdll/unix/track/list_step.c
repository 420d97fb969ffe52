/*
 * Lists of pages by category: one step
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "engine/step.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/pagemap.h"
#include "sys/raw_syscall.h"
#include "track/listing.h"

/* runs that are read in one step */
#define MAX_LIST_RUNS 64

/* pages that are found and reset in one step */
#define MAX_LIST_PAGES ((size_t)16384)

/* how much one step covers: the kernel holds mmap_lock meanwhile */
#define MAX_STEP_SIZE ((size_t)1 << 30)

/* whether pages of these categories are requested */
static int passes( const struct listing *list, uint64_t categories )
{
    const struct list_filter *filter = &list->filter;

    return (categories & filter->required) == filter->required &&
           (!filter->any || categories & filter->any) && !(categories & filter->excluded);
}

/***********************************************************************
 *           add_range
 *
 * Adds [start, end), which follows what was covered before, if it is requested. Returns 0 if there
 * is no room for a range; there is always room for as many pages.
 */
static int add_range( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories )
{
    struct page_run *last = list->count ? &list->ranges[list->count - 1] : NULL;

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
        list->pages -= (end - start) >> list->shift;
        if (!list->pages) list->full = 1;
    }
    list->pos = end;
    return 1;
}

/***********************************************************************
 *           take_scanned
 *
 * Resets pages that the backend found written a moment ago, and lists them. Another thread may have
 * reset some meanwhile; these are listed only if they are requested in their current state.
 */
static int take_scanned( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories )
{
    struct page_run run;
    struct page_scan scan = { .end = end, .flags = COLLECT_RESET, .runs = &run, .len = 1 };
    int count;

    while (start < end && !list->full)
    {
        scan.start     = start;
        scan.max_pages = (end - start) >> page_shift;
        count = ask_backend( &list->query, &scan );
        if (count < 0)
        {
            region_put_back( list->query.region, start, end );
            return count;
        }
        if (!count) run.start = run.end = scan.next;
        if (!add_range( list, start, run.start, categories & ~PAGE_IS_WRITTEN ) || list->full ||
            !add_range( list, run.start, run.end, categories ))
        {
            if (count) region_put_back( list->query.region, run.start, run.end );
            return 0;
        }
        start = run.end;
    }
    return 0;
}

/***********************************************************************
 *           take_of_source
 *
 * Takes marks of a source, in one group of them, and arms these pages. Those that others know as
 * written stay so: a page that is both armed and marked does no harm. On failure *err is set, and
 * the marks are back.
 */
static uint64_t take_of_source( struct listing *list, uintptr_t start, uintptr_t end, int *err )
{
    struct watch_region *region = list->query.region;
    struct page_marks *marks = list->filter.source->marks;
    uintptr_t granule = (uintptr_t)1 << list->query.shift, first, last;
    uint64_t bits = marks_take( marks, start, end ), left = bits;

    *err = 0;
    while (left && region->backend->arm && !*err)
    {
        first = lowest_bit( left );
        last  = ~(left >> first) ? first + lowest_bit( ~(left >> first) ) : 64;
        left &= last < 64 ? ~0ull << last : 0;
        *err = arm_pages( region, (start + (first << list->shift)) & -granule,
                          (start + (last << list->shift) + granule - 1) & -granule );
    }
    for (left = *err ? bits : 0; left; left &= left - 1)
    {
        first = start + ((uintptr_t)lowest_bit( left ) << list->shift);
        marks_set( marks, first, first + page_size() );
    }
    return bits;
}

/* the same for pages in one group of the marks */
static int take_marked( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories )
{
    const struct list_source *source = list->filter.source;
    unsigned int shift = list->shift;
    uintptr_t pos, next;
    uint64_t bits;
    int err;

    bits = source ? take_of_source( list, start, end, &err )
                  : watch_take_marked( &list->query, start, end, &err );
    if (err) return err;
    for (pos = start; pos < end; pos = next)
    {
        uint64_t bit = bits >> ((pos - start) >> shift) & 1;

        next = pos + ((uintptr_t)1 << shift);
        if (!list->full &&
            add_range( list, pos, next, bit ? categories : categories & ~PAGE_IS_WRITTEN ))
            continue;
        if (bit && source) marks_set( source->marks, pos, next );
        else if (bit) region_put_back( list->query.region, pos, next );
    }
    return 0;
}

/* lists pages of some categories; marked says whether the marks count for them */
static int add_run( struct listing *list, uintptr_t start, uintptr_t end, uint64_t categories,
                    int marked )
{
    unsigned int shift = list->shift;
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
        if (!list->filter.reset || !(categories & PAGE_IS_WRITTEN))
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
 * Reads the categories of pages from /proc/self/pagemap. It shows a marker of userfaultfd as a
 * swapped-out page.
 */
static int read_pagemap( struct listing *list, struct page_scan *scan )
{
    uintptr_t start = scan->start;
    struct page_run *runs = scan->runs;
    uint64_t entries[512];
    int i, ret, pages, count = 0;

    if (list->pagemap == -1 && (ret = pagemap_open( &list->pagemap, NULL )) < 0) return ret;
    pages = min( (scan->end - start) >> page_shift, 512 );
    if ((pages = pagemap_read( list->pagemap, start, pages, entries )) < 0) return pages;

    for (i = 0; i < pages; i++, start += page_size())
    {
        uint64_t categories = pagemap_categories( entries[i] );

        if (count && runs[count - 1].categories == categories) runs[count - 1].end += page_size();
        else if (count == (int)scan->len) break;
        else
        {
            runs[count].start      = start;
            runs[count].end        = start + page_size();
            runs[count].categories = categories;
            count++;
        }
    }
    scan->next = start;
    return count;
}

/* whether nothing but written pages is requested */
static int is_plain( const struct list_filter *filter )
{
    return filter->required == PAGE_IS_WRITTEN && !filter->any && !filter->excluded &&
           !(filter->returned & ~PAGE_IS_WRITTEN);
}

/* What the backend knows of pages, apart from the marks. What it takes for written has been
 * gathered for a source, and written again since. */
static int read_categories( struct listing *list, struct page_scan *scan )
{
    struct watch_region *region = list->query.region;
    int i, count;

    if (list->filter.source && is_plain( &list->filter ))
    {
        scan->runs[0] = (struct page_run){ scan->start, scan->end, 0 };
        scan->next = scan->end;
        return 1;
    }
    if (!region->backend->list) return read_pagemap( list, scan );
    count = region->backend->list( region, scan );
    for (i = 0; list->filter.source && i < count; i++)
        scan->runs[i].categories &= ~(uint64_t)PAGE_IS_WRITTEN;
    return count;
}

/* lists pages of one group of the marks, some of which are marked; in a step */
static int list_marked( struct listing *list, struct page_marks *marks, uintptr_t end )
{
    uintptr_t granule = (uintptr_t)1 << list->shift;
    uintptr_t start = list->pos, pos, last;
    struct page_run runs[MAX_LIST_RUNS];
    struct page_scan scan = { .runs = runs, .len = MAX_LIST_RUNS };
    uint64_t bits;
    int i, count, ret;

    end = min( end, marks_group_end( marks, start ));
    bits = marks_peek( marks, start, end );
    while (list->pos < end && !list->full)
    {
        scan.start    = list->pos;
        scan.end      = end;
        scan.required = list->filter.required & ~PAGE_IS_WRITTEN;
        if ((count = read_categories( list, &scan )) < 0) return count;
        for (i = 0; i < count && !list->full; i++)
            /* cppcheck-suppress uninitvar ; they are filled through scan.runs */
            for (pos = runs[i].start; pos < runs[i].end && !list->full; pos = last)
            {
                uint64_t bit = bits >> ((pos - start) / granule) & 1;

                for (last = pos + granule; last < runs[i].end; last += granule)
                    if ((bits >> ((last - start) / granule) & 1) != bit) break;
                ret = add_run( list, pos, last,
                               runs[i].categories | (bit ? PAGE_IS_WRITTEN : 0), 1 );
                if (ret) return ret;
            }
        if (!list->full) list->pos = scan.next;
    }
    return 0;
}

/***********************************************************************
 *           list_scanned
 *
 * Lists pages without marks. If written pages and nothing else are requested, one call finds and
 * resets them. In a step.
 */
static int list_scanned( struct listing *list, uintptr_t end )
{
    const struct list_filter *filter = &list->filter;
    struct page_run runs[MAX_LIST_RUNS];
    struct page_scan scan = { .start = list->pos, .end = end, .required = filter->required,
                              .runs = runs, .len = MAX_LIST_RUNS };
    int i, count, ret, taken = 0;

    if (is_plain( filter ))
    {
        scan.flags     = filter->reset ? COLLECT_RESET : 0;
        scan.len       = min( list->len, MAX_LIST_RUNS );
        scan.max_pages = min( list->pages, MAX_LIST_PAGES ) << (list->query.shift - page_shift);
        count = ask_backend( &list->query, &scan );
        if (count < 0 && filter->reset) region_put_back( list->query.region, list->pos, end );
        taken = 1;
    }
    else count = read_categories( list, &scan );
    if (count < 0) return count;

    for (i = 0; i < count && !list->full; i++)
    {
        if (taken) add_range( list, runs[i].start, runs[i].end, PAGE_IS_WRITTEN );
        else if ((ret = add_run( list, runs[i].start, runs[i].end, runs[i].categories, 0 )))
            return ret;
    }
    if (!list->full) list->pos = scan.next;
    return 0;
}

/* lists pages of a source; in a step */
static int list_source( struct listing *list, uintptr_t end )
{
    const struct list_source *source = list->filter.source;
    int ret = source->gather( source, list->query.region, list->pos, end );

    while (!ret && list->pos < end && !list->full)
    {
        if (list->filter.required & PAGE_IS_WRITTEN)
            list->pos = marks_next( source->marks, list->pos, end );
        if (list->pos < end) ret = list_marked( list, source->marks, end );
    }
    return ret;
}

static int list_of_queries( struct listing *list, uintptr_t end )
{
    struct page_marks *marks = __atomic_load_n( &list->query.region->marks, __ATOMIC_ACQUIRE );
    uintptr_t limit = end;

    if (marks && __atomic_load_n( &marks->count, __ATOMIC_SEQ_CST ))
        limit = marks_next( marks, list->pos, end );
    if (limit == list->pos) return list_marked( list, marks, end );
    return list_scanned( list, limit );
}

/***********************************************************************
 *           list_step
 *
 * Signals are blocked: a list in a handler that had interrupted this step would wait for a change
 * that waits for the step.
 */
int list_step( struct listing *list )
{
    struct watch_query *query = &list->query;
    uintptr_t end = list->pos + min( list->end - list->pos, MAX_STEP_SIZE );
    uint64_t all = ~0ull;
    int ret;

    raw_syscall4( SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&all, (uintptr_t)&list->signals,
                  sizeof(all) );
    if (!(ret = watch_enter( query )))
    {
        if (list->filter.source && query->backend->arm)
            end = min( end, max( marked_step_end( query, list->pos ), list->pos + page_size() ));
        if (__atomic_load_n( &query->region->lost, __ATOMIC_SEQ_CST )) ret = -ENOMEM;
        else if (list->filter.source) ret = list_source( list, end );
        else ret = list_of_queries( list, end );
        watch_leave( query );
    }
    raw_syscall4( SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&list->signals, 0,
                  sizeof(list->signals) );
    return ret;
}
