/*
 * Which memory of another process is watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "writewatch.h"

#include "native/failure.h"
#include "native/other_pages.h"
#include "process_object.h"
#include "sys/maps.h"
#include "sys/page.h"

/***********************************************************************
 *           records_writes
 *
 * Whether the kernel itself records writes to a mapping. All of a mapping is registered in one way,
 * so its first page is enough. Returns 1, 0 or -errno.
 */
static int records_writes( const struct writewatch_process *process, uint64_t start )
{
    struct other_pages pages = { .pagemap = process->fds[PROCESS_PAGEMAP], .start = start,
                                 .end = start + page_size() };
    int ret;

    if (!process->can_scan) return 0;
    if ((ret = other_pages_scan( &pages, PAGE_IS_WPALLOWED, 0 ))) return ret;
    return pages.count != 0;
}

/***********************************************************************
 *           add_mapping
 *
 * Adds the part of a mapping from start on, or lengthens the last range. Returns 1 if there is no
 * room.
 */
static int add_mapping( const struct mapping *mapping, uint64_t start, uint64_t categories,
                        struct writewatch_range *ranges, size_t *used, size_t count )
{
    struct writewatch_range *last = *used ? &ranges[*used - 1] : NULL;

    if (last && last->end == start && last->categories == categories)
    {
        last->end = mapping->end;
        return 0;
    }
    if (*used == count) return 1;
    ranges[*used].start      = start;
    ranges[*used].end        = mapping->end;
    ranges[*used].categories = categories;
    ++*used;
    return 0;
}

/***********************************************************************
 *           writewatch_process_regions
 *
 * Only smaps shows what is registered with userfaultfd. For it the kernel counts the pages of each
 * mapping, with mmap_lock of the process held for reading: about 25 ms for each GiB that has
 * pages. Between two mappings it is let go.
 *
 * Mappings that are made or go meanwhile may be in the list or not. By any thread, one at a time
 * for one process. Errors: -EINVAL (no room), -ESRCH, -ESTALE, -EBADF (process_object.h), -EPROTO
 * (a line that is not understood), and what reading says.
 */
ssize_t writewatch_process_regions( struct writewatch_process *process,
                                    struct writewatch_range *ranges, size_t count, uint64_t *next )
{
    struct maps_reader reader;
    struct mapping mapping;
    uint64_t start, categories;
    size_t used = 0;
    int ret, async;

    if (!count) return failed( __func__, -EINVAL, NULL );
    if ((ret = process_check( process )) ||
        (ret = process_read_maps( process, PROCESS_SMAPS, &reader )))
        return failed( __func__, ret, NULL );
    while ((ret = maps_next( &reader, &mapping )) > 0)
    {
        if (!mapping.registered || mapping.end <= *next) continue;
        start = mapping.start > *next ? mapping.start : *next;
        if ((async = ret = records_writes( process, mapping.start )) < 0) break;
        categories = (async ? WRITEWATCH_ASYNC : 0) |
                     (mapping.shared || mapping.file ? WRITEWATCH_FILE : 0);
        if (add_mapping( &mapping, start, categories, ranges, &used, count )) break;
    }
    /* whatever else failed, a process that has ended is the reason */
    if ((async = process_check( process ))) return failed( __func__, async, NULL );
    if (ret < 0) return failed( __func__, ret, NULL );
    if (used) *next = ranges[used - 1].end;
    return returned( __func__, used );
}
