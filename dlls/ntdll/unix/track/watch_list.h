/*
 * The engine: lists of pages by category
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WATCH_LIST_H
#define WRITEWATCH_WATCH_LIST_H

#include <sys/types.h>

#include "engine/backend.h"
#include "engine/marks.h"

/* Which pages are listed, by the kernel's categories (PAGE_IS_*) but without its masks. */
struct list_filter
{
    uint64_t required;    /* all of these */
    uint64_t any;         /* and one of these, unless it is 0 */
    uint64_t excluded;    /* and none of these */
    uint64_t returned;    /* what ranges report; they end where it changes */
    size_t   max_pages;   /* 0: no limit */
    int      reset;       /* reset pages that are listed as written */
    int      across;      /* pass over what is not watched */
    const struct list_source *source;   /* whose written pages; NULL: those of queries */
};

/* A tracker, as a list sees it: it has a state of its own of each watched page. */
struct list_source
{
    /* In a step: makes the marks complete for [start, end), which lies in the region. */
    int (*gather)( const struct list_source *source, struct watch_region *region, uintptr_t start,
                   uintptr_t end );
    void              *data;
    struct page_marks *marks;   /* one for each page of the kernel */
    int                peek;    /* only this list is to know of what the backend finds */
};

/* Lists pages of [start, end), which is page aligned and rounded to the granularity, as ranges with
 * their categories. The range may have any number of regions. Returns the number of ranges, at most
 * count, and in *next the first address not covered. A list shows each page at one moment, but not
 * all pages at the same moment. With reset, a page is listed and reset in one step: no two callers
 * get it for one write. Any thread, no lock; may interrupt any code of this library. On failure all
 * pages that were listed are written again: -ENOENT (a part is not watched), -EOPNOTSUPP (a
 * category that the backend does not know), -EFAULT (not mapped), -ENOMEM, -EIO. */
extern ssize_t watch_list( uintptr_t start, uintptr_t end, const struct list_filter *filter,
                           struct page_run *ranges, size_t count, uintptr_t *next );

#endif /* WRITEWATCH_WATCH_LIST_H */
