/*
 * Ending a registration with userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/syscall.h>

#include "sys/kernel_api.h"
#include "sys/raw_syscall.h"
#include "sys/unregister.h"

/***********************************************************************
 *           unregister_own
 *
 * The program may have unmapped the memory, and what is there now may belong to another
 * userfaultfd; up to 6.12 the kernel would unregister it from that one. Registering it first
 * detects this. Without missing pages that raises no fault in memory that was mapped anew.
 */
int unregister_own( int uffd, uintptr_t start, uintptr_t end, size_t granule )
{
    struct uffdio_range range = { .start = start, .len = end - start };
    struct uffdio_register arg = { .range = range, .mode = UFFDIO_REGISTER_MODE_WP };
    uintptr_t middle;
    int ret, err;

    if (raw_syscall3( SYS_ioctl, uffd, UFFDIO_REGISTER, (uintptr_t)&arg ) != -EBUSY)
        return raw_syscall3( SYS_ioctl, uffd, UFFDIO_UNREGISTER, (uintptr_t)&range );

    if (end - start <= granule) return 0;
    middle = start + (end - start) / granule / 2 * granule;
    ret = unregister_own( uffd, start, middle, granule );
    err = unregister_own( uffd, middle, end, granule );
    return ret ? ret : err;
}
