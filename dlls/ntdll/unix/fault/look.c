/*
 * Pages that the program has dropped itself, as /proc/self/pagemap shows them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <unistd.h>

#include "fault/look.h"
#include "sys/page.h"
#include "sys/pagemap.h"

/* Pages of files and of shared memory have contents elsewhere. A protected entry without a page may
 * be one that is swapped out, or was never touched. */
static int has_contents( uint64_t entry )
{
    if (entry & PM_PRESENT) return !(entry & PM_FILE);
    return (entry & (PM_SWAP | PM_UFFD_WP)) == PM_SWAP;
}

int look_at_entries( struct page_scan *scan, const uint64_t *entries, size_t count, uint64_t kept )
{
    struct page_run *last = scan->runs - 1;
    uintptr_t page = scan->start;
    size_t i;

    for (i = 0; i < count; i++, page += page_size())
    {
        uint64_t found = (has_contents( entries[i] ) ? LOOK_HELD : 0) |
                         (!kept || entries[i] & kept ? 0 : LOOK_BARE);

        if (!found) continue;
        if (last >= scan->runs && last->end == page && last->categories == found)
            last->end += page_size();
        else if (last == scan->runs + scan->len - 1) break;
        else *++last = (struct page_run){ page, page + page_size(), found };
    }
    scan->next = page;
    return last + 1 - scan->runs;
}

int look_at_private( struct watch_region *region, struct page_scan *scan )
{
    uint64_t entries[512];
    long count = (scan->end - scan->start) >> page_shift;
    int fd, ret;

    if (count > 512) count = 512;
    if ((ret = pagemap_open( &fd, NULL )) < 0) return ret;
    count = pagemap_read( fd, scan->start, count, entries );
    close( fd );
    if (count < 0) return count;
    /* an entry of shared memory may go while the contents stay */
    return look_at_entries( scan, entries, count,
                            region->kind == REGION_MIXED ? 0 : PM_PRESENT | PM_SWAP );
}
