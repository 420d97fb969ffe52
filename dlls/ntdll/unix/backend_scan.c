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

#include "advise.h"
#include "kernel_api.h"
#include "backend.h"
#include "page.h"
#include "raw_syscall.h"
#include "region.h"
#include "scan_query.h"
#include "selftest.h"

#define MAX_FILL_TRIES 10000

static int register_range( uintptr_t start, uintptr_t end, unsigned int mode )
{
    struct uffdio_register reg;

    memset( &reg, 0, sizeof(reg) );
    reg.range.start = start;
    reg.range.len   = end - start;
    reg.mode        = mode;
    return ioctl( scan_uffd, UFFDIO_REGISTER, &reg ) ? -errno : 0;
}

/***********************************************************************
 *           scan_detach
 *
 * The kernel takes the protection off and wakes who waits for a missing page. That transparent huge
 * pages were ruled out stays.
 *
 * The program may have unmapped the memory without a word, and what is there now may be somebody
 * else's: up to 6.12 the kernel would take it away from another userfaultfd. Registering tells.
 */
static void scan_detach( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct uffdio_range range = { start, end - start };

    (void)region;
    if (register_range( start, end, UFFDIO_REGISTER_MODE_WP ) == -EBUSY) return;
    ioctl( scan_uffd, UFFDIO_UNREGISTER, &range );
}

/***********************************************************************
 *           protect_range
 *
 * Protects pages, there or not. In pieces, as the lock of the address space is held for each.
 */
static int protect_range( uintptr_t start, uintptr_t end )
{
    const size_t piece = (size_t)1 << 30;
    struct uffdio_writeprotect wp;

    for (; start < end; start += wp.range.len)
    {
        wp.range.start = start;
        wp.range.len   = end - start < piece ? end - start : piece;
        wp.mode        = UFFDIO_WRITEPROTECT_MODE_WP;
        if (ioctl( scan_uffd, UFFDIO_WRITEPROTECT, &wp )) return -errno;
    }
    return 0;
}

/***********************************************************************
 *           split_huge_pages
 *
 * Makes small pages of transparent huge ones, which otherwise would be protected, and written, as a
 * whole. To protect a part of one does that; MADV_NOHUGEPAGE only keeps new ones away.
 */
static int split_huge_pages( uintptr_t start, uintptr_t end )
{
    const uintptr_t huge_size = page_size() * (page_size() / 8);
    struct page_run runs[64];
    struct pm_scan_arg arg;
    long i, count;
    int ret;

    while (start < end)
    {
        memset( &arg, 0, sizeof(arg) );
        arg.size          = sizeof(arg);
        arg.start         = start;
        arg.end           = end;
        arg.vec           = (uintptr_t)runs;
        arg.vec_len       = 64;
        arg.category_mask = PAGE_IS_HUGE;
        if ((count = ioctl( scan_pagemap, PAGEMAP_SCAN, &arg )) < 0) return -errno;
        if (arg.walk_end <= start) return -EIO;

        for (i = 0; i < count; i++)
            for (; runs[i].start < runs[i].end; runs[i].start += huge_size)
                if ((ret = protect_range( runs[i].start, runs[i].start + page_size() ))) return ret;
        start = arg.walk_end;
    }
    return 0;
}

/* whether memory has pages of its own; 1 also if that cannot be found out */
static int is_populated( uintptr_t start, uintptr_t end )
{
    struct pm_scan_arg arg;
    struct page_run run;

    memset( &arg, 0, sizeof(arg) );
    arg.size                = sizeof(arg);
    arg.start               = start;
    arg.end                 = end;
    arg.vec                 = (uintptr_t)&run;
    arg.vec_len             = 1;
    arg.category_inverted   = PAGE_IS_PFNZERO;
    arg.category_mask       = PAGE_IS_PFNZERO;
    arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    return ioctl( scan_pagemap, PAGEMAP_SCAN, &arg ) != 0;
}

/***********************************************************************
 *           scan_attach
 *
 * Fresh memory is registered only; nothing is write-protected until a scan resets it. Transparent
 * huge pages are ruled out before the first touch: a huge page reports 512 pages for one, and when
 * it is split its parts of zeros are lost to the exact query (6.12 and later).
 *
 * Any other memory is protected as a whole, which costs page tables of 1/512 of its size. Private
 * anonymous memory without a page is as good as fresh; if it has pages they may be parts of huge
 * ones.
 */
