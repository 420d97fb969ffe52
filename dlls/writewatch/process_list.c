/*
 * Lists of pages of another process by category
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sched.h>

#include "writewatch.h"

#include "list.h"

#include "native/failure.h"
#include "native/other_pages.h"
#include "process_object.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "sys/pagemap.h"

#define THERE (WRITEWATCH_PRESENT | WRITEWATCH_SWAPPED)
#define ALL_CATEGORIES (WRITEWATCH_ASYNC | WRITEWATCH_WRITTEN | WRITEWATCH_FILE | THERE | \
                        WRITEWATCH_ZERO | WRITEWATCH_HUGE)

_Static_assert( WRITEWATCH_ASYNC == PAGE_IS_WPALLOWED, "the kernel's value" );

/* Pages of one step, for which the kernel holds mmap_lock of the process (see MAX_SCAN_PAGES in
 * engine/backend.h). A thread of the process that waits for the lock comes before the next step. */
#define STEP_PAGES 8192

struct listing
{
    const struct writewatch_process *process;
    const struct writewatch_filter  *filter;
    struct writewatch_range         *ranges;
    size_t                           count;    /* room for ranges */
    size_t                           used;
    uint64_t                         pages;    /* that may still be listed */
    uint64_t                         pos;      /* where to continue */
    uint64_t                         end;
    int                              is_full;
    struct other_pages               step;
};

/***********************************************************************
 *           correct
 *
 * What the engine makes of the kernel's categories (scan/collect.c), as far as it can be seen from
 * outside. The mapping says what an empty entry is: where pages are of a file or shared, all were
 * protected when the watch began, and one that the kernel has taken back since leaves a marker if
 * it was not written. Private memory may have been registered without a page. A marker looks like a
 * protected page that is swapped out.
 */
static uint64_t correct( uint64_t categories, const struct mapping *mapping )
{
    if (!(categories & THERE))
    {
        categories &= WRITEWATCH_ASYNC;
        if (mapping->shared || mapping->file) categories |= WRITEWATCH_WRITTEN;
    }
    else if (categories & WRITEWATCH_ZERO) categories &= ~(uint64_t)WRITEWATCH_WRITTEN;
    if (!(categories & WRITEWATCH_WRITTEN)) categories &= ~(uint64_t)WRITEWATCH_SWAPPED;
    return categories;
}

static int passes( const struct writewatch_filter *filter, uint64_t categories )
{
    return (categories & filter->required) == filter->required &&
           (!filter->any || categories & filter->any) && !(categories & filter->excluded);
}

/* adds pages from list->pos to end, as many as there is room for */
static void add_pages( struct listing *list, uint64_t end, uint64_t categories )
{
    struct writewatch_range *room = list->ranges + list->used;
    uint64_t start = list->pos;

    if (!passes( list->filter, categories ))
    {
        list->pos = end;
        return;
    }
    if ((end - start) >> page_shift > list->pages) end = start + (list->pages << page_shift);
    categories &= list->filter->returned;
    if (list->used && room[-1].end == start && room[-1].categories == categories)
        room[-1].end = end;
    else if (list->used == list->count)
    {
        list->is_full = 1;
        return;
    }
    else
    {
        room->start      = start;
        room->end        = end;
        room->categories = categories;
        list->used++;
    }
    list->pos = end;
    list->pages -= (end - start) >> page_shift;
    if (!list->pages) list->is_full = 1;
}

/***********************************************************************
 *           read_entries
 *
 * The same as a scan, from the entries of the pagemap, where the kernel has no PAGEMAP_SCAN. What
 * is not protected was written. Before Linux 5.14 no entry shows protection, so all pages were.
 */
static int read_entries( struct other_pages *step )
{
    uint64_t entries[OTHER_RUNS];
    uint64_t pages = (step->end - step->start) >> page_shift;
    long i, count;

    count = other_pages_read( step, step->start >> page_shift,
                              pages < OTHER_RUNS ? pages : OTHER_RUNS, entries );
    if (count <= 0) return count ? count : -EIO;
    for (i = 0; i < count; i++)
    {
        struct page_region *run = &step->runs[i];

        run->start      = step->start + ((uint64_t)i << page_shift);
        run->end        = run->start + page_size();
        run->categories = pagemap_categories( entries[i] );
        if (run->categories & THERE && !(entries[i] & PM_UFFD_WP))
            run->categories |= WRITEWATCH_WRITTEN;
        /* so that a marker is no empty entry */
        else if (entries[i] & PM_SWAP) run->categories |= WRITEWATCH_SWAPPED;
    }
    step->count   = count;
    step->scanned = step->start = step->runs[count - 1].end;
    return 0;
}

