/*
 * Discarding and locking pages without losing their watch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "sys/advise.h"
#include "sys/kernel_api.h"
#include "sys/raw_syscall.h"

/***********************************************************************
 *           advise
 *
 * A raw system call: the preload library interposes madvise(), and would call the engine again.
 */
int advise( const void *base, size_t size, int advice )
{
    return raw_syscall3( SYS_madvise, (long)base, size, advice );
}

/***********************************************************************
 *           discard_pages
 *
 * Keeps the mapping, and with it the registration; a new mapping would lose it.
 */
int discard_pages( uintptr_t start, uintptr_t end )
{
    void *base = (void *)start;
    size_t size = end - start;
    int ret;

    if ((ret = advise( base, size, MADV_DONTNEED )) != -EINVAL) return ret;

    /* locked memory */
    if ((ret = advise( base, size, MADV_DONTNEED_LOCKED )) != -EINVAL) return ret;

    /* locked memory before Linux 5.18 */
    if (munlock( base, size )) return -errno;
    return advise( base, size, MADV_DONTNEED );
}

/***********************************************************************
 *           mlock_pages
 *
 * A plain mlock() breaks copy-on-write for every page, which counts as a write.
 */
int mlock_pages( const void *base, size_t size )
{
    if (mlock2( base, size, MLOCK_ONFAULT )) return -errno;
    /* pages without access cannot be populated; they are locked when they are first used */
    advise( base, size, MADV_POPULATE_READ );
    return 0;
}
