/*
 * A list of pages in progress
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_LISTING_H
#define WRITEWATCH_LISTING_H

#include "engine/query.h"
#include "track/watch_list.h"

/* ranges that one step can make */
#define MAX_RANGES 128

struct listing
{
    struct watch_query             query;
    struct list_filter             filter;
    unsigned int                   shift;     /* log2 of the bytes that a mark stands for */
    uint64_t                       signals;   /* blocked before a step */
    int                            pagemap;   /* -1 until first needed */
    uintptr_t                      pos;       /* where to continue */
    uintptr_t                      end;       /* of what is listed of the region: whole pages of it,
                                               * or of a source only what was asked for */
    size_t                         pages;     /* that may still be listed, of the granularity */
    size_t                         len;       /* room for ranges in this step */
    size_t                         count;     /* ranges found in this step */
    int                            full;
    struct page_run                ranges[MAX_RANGES];
};

/* Lists the next pages of the region, to list->ranges. 0 or -errno. */
extern int list_step( struct listing *list );

#endif /* WRITEWATCH_LISTING_H */
