/*
 * Write tracking by userfaultfd WP_ASYNC and the PAGEMAP_SCAN ioctl, Linux 6.7 and later
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_api.h"
#include "backend.h"
#include "raw_syscall.h"
#include "region.h"
#include "selftest.h"
#include "uninterrupted.h"

static int uffd = -1;      /* registers memory, never read from */
static int pagemap = -1;   /* /proc/self/pagemap, for the ioctl */

_Static_assert( sizeof(struct page_run) == sizeof(struct page_region), "the kernel's layout" );

/***********************************************************************
 *           scan_scan
 *
 * The exact query: a page that is there (or swapped out), was written, and is not the shared page of
 * zeros. It leaves out what was never touched or only read, so fresh memory needs neither marking nor
 * page tables. Without the any-of part it is wrong from 6.12.103 on, where an empty entry counts as
 * written.
 *
 * PM_SCAN_CHECK_WPASYNC makes the kernel refuse memory that lost its registration; otherwise it would
 * pass over it in silence, which reads as "nothing written". walk_end is right only for vectors of at
 * most 512 entries (seen on 6.12 to 7.2), hence the limit.
 */
static UNINTERRUPTED int scan_scan( struct watch_region *region, uintptr_t start, uintptr_t end,
                                    unsigned int flags, struct page_run *runs, size_t len,
                                    size_t max_pages, uintptr_t *next )
{
    struct pm_scan_arg arg;
    long ret;

    (void)region;
    arg.size                = sizeof(arg);
    arg.flags               = PM_SCAN_CHECK_WPASYNC | (flags & SCAN_RESET ? PM_SCAN_WP_MATCHING : 0);
    arg.start               = start;
    arg.end                 = end;
    arg.walk_end            = 0;
    arg.vec                 = (uintptr_t)runs;
    arg.vec_len             = len < 512 ? len : 512;
    arg.max_pages           = max_pages;
    arg.category_inverted   = PAGE_IS_PFNZERO;
    arg.category_mask       = PAGE_IS_WRITTEN | PAGE_IS_PFNZERO;
    arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    arg.return_mask         = 0;

    ret = raw_syscall3( SYS_ioctl, pagemap, PAGEMAP_SCAN, (uintptr_t)&arg );
    if (ret < 0) return ret;
    /* the walk must have moved or have found something, or a caller would ask for ever */
    if (arg.walk_end > end || arg.walk_end < start || (arg.walk_end == start && !ret)) return -EIO;
    *next = arg.walk_end;
    return ret;
}

/* not by madvise(), which the preload library interposes, and which would lead back to the engine */
static int advise( const void *base, size_t size, int advice )
{
    return raw_syscall3( SYS_madvise, (long)base, size, advice );
}

/***********************************************************************
 *           scan_attach
 *
 * Registers only; nothing is write-protected until a scan resets it. Transparent huge pages are ruled
 * out before the first touch: a huge page reports 512 pages for one, and when it is split its parts of
 * zeros are lost to the query (6.12 and later).
 */
static int scan_attach( struct watch_region *region )
{
    size_t size = region->end - region->base;
    struct uffdio_register reg;
    int ret;

    memset( &reg, 0, sizeof(reg) );
    reg.range.start = region->base;
    reg.range.len   = size;
    reg.mode        = UFFDIO_REGISTER_MODE_WP;

    /* EINVAL: the kernel was built without them */
    if ((ret = advise( (void *)region->base, size, MADV_NOHUGEPAGE )) && ret != -EINVAL) return ret;
    if (ioctl( uffd, UFFDIO_REGISTER, &reg )) return -errno;
    return 0;
}

/***********************************************************************
 *           scan_discard
 *
 * Keeps the mapping, and with it the registration, where a new mapping would lose it.
 */
static int scan_discard( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    void *base = (void *)start;
    size_t size = end - start;
    int ret;

    (void)region;
    if ((ret = advise( base, size, MADV_DONTNEED )) != -EINVAL) return ret;

    /* locked memory */
    if ((ret = advise( base, size, MADV_DONTNEED_LOCKED )) != -EINVAL) return ret;

    /* the same before 5.18 */
    if (munlock( base, size )) return -errno;
    return advise( base, size, MADV_DONTNEED );
}

/***********************************************************************
 *           scan_lock
 *
 * A plain mlock() breaks copy-on-write for every page, which counts as a write.
 */
static int scan_lock( const void *base, size_t size )
{
    if (mlock2( base, size, MLOCK_ONFAULT )) return -errno;
    /* pages without access cannot be brought in; they remain locked on their first use */
    advise( base, size, MADV_POPULATE_READ );
    return 0;
}

/***********************************************************************
 *           open_userfaultfd
 */
static int open_userfaultfd( char *reason, size_t len )
{
    struct uffdio_api api;

    /* faults of the kernel need no message with WP_ASYNC, so the form for ordinary users will do */
    uffd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY );
    if (uffd == -1)
    {
        int err = errno;
        snprintf( reason, len, "userfaultfd refused: %s%s", strerror( err ),
                  err == EPERM ? " (a sandbox forbids it)" :
                  err == ENOSYS ? " (the kernel was built without it)" : "" );
        return -err;
    }

    memset( &api, 0, sizeof(api) );
    api.api      = UFFD_API;
    api.features = UFFD_FEATURE_WP_ASYNC;
    if (ioctl( uffd, UFFDIO_API, &api ) || !(api.features & UFFD_FEATURE_WP_ASYNC))
    {
        snprintf( reason, len, "userfaultfd has no WP_ASYNC here (Linux 6.7 or later is needed)" );
        return -EOPNOTSUPP;
    }
    return 0;
}

/***********************************************************************
 *           scan_close
 */
static void scan_close(void)
{
    if (pagemap != -1) close( pagemap );
    if (uffd != -1) close( uffd );
    pagemap = uffd = -1;
}

/***********************************************************************
 *           scan_open
 */
static int scan_open( char *reason, size_t len )
{
    int ret;

    if ((ret = open_userfaultfd( reason, len ))) goto failed;

    if ((pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC )) == -1)
    {
        ret = -errno;
        snprintf( reason, len, "cannot open /proc/self/pagemap: %s", strerror( -ret ));
        goto failed;
    }
    if ((ret = selftest_backend( &scan_backend, reason, len ))) goto failed;
    return 0;

failed:
    scan_close();
    return ret;
}

const struct watch_backend scan_backend =
{
    .name      = "scan",
    .mechanism = "userfaultfd WP_ASYNC with PAGEMAP_SCAN",
    .automatic = 1,
    .open      = scan_open,
    .close     = scan_close,
    .attach    = scan_attach,
    .scan      = scan_scan,
    .discard   = scan_discard,
    .lock      = scan_lock,
};
