/*
 * Watching memory that the program has mapped itself
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>

#include "writewatch.h"

#include "engine/watch.h"
#include "native/failure.h"
#include "native/process.h"
#include "sys/maps.h"
#include "sys/page.h"

/* what the mappings of a range are */
struct mappings
{
    uintptr_t    start;        /* of the part that has not been read yet */
    uintptr_t    end;
    int          anonymous;    /* all of it is private and anonymous */
    unsigned int shift;        /* size of the pages, 0 before the first mapping */
    int          mixed;        /* the sizes differ */
    int          unfit;        /* a mapping has no pages that the kernel could watch */
};

static void add_mapping( struct mappings *range, const struct mapping *mapping, int details )
{
    range->start = mapping->end;

    /* special mappings of the kernel, like [vdso], have no inode either */
    if (mapping->shared || mapping->file || !strncmp( mapping->name, "[v", 2 ))
        range->anonymous = 0;
    if (details)
    {
        unsigned int shift = __builtin_ctzl( mapping->page_size );

        if (range->shift && range->shift != shift) range->mixed = 1;
        range->shift = shift;
        if (mapping->device) range->unfit = 1;
    }
}

/***********************************************************************
 *           read_mappings
 *
 * Goes through the mappings of a range. Returns 0, -EINVAL for a hole, or what reading said.
 */
static int read_mappings( struct mappings *range, int details )
{
    struct maps_reader reader;
    struct mapping mapping;
    int ret;

    if ((ret = maps_open( &reader, details ))) return ret;
    while (range->start < range->end && (ret = maps_next( &reader, &mapping )) > 0)
    {
        if (mapping.end <= range->start) continue;
        if (mapping.start > range->start) break;   /* a hole */
        add_mapping( range, &mapping, details );
    }
    maps_close( &reader );
    if (ret < 0) return ret;
    return range->start < range->end ? -EINVAL : 0;
}

static int whole_pages( const void *addr, size_t size )
{
    uintptr_t start = (uintptr_t)addr;

    return size && !((start | size) & (page_size() - 1)) && start + size > start;
}

/***********************************************************************
 *           writewatch_watch
 *
 * By any thread; takes the engine's lock for changes. Memory that was watched before is watched
 * anew. What a thread writes while this runs may count or not. Not seen are writes that do not go
 * through this mapping: of other processes, or by write() to a file.
 *
 * With the scan backend, pages that the program drops by madvise(MADV_DONTNEED) count as written
 * where the memory is private and had pages when it was watched. Untouched private anonymous memory
 * costs nothing; any other costs page tables of 1/512 of its size. Transparent huge pages are split
 * and, as by MADV_NOHUGEPAGE, not made any more, also after the watch has ended.
 *
 * Errors: -EINVAL (not whole pages, also of huge ones; a hole; huge pages beside others),
 * -EOPNOTSUPP (memory of a device, or of a kind that no backend can watch), -EBUSY (owned by
 * another userfaultfd), -EDEADLK (a fault could not be served without it, and that is how the
 * backend works), -ENOMEM; what opening the backend said.
 */
static int watch_mappings( void *addr, size_t size )
{
    struct mappings range = { (uintptr_t)addr, (uintptr_t)addr + size, 1, 0, 0, 0 };
    enum memory_kind kind = REGION_ANONYMOUS;
    unsigned int shift;
    int ret;

    if (!whole_pages( addr, size )) return -EINVAL;
    if ((ret = read_mappings( &range, 0 ))) return ret;
    shift = page_shift;
    if (!range.anonymous)
    {
        range.start = (uintptr_t)addr;
        if ((ret = read_mappings( &range, 1 ))) return ret;
        if (range.unfit) return -EOPNOTSUPP;
        if (range.mixed || !range.shift) return -EINVAL;
        if (((uintptr_t)addr | size) & (((uintptr_t)1 << range.shift) - 1)) return -EINVAL;
        kind = REGION_MIXED;
        shift = range.shift;
    }
    /* what is wrong with the range has been found out; the kernel means the memory */
    if ((ret = process_watch( addr, size, kind, shift )) == -EINVAL) ret = -EOPNOTSUPP;
    return ret;
}

int writewatch_watch( void *addr, size_t size )
{
    int ret;

    if ((ret = process_open())) return failed( __func__, ret, process_open_reason() );
    ret = watch_mappings( addr, size );
    process_opened( !ret );
    if (ret == -EDEADLK)
        return failed( __func__, ret, process_watch_reason() );
    return returned( __func__, ret );
}

/* in bytes; 0 if the address is not watched */
static size_t granularity( const void *addr )
{
    uintptr_t page = round_down( (uintptr_t)addr );
    struct watch_region *region = region_get( page, page + page_size() );
    size_t ret;

    if (!region) return 0;
    ret = (size_t)1 << region->shift;
    region_put( region );
    return ret;
}

/***********************************************************************
 *           writewatch_unwatch
 *
 * Must be called before the memory is unmapped; what is left of a region on either side remains
 * watched. Errors: -EINVAL (not whole pages, also of huge ones), -ENOENT (nothing of it is
 * watched), -ENOMEM.
 */
static int unwatch_mappings( void *addr, size_t size )
{
    size_t first, last;

    process_init();
    if (!whole_pages( addr, size )) return -EINVAL;
    first = granularity( addr );
    last = granularity( (char *)addr + size - 1 );
    if (first && (uintptr_t)addr & (first - 1)) return -EINVAL;
    if (last && ((uintptr_t)addr + size) & (last - 1)) return -EINVAL;
    return watch_detach( addr, size );
}

int writewatch_unwatch( void *addr, size_t size )
{
    return returned( __func__, unwatch_mappings( addr, size ) );
}

/***********************************************************************
 *           writewatch_check
 *
 * Whether watched memory is still what it was when the watch began; bytes, rounded outward to
 * pages. By any thread; takes the engine's lock for changes. Errors: -EINVAL (size 0, or it wraps
 * around), -ENOENT (not in one watched region), -ENOMEM (a part is not mapped), -EPERM (a part is
 * other memory), -EIO and other errors of the kernel.
 */
static int check_mappings( const void *addr, size_t size )
{
    uintptr_t start = round_down( (uintptr_t)addr ), end = (uintptr_t)addr + size;

    process_init();
    if (!size || end <= (uintptr_t)addr || round_up( end ) < end) return -EINVAL;
    return watch_verify( (void *)start, round_up( end ) - start );
}

int writewatch_check( const void *addr, size_t size )
{
    return returned( __func__, check_mappings( addr, size ) );
}

/***********************************************************************
 *           writewatch_granularity
 *
 * In bytes. No lock.
 */
size_t writewatch_granularity( const void *addr )
{
    size_t ret;

    process_init();
    if (!(ret = granularity( addr ))) failed( __func__, -ENOENT, NULL );
    return ret;
}
