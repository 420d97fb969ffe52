/*
 * Dropped pages: contents that go away without a write
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "engine/fork_state.h"
#include "engine/host.h"
#include "engine/step.h"
#include "sys/raw_syscall.h"
#include "track/tracker.h"

/* A program may drop private pages itself, by madvise(); no backend sees that when it happens. A
 * tracker that follows drops remembers which pages have had contents. Each of its lists looks which
 * of these have none any more, or (with backends that protect by userfaultfd) have lost the
 * protection that a page keeps otherwise while it is not written: these have changed. */

/* the pages of [start, end), of one group, that have changed by a drop; bit 0 stands for start */
static uint64_t dropped( const struct tracker *tracker, uintptr_t start, uintptr_t end )
{
    return marks_peek( tracker->contents, start, end ) & ~marks_peek( tracker->pages, start, end );
}

/* Marks dropped pages, and protects them, so that the next write is seen. */
static int mark_dropped( struct tracker *tracker, struct watch_region *region, uintptr_t start,
                         uintptr_t end )
{
    uintptr_t granule = (uintptr_t)1 << region->shift, last;
    int ret = 0;

    for (; start < end && !ret; start = last)
    {
        uint64_t bits;

        last = min( end, marks_group_end( tracker->pages, start ));
        for (bits = dropped( tracker, start, last ); bits && !ret; bits &= bits - 1)
        {
            uintptr_t page = start + ((uintptr_t)lowest_bit( bits ) << page_shift);

            marks_set( tracker->pages, page, page + page_size() );
            ret = arm_pages( region, page & -granule, (page & -granule) + granule );
        }
    }
    return ret;
}

int drops_find( struct tracker *tracker, struct watch_region *region, uintptr_t start,
                uintptr_t end )
{
    struct page_run runs[MAX_RUNS];
    struct page_scan scan = { .end = min( end, tracker->end ), .runs = runs, .len = MAX_RUNS };
    int i, count, ret = 0;

    start = max( start, tracker->start );
    end   = scan.end;
    if (!region->backend->look) return 0;
    for (scan.start = start; scan.start < end && !ret; scan.start = scan.next)
    {
        if ((count = region->backend->look( region, &scan )) < 0) return count;
        for (i = 0; i < count && !ret; i++)
        {
            if (runs[i].categories & LOOK_BARE)
            {
                ret = mark_dropped( tracker, region, runs[i].start, runs[i].end );
                if (!ret) marks_clear( tracker->contents, runs[i].start, runs[i].end );
            }
            if (!ret && runs[i].categories & LOOK_HELD)
                marks_set( tracker->contents, runs[i].start, runs[i].end );
        }
    }
    return ret;
}

int drops_remove( uintptr_t start, uintptr_t end )
{
    struct watch_region *region;
    uintptr_t pos, first, last;
    uint64_t bits;
    int ret;

    if (fork_is_unhandled()) return -EIO;
    change_lock();
    if (!(ret = raw_syscall3( SYS_madvise, start, end - start, MADV_REMOVE )))
        for (pos = start; (region = region_first( pos, end )); pos = region->end)
            for (bits = region->trackers; bits; bits &= bits - 1)
            {
                struct tracker *tracker = trackers[lowest_bit( bits )];

                if (!tracker->contents) continue;
                first = max( start, region->base );
                last  = min( end, region->end );
                tracker_note( tracker, first, last );
                first = max( first, tracker->start );
                last  = min( last, tracker->end );
                if (first < last) marks_clear( tracker->contents, first, last );
            }
    change_unlock();
    return ret;
}

void drops_note( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    uint64_t bits = region->trackers;

    for (; bits; bits &= bits - 1)
    {
        struct tracker *tracker = trackers[lowest_bit( bits )];
        uintptr_t pos, last;

        if (!tracker->contents) continue;
        last = min( end, tracker->end );
        for (pos = start > tracker->start ? start : tracker->start;
             pos < last && (pos = marks_next( tracker->contents, pos, last )) < last;
             pos += page_size())
        {
            marks_set( tracker->pages, pos, pos + page_size() );
            marks_take( tracker->contents, pos, pos + page_size() );
        }
    }
}
