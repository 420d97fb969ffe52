/*
 * The descriptors of the scan backend
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scan/ask.h"
#include "sys/descriptor.h"
#include "sys/kernel_api.h"
#include "sys/pagemap.h"

int scan_uffd = -1, scan_pagemap = -1;

/* identity of the two descriptors: the kernel refuses a query by anything else, but closing them
 * must not hit a file of the program */
static struct descriptor_id uffd_id, pagemap_id;

static int open_userfaultfd( char *reason, size_t len )
{
    struct uffdio_api api;

    /* With WP_ASYNC faults of the kernel need no message, so the variant for unprivileged users
     * will do. With the other one, system calls can use pages that are still missing: see
     * serve(). */
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
    scan_uffd = descriptor_raise( scan_uffd );
    descriptor_identify( scan_uffd, &uffd_id );

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

void scan_close(void)
{
    descriptor_close( &scan_pagemap, &pagemap_id );
    descriptor_close( &scan_uffd, &uffd_id );
}

int scan_open_descriptors( char *reason, size_t len )
{
    int ret;

    if ((ret = open_userfaultfd( reason, len ))) return ret;
    if ((ret = pagemap_open( &scan_pagemap, &pagemap_id )))
    {
        snprintf( reason, len, "cannot open /proc/self/pagemap: %s%s", strerror( -ret ),
                  ret == -ENOENT ? " (is /proc mounted?)" :
                  ret == -EACCES ? " (the process is not dumpable, or a sandbox forbids it)" : "" );
        return ret;
    }
    return 0;
}

int scan_reopen(void)
{
    char reason[160];
    int ret;

    scan_close();
    if ((ret = scan_open_descriptors( reason, sizeof(reason) ))) scan_close();
    return ret;
}
