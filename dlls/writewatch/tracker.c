/*
 * Trackers: each follows the same memory with a "since when" of its own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stddef.h>

#include "writewatch.h"

#include "list.h"

#include "native/failure.h"
#include "native/process.h"
#include "sys/page.h"
#include "track/tracker.h"

static struct tracker *inner( struct writewatch_tracker *tracker )
{
    return (struct tracker *)tracker;
}

/***********************************************************************
 *           writewatch_tracker_open
 *
 * Bytes; the range is rounded to pages, and may have any number of regions, now or later, and
 * memory that is never watched. Nothing in it is written yet. With WRITEWATCH_TRACK_DROPS pages
 * count as written whose contents are dropped, by the library or by the program itself. By any
 * thread; takes the engine's lock for changes.
 *
 * Errors: -EINVAL (no page), -ENOSPC (there are 64 trackers), -EAGAIN (a handler has stopped a
 * thread in a query), -ENOMEM, -EPERM (a region is no longer the memory that was watched), -EIO and
 * other errors of the kernel; what opening the backend said.
 */
int writewatch_tracker_open( struct writewatch_tracker **tracker, const void *addr, size_t size,
                             unsigned int flags )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;
    struct tracker *opened;
    int ret = -EINVAL, err;

    if ((err = process_open())) return failed( __func__, err, process_open_reason() );
    __atomic_store_n( &process_other_data, trackers_use_memory, __ATOMIC_RELAXED );
    if (size && end >= start && round_up( end ) > round_down( start ) &&
        !(flags & ~(unsigned int)WRITEWATCH_TRACK_DROPS))
        ret = tracker_open( &opened, round_down( start ), round_up( end ),
                            flags & WRITEWATCH_TRACK_DROPS );
    process_opened( !ret );
    if (!ret) *tracker = (struct writewatch_tracker *)opened;
    return returned( __func__, ret );
}

/***********************************************************************
 *           writewatch_tracker_list
 *
 * writewatch_list() from *pos to end, with WRITTEN as the tracker knows it; *pos is where to
 * continue then. With reset only this tracker's state changes. Errors: those of writewatch_list(),
 * and -EINVAL for a page outside of its range.
 */
ssize_t writewatch_tracker_list( struct writewatch_tracker *tracker, const void **pos,
                                 const void *end, const struct writewatch_filter *filter,
                                 struct writewatch_range *ranges, size_t count )
{
    struct list_request request;
    ssize_t ret;

    process_init();
    if (!count || end <= *pos ||
        list_request( &request, *pos, (const char *)end - (const char *)*pos, filter ) ||
        request.start < inner( tracker )->start || request.end > inner( tracker )->end)
        return failed( __func__, -EINVAL, NULL );
    ret = tracker_list( inner( tracker ), &request.start, request.end, &request.filter,
                        (struct page_run *)ranges, count );
    if (ret >= 0) *pos = (const void *)request.start;
    return returned( __func__, ret );
}

/***********************************************************************
 *           writewatch_tracker_add_view
 *
 * other is another mapping of the memory at addr, in the tracker's range; both are watched, or will
 * be. What is written through it from now on is written at addr for the tracker. Whole pages; at
 * most eight views. Takes the engine's lock for changes. Errors: -EINVAL (not whole pages, or
 * outside of the tracker's range), -ENOSPC, and those of writewatch_tracker_open().
 */
int writewatch_tracker_add_view( struct writewatch_tracker *tracker, const void *addr, size_t size,
                                 const void *other )
{
    uintptr_t start = (uintptr_t)other, end = start + size, to = (uintptr_t)addr;

    process_init();
    if (!size || end <= start || to + size < to || (start | to | size) & (page_size() - 1) ||
        to < inner( tracker )->start || to + size > inner( tracker )->end)
        return failed( __func__, -EINVAL, NULL );
    return returned( __func__, tracker_add_view( inner( tracker ), start, end, to ));
}

/***********************************************************************
 *           writewatch_tracker_close
 *
 * No other thread may be using it. Takes the engine's lock for changes.
 */
void writewatch_tracker_close( struct writewatch_tracker *tracker )
{
    if (tracker) tracker_close( inner( tracker ));
}
