/*
 * What a program asks of a list of pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_LIST_REQUEST_H
#define WRITEWATCH_LIST_REQUEST_H

#include "writewatch.h"

#include "track/watch_list.h"

struct list_request
{
    uintptr_t          start;    /* whole pages */
    uintptr_t          end;
    struct list_filter filter;
};

/* whether words are set that have no meaning yet */
static inline int list_has_reserved( const struct writewatch_filter *filter )
{
    return filter->reserved[0] || filter->reserved[1] || filter->reserved[2] || filter->reserved[3];
}

/* checks and translates it; 0 or -EINVAL */
extern int list_request( struct list_request *request, const void *addr, size_t size,
                         const struct writewatch_filter *filter );

#endif /* WRITEWATCH_LIST_REQUEST_H */
