/*
 * Placing data into watched memory without marking it as written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "writewatch.h"

#include "engine/fork_state.h"
#include "engine/watch.h"
#include "native/failure.h"
#include "native/process.h"
#include "sys/page.h"

/***********************************************************************
 *           writewatch_fill
 *
 * Fills missing pages: private anonymous memory that was never touched or was discarded, or parts
 * of shared memory that no process has touched. Bytes; whole pages of the memory's granularity, in
 * one watched region. The data may be anywhere. By any thread, no lock; a page that another thread
 * touches first is not missing.
 *
 * Errors: -EINVAL (not whole pages), -ENOENT (not watched), -EEXIST (a page is not missing; those
 * before it are filled), -EFAULT (the data cannot be read; pages before that may be filled),
 * -EOPNOTSUPP (not with this backend, or the memory is of a file, which has no missing pages),
 * -ENOMEM.
 */
static int fill_pages( void *addr, const void *data, size_t size )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;
    struct watch_region *region;
    size_t filled;
    int ret;

    process_init();
    if (!size || end < start || (start | size) & (page_size() - 1)) return -EINVAL;
    if (fork_is_unhandled()) return -EIO;
    if (!(region = region_get( start, end ))) return -ENOENT;

    if ((start | size) & (((uintptr_t)1 << region->shift) - 1)) ret = -EINVAL;
    else if (!region->backend->fill) ret = -EOPNOTSUPP;
    else if ((ret = region->backend->fill( region, start, end, data, &filled )) == -EINVAL)
        ret = -EOPNOTSUPP;   /* the kernel's answer for a file */
    region_put( region );
    return ret;
}

int writewatch_fill( void *addr, const void *data, size_t size )
{
    return returned( __func__, fill_pages( addr, data, size ) );
}