static int scan_attach( struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end;
    int ret;

    /* what the program mapped itself, it may drop itself, without a word */
    if (region->kind == REGION_FRESH) blocks_open( &region->blocks, start, end );

    /* EINVAL: the kernel was built without them */
    if ((ret = advise( (void *)start, end - start, MADV_NOHUGEPAGE )) && ret != -EINVAL) return ret;
    if ((ret = register_range( start, end, UFFDIO_REGISTER_MODE_WP ))) return ret;

    if (region->kind == REGION_ANONYMOUS && !is_populated( start, end ))
        region->kind = REGION_FRESH;
    if (region->kind == REGION_FRESH) return 0;

    if (region->shift == page_shift) ret = split_huge_pages( start, end );
    if (!ret) ret = protect_range( start, end );
    if (ret) scan_detach( region, start, end );
    return ret;
}

/***********************************************************************
 *           scan_fill
 */
static int scan_fill( struct watch_region *region, uintptr_t start, uintptr_t end, const void *data,
                      size_t *filled )
{
    unsigned int tries = 0;
    struct uffdio_copy copy;

    (void)region;
    *filled = 0;
    while (start < end)
    {
        copy.dst  = start;
        copy.src  = (uintptr_t)data;
        copy.len  = end - start;
        copy.mode = UFFDIO_COPY_MODE_WP;
        copy.copy = 0;
        if (ioctl( scan_uffd, UFFDIO_COPY, &copy ) && errno != EAGAIN) return -errno;
        if (copy.copy <= 0)
        {
            /* the address space is changing, but not for ever */
            if (++tries > MAX_FILL_TRIES) return -EAGAIN;
            raw_syscall3( SYS_sched_yield, 0, 0, 0 );
            continue;
        }
        tries = 0;
        start   += copy.copy;
        data     = (const char *)data + copy.copy;
        *filled += copy.copy;
    }
    return 0;
}

/***********************************************************************
 *           scan_serve
 *
 * Adds to the registration, which keeps the written state. To take the mode away again without
 * losing that is not possible: the kernel takes a registration for fewer modes as done already
 * (6.18). If it failed half-way nobody would bring the missing pages of the first part, so the
 * memory is registered anew as it was: what is there is written then.
 */
static int scan_serve( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    int ret;

    ret = register_range( start, end, UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING );
    if (!ret) return scan_uffd;
    scan_detach( region, start, end );
    register_range( start, end, UFFDIO_REGISTER_MODE_WP );
    /* files have no missing pages */
    return ret == -EINVAL ? -EOPNOTSUPP : ret;
}

/***********************************************************************
 *           scan_discard
 */
static int scan_discard( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    int ret;

    blocks_forget( &region->blocks, start, end );
    ret = discard_pages( start, end );
    if (!ret && region->kind != REGION_FRESH) ret = protect_range( start, end );
    return ret;
}

/***********************************************************************
 *           open_userfaultfd
 */
static int open_userfaultfd( char *reason, size_t len )
{
    struct uffdio_api api;

    /* Faults of the kernel need no message with WP_ASYNC, so the form for ordinary users will
     * do. With the other one, system calls can use pages that are missing yet: see serve(). */
    scan_uffd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK );
    if (scan_uffd == -1)
        scan_uffd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY );
    if (scan_uffd == -1)
    {
        int err = errno;
        snprintf( reason, len, "userfaultfd refused: %s%s", strerror( err ),
                  err == EPERM ? " (a sandbox forbids it)" :
                  err == ENOSYS ? " (the kernel or a sandbox has none)" : "" );
        return -err;
    }

    memset( &api, 0, sizeof(api) );
    api.api      = UFFD_API;
    api.features = UFFD_FEATURE_WP_ASYNC;
    if (ioctl( scan_uffd, UFFDIO_API, &api ) || !(api.features & UFFD_FEATURE_WP_ASYNC))
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
    if (scan_pagemap != -1) close( scan_pagemap );
    if (scan_uffd != -1) close( scan_uffd );
    scan_pagemap = scan_uffd = -1;
}

/***********************************************************************
 *           scan_open
 */
static int scan_open( char *reason, size_t len )
{
    int ret;

    if ((ret = open_userfaultfd( reason, len ))) goto failed;

    if ((scan_pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC )) == -1)
    {
        ret = -errno;
        snprintf( reason, len, "cannot open /proc/self/pagemap: %s%s", strerror( -ret ),
                  ret == -ENOENT ? " (is /proc mounted?)" :
                  ret == -EACCES ? " (the process is not dumpable, or a sandbox forbids it)" : "" );
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
    .detach    = scan_detach,
    .scan      = scan_scan,
    .save      = scan_save,
    .discard   = scan_discard,
    .lock      = lock_pages,
    .fill      = scan_fill,
    .serve     = scan_serve,
    .list      = scan_list,
};
