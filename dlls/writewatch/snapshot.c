/*
 * Snapshots: saving the pages that have changed, and putting them back
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "writewatch.h"

#include "native/failure.h"
#include "native/process.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/user_memory.h"
#include "track/tracker.h"

#define MAX_RANGES 128

/* pages: to look at so many clean ones takes about as long as one more list */
#define MAX_GAP 1024

static const struct list_filter changed = { .required = PAGE_IS_WRITTEN, .reset = 1, .across = 1 };

/* where the pages of a snapshot go: a copy of the range, in memory or in a file */
struct copy
{
    uintptr_t start;
    char     *memory;    /* NULL: the file */
    int       fd;
    int64_t   offset;
};

/* Whether a system call failed for pages that are there now: the fault backends do not serve the
 * kernel's own faults. Tries that once. */
static int can_be_read( uintptr_t start, uintptr_t end, int *probed )
{
    if (errno != EFAULT || *probed) return 0;
    *probed = 1;
    return !user_probe_read( (void *)start, (end - start) >> page_shift, page_size() );
}

static int save_range( const struct copy *copy, uintptr_t start, uintptr_t end )
{
    int probed = 0;
    ssize_t ret;

    if (copy->memory)
    {
        memcpy( copy->memory + (start - copy->start), (const void *)start, end - start );
        return 0;
    }
    for (; start < end; start += ret)
    {
        ret = pwrite( copy->fd, (const void *)start, end - start,
                      copy->offset + (start - copy->start) );
        if (ret < 0 && (errno == EINTR || can_be_read( start, end, &probed ))) ret = 0;
        else if (ret < 0) return -errno;
        else if (!ret) return -ENOSPC;
    }
    return 0;
}

/***********************************************************************
 *           save
 *
 * A page is reset before it is copied: what is written meanwhile is in the next snapshot. On
 * failure what has not been copied is changed still.
 */
static ssize_t save( struct tracker *tracker, const struct copy *copy, uintptr_t end )
{
    struct page_run ranges[MAX_RANGES];
    uintptr_t pos = copy->start;
    ssize_t i, count, saved = 0;
    int ret = 0;

    while (pos < end)
    {
        count = tracker_list( tracker, &pos, end, &changed, ranges, MAX_RANGES );
        if (count < 0) return count;
        for (i = 0; i < count; i++)
        {
            if (!ret) ret = save_range( copy, ranges[i].start, ranges[i].end );
            if (ret) tracker_put_back( tracker, ranges[i].start, ranges[i].end );
            else saved += ranges[i].end - ranges[i].start;
        }
        if (ret) return ret;
    }
    return saved;
}

/* the range of a call: whole pages of the tracker's */
static int check_range( const struct tracker *tracker, const void *addr, size_t size )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;

    process_init();
    if (!size || end <= start || (start | size) & (page_size() - 1)) return -EINVAL;
    return start < tracker->start || end > tracker->end ? -EINVAL : 0;
}

/***********************************************************************
 *           writewatch_tracker_save
 *
 * Copies the pages that have changed to the same place in a copy of the range, and resets them for
 * the tracker. Returns how many bytes these are. Bytes; whole pages. A page that is written
 * meanwhile has changed again. Memory that is not watched is passed over. By any thread, no lock.
 *
 * Errors: -EINVAL (not whole pages, or outside of the tracker's range), and those of
 * writewatch_tracker_list().
 */
ssize_t writewatch_tracker_save( struct writewatch_tracker *handle, const void *addr, size_t size,
                                 void *copy )
{
    struct tracker *tracker = (struct tracker *)handle;
    int ret = check_range( tracker, addr, size );

    if (ret) return failed( __func__, ret, NULL );
    return returned( __func__, save( tracker, &(struct copy){ (uintptr_t)addr, copy, -1, 0 },
                                     (uintptr_t)addr + size ));
}

/***********************************************************************
 *           writewatch_tracker_save_to
 *
 * The same for a copy in a file, that begins at an offset. What could not be written there has
 * still changed. Errors: those, and of pwrite().
 */
ssize_t writewatch_tracker_save_to( struct writewatch_tracker *handle, const void *addr, size_t size,
                                    int fd, int64_t offset )
{
    struct tracker *tracker = (struct tracker *)handle;
    int ret = check_range( tracker, addr, size );

    if (ret) return failed( __func__, ret, NULL );
    return returned( __func__, save( tracker, &(struct copy){ (uintptr_t)addr, NULL, fd, offset },
                                     (uintptr_t)addr + size ));
}

/***********************************************************************
 *           reset_ranges
 *
 * Resets what has been put back. Ranges that are close to each other are reset by one list, others
 * by lists of their own: a second look at a whole large range would take as long as the first.
 */
static ssize_t reset_ranges( struct tracker *tracker, const struct page_run *ranges, ssize_t count )
{
    struct page_run found[MAX_RANGES];
    uintptr_t pos, end;
    ssize_t ret, i;

    for (i = 0; i < count;)
    {
        pos = ranges[i].start;
        end = ranges[i].end;
        while (++i < count && (ranges[i].start - end) >> page_shift <= MAX_GAP) end = ranges[i].end;
        while (pos < end)
            if ((ret = tracker_list( tracker, &pos, end, &changed, found, MAX_RANGES )) < 0)
                return ret;
    }
    return 0;
}

/***********************************************************************
 *           writewatch_tracker_restore
 *
 * Puts the pages that have changed back from a copy of the range, and resets them for the tracker;
 * for queries and other trackers they are written. Returns how many bytes these are. The pages that
 * have changed must be writable, and no other thread may write to the range: its writes would be
 * lost. Pages are protected only after they are put back, so that costs no fault with scan. Errors:
 * those of writewatch_tracker_save(); some pages may have been put back then, and count as changed.
 */
ssize_t writewatch_tracker_restore( struct writewatch_tracker *handle, void *addr, size_t size,
                                    const void *copy )
{
    struct tracker *tracker = (struct tracker *)handle;
    uintptr_t start = (uintptr_t)addr, end = start + size, pos = start;
    struct page_run ranges[MAX_RANGES];
    int ret = check_range( tracker, addr, size );
    ssize_t i, count, restored = 0;

    if (ret) return failed( __func__, ret, NULL );
    while (pos < end)
    {
        if ((count = tracker_peek( tracker, &pos, end, ranges, MAX_RANGES )) < 0)
            return failed( __func__, count, NULL );
        for (i = 0; i < count; i++)
        {
            memcpy( (void *)(uintptr_t)ranges[i].start, (const char *)copy + (ranges[i].start - start),
                    ranges[i].end - ranges[i].start );
            restored += ranges[i].end - ranges[i].start;
        }
        if ((count = reset_ranges( tracker, ranges, count )) < 0)
            return failed( __func__, count, NULL );
    }
    return returned( __func__, restored );
}
