/*
 * Calls that forget one changed page in a hundred, for package/snapshots
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A program that is compiled with -Dwritewatch_tracker_list=mistaken_list and the like calls these.
 * They say that all is well: only the memory shows what they did.
 */

#include <stdlib.h>
#include <unistd.h>

#include <writewatch.h>

extern ssize_t mistaken_list( struct writewatch_tracker *tracker, const void **pos, const void *end,
                              const struct writewatch_filter *filter,
                              struct writewatch_range *ranges, size_t count );
extern ssize_t mistaken_save_to( struct writewatch_tracker *tracker, const void *addr, size_t size,
                                 int fd, int64_t offset );
extern ssize_t mistaken_restore( struct writewatch_tracker *tracker, void *addr, size_t size,
                                 const void *copy );

/* Resets every hundredth of the changed pages. Returns how many bytes these are. */
static size_t forget( struct writewatch_tracker *tracker, const void *start, const void *end )
{
    static const struct writewatch_filter look = { .required = WRITEWATCH_WRITTEN };
    static const struct writewatch_filter take = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    static size_t seen;
    size_t page_bytes = sysconf( _SC_PAGESIZE ), forgotten = 0;
    struct writewatch_range ranges[64], taken;
    const void *pos = start, *page;
    ssize_t i, count;
    uintptr_t addr;

    while (pos != end)
    {
        if ((count = writewatch_tracker_list( tracker, &pos, end, &look, ranges, 64 )) < 0) abort();
        for (i = 0; i < count; i++)
            for (addr = ranges[i].start; addr < ranges[i].end; addr += page_bytes)
            {
                if (++seen % 100) continue;
                page = (const void *)addr;
                if (writewatch_tracker_list( tracker, &page, (const char *)page + page_bytes, &take,
                                             &taken, 1 ) != 1) abort();
                forgotten += page_bytes;
            }
    }
    return forgotten;
}

ssize_t mistaken_list( struct writewatch_tracker *tracker, const void **pos, const void *end,
                       const struct writewatch_filter *filter, struct writewatch_range *ranges,
                       size_t count )
{
    forget( tracker, *pos, end );
    return writewatch_tracker_list( tracker, pos, end, filter, ranges, count );
}

ssize_t mistaken_save_to( struct writewatch_tracker *tracker, const void *addr, size_t size, int fd,
                          int64_t offset )
{
    size_t forgotten = forget( tracker, addr, (const char *)addr + size );
    ssize_t ret = writewatch_tracker_save_to( tracker, addr, size, fd, offset );

    return ret < 0 ? ret : ret + (ssize_t)forgotten;
}

ssize_t mistaken_restore( struct writewatch_tracker *tracker, void *addr, size_t size,
                          const void *copy )
{
    size_t forgotten = forget( tracker, addr, (char *)addr + size );
    ssize_t ret = writewatch_tracker_restore( tracker, addr, size, copy );

    return ret < 0 ? ret : ret + (ssize_t)forgotten;
}
