/*
 * Lists of pages of watched memory by category
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
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/pagemap.h"

#define ALL_CATEGORIES (WRITEWATCH_WRITTEN | WRITEWATCH_FILE | WRITEWATCH_PRESENT | \
                        WRITEWATCH_SWAPPED | WRITEWATCH_ZERO | WRITEWATCH_HUGE)

_Static_assert( WRITEWATCH_WRITTEN == PAGE_IS_WRITTEN && WRITEWATCH_FILE == PAGE_IS_FILE &&
                WRITEWATCH_PRESENT == PAGE_IS_PRESENT && WRITEWATCH_SWAPPED == PAGE_IS_SWAPPED &&
                WRITEWATCH_ZERO == PAGE_IS_PFNZERO && WRITEWATCH_HUGE == PAGE_IS_HUGE,
                "the kernel's values" );
_Static_assert( sizeof(struct writewatch_range) == sizeof(struct page_run) &&
                offsetof( struct writewatch_range, end ) == offsetof( struct page_run, end ) &&
                offsetof( struct writewatch_range, categories ) ==
                offsetof( struct page_run, categories ), "the engine's layout" );

int list_request( struct list_request *request, const void *addr, size_t size,
                  const struct writewatch_filter *filter )
{
    uint64_t asked = filter->required | filter->any | filter->excluded | filter->returned;
    uintptr_t start = (uintptr_t)addr, end = start + size;

    if (!size || end < start || asked & ~(uint64_t)ALL_CATEGORIES ||
        filter->flags & ~(unsigned int)WRITEWATCH_ACROSS || list_has_reserved( filter ))
        return -EINVAL;
    request->start  = round_down( start );
    request->end    = round_up( end );
    request->filter = (struct list_filter)
    {
        filter->required, filter->any, filter->excluded, filter->returned, filter->max_pages,
        filter->reset, filter->flags & WRITEWATCH_ACROSS, NULL
    };
    return request->end > request->start ? 0 : -EINVAL;
}

/***********************************************************************
 *           writewatch_list
 *
 * Bytes and addresses; the range is rounded to the granularity. Limits count pages of the
 * granularity. Written state that was kept over a decommit counts (row 15). By any thread, no lock,
 * and in signal handlers: nothing is allocated, and a step of another list or query that the signal
 * interrupted is in no one's way. Where memory had pages when its watch began, or is of a file,
 * SWAPPED is listed for written pages only.
 *
 * On failure nothing that was listed before is lost: it is written again. Errors: -EINVAL (no page,
 * a category or a flag that does not exist), -ENOENT (a part is not watched, and not
 * WRITEWATCH_ACROSS), -EOPNOTSUPP (ZERO or HUGE with a backend other than scan), -EFAULT (a part is
 * not mapped), -ENOMEM, -EIO.
 */
ssize_t writewatch_list( const void *addr, size_t size, const struct writewatch_filter *filter,
                         struct writewatch_range *ranges, size_t count, const void **next )
{
    struct list_request request;
    uintptr_t reached;
    ssize_t ret;

    process_init();
    if (!count || list_request( &request, addr, size, filter ))
        return failed( __func__, -EINVAL, NULL );
    ret = watch_list( request.start, request.end, &request.filter, (struct page_run *)ranges, count,
                      &reached );
    if (ret >= 0 && next) *next = (const void *)reached;
    return returned( __func__, ret );
}

/***********************************************************************
 *           writewatch_poll
 *
 * writewatch_list() for written pages. Errors: those, and -EINVAL for an unknown flag.
 */
ssize_t writewatch_poll( const void *addr, size_t size, unsigned int flags,
                         struct writewatch_range *ranges, size_t count, const void **next )
{
    struct writewatch_filter filter =
    {
        .required = WRITEWATCH_WRITTEN, .returned = WRITEWATCH_WRITTEN,
        .reset = !!(flags & WRITEWATCH_RESET), .flags = flags & ~(unsigned int)WRITEWATCH_RESET
    };

    return returned( __func__, writewatch_list( addr, size, &filter, ranges, count, next ));
}
