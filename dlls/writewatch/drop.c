/*
 * Dropping the contents of watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "writewatch.h"

#include "engine/watch.h"
#include "native/failure.h"
#include "native/process.h"
#include "sys/page.h"
#include "track/tracker.h"

/***********************************************************************
 *           writewatch_drop
 *
 * madvise( MADV_DONTNEED or MADV_REMOVE ) for watched memory, with any backend: the written state
 * is kept (row 31), and trackers that follow drops take the pages for written; of MADV_REMOVE all
 * pages of the range. Whole pages. By any thread; takes the engine's lock for changes.
 *
 * Errors: -EINVAL (not whole pages, or other advice), -ENOMEM (also: a part is not mapped), and
 * what madvise() says: MADV_REMOVE is for shared memory.
 */
int writewatch_drop( void *addr, size_t size, int advice )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;

    process_init();
    if (!size || end <= start || (start | size) & (page_size() - 1))
        return failed( __func__, -EINVAL, NULL );
    if (advice == MADV_DONTNEED) return returned( __func__, watch_discard( addr, size ));
    if (advice == MADV_REMOVE) return returned( __func__, drops_remove( start, end ));
    return failed( __func__, -EINVAL, NULL );
}