/***********************************************************************
 *           list_step
 *
 * Lists some pages of a mapping, up to end. Where the kernel returns nothing, the mapping is gone
 * by now, or has no pages that the kernel knows. Returns 0 or -errno.
 */
static int list_step( struct listing *list, const struct mapping *mapping, uint64_t end )
{
    struct other_pages *step = &list->step;
    unsigned int i;
    int ret;

    step->start = list->pos;
    step->end   = end;
    if ((end - list->pos) >> page_shift > STEP_PAGES)
        step->end = list->pos + ((uint64_t)STEP_PAGES << page_shift);
    ret = list->process->can_scan ? other_pages_scan( step, 0, ALL_CATEGORIES )
                                  : read_entries( step );
    if (ret) return ret;

    for (i = 0; i < step->count && !list->is_full; i++)
    {
        if (step->runs[i].start != list->pos) return -EFAULT;
        add_pages( list, step->runs[i].end, correct( step->runs[i].categories, mapping ));
    }
    return list->is_full || list->pos == step->scanned ? 0 : -EFAULT;
}

/* Lists all of the range, or until there is no room. Returns 0 or -errno. */
static int list_range( struct listing *list )
{
    struct maps_reader reader;
    struct mapping mapping;
    uint64_t end;
    int ret;

    if ((ret = process_read_maps( list->process, PROCESS_MAPS, &reader ))) return ret;
    while (list->pos < list->end && !list->is_full)
    {
        if ((ret = maps_next( &reader, &mapping )) <= 0) return ret ? ret : -EFAULT;
        if (mapping.end <= list->pos) continue;
        if (mapping.start > list->pos) return -EFAULT;
        end = mapping.end < list->end ? mapping.end : list->end;
        while (list->pos < end && !list->is_full)
        {
            if ((ret = list_step( list, &mapping, end ))) return ret;
            if (list->pos < end) sched_yield();
        }
    }
    return 0;
}

/***********************************************************************
 *           writewatch_process_list
 *
 * Bytes and addresses, rounded outward to pages of the kernel, in which limits count. Each page is
 * shown at one moment, not all of them at the same moment. By any thread, one at a time for one
 * process. Pages before one that is not mapped are listed, and *next is that one.
 *
 * Errors: -EINVAL (no page, no room, a category or a flag that does not exist, reset), -EOPNOTSUPP
 * (ZERO, HUGE or ASYNC without PAGEMAP_SCAN), -EFAULT (the first page that is not listed yet is not
 * mapped), -ESRCH, -ESTALE, -EBADF (process_object.h), and what reading says.
 */
ssize_t writewatch_process_list( struct writewatch_process *process, uint64_t addr, uint64_t size,
                                 const struct writewatch_filter *filter,
                                 struct writewatch_range *ranges, size_t count, uint64_t *next )
{
    uint64_t asked = filter->required | filter->any | filter->excluded | filter->returned;
    uint64_t mask = page_size() - 1, end = addr + size;
    struct listing list;
    int ret, err;

    if (!size || end < addr || !ranges || !count || filter->reset || filter->flags ||
        list_has_reserved( filter ) || asked & ~(uint64_t)ALL_CATEGORIES)
        return failed( __func__, -EINVAL, NULL );
    if ((end = (end + mask) & ~mask) <= (addr &= ~mask)) return failed( __func__, -EINVAL, NULL );
    if (!process->can_scan && asked & (WRITEWATCH_ASYNC | WRITEWATCH_ZERO | WRITEWATCH_HUGE))
        return failed( __func__, -EOPNOTSUPP, NULL );
    if ((ret = process_check( process ))) return failed( __func__, ret, NULL );

    list.process      = process;
    list.filter       = filter;
    list.ranges       = ranges;
    list.count        = count;
    list.used         = 0;
    list.pages        = filter->max_pages ? filter->max_pages : ~(uint64_t)0;
    list.pos          = addr;
    list.end          = end;
    list.is_full      = 0;
    list.step.pagemap = process->fds[PROCESS_PAGEMAP];
    ret = list_range( &list );
    /* whatever else failed, a process that has ended is the reason */
    if ((err = process_check( process ))) return failed( __func__, err, NULL );
    if (ret && !(ret == -EFAULT && list.used)) return failed( __func__, ret, NULL );
    if (next) *next = list.pos;
    return returned( __func__, list.used );
}
