/*
 * What /proc/PID/pagemap says of pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <unistd.h>

#include "sys/descriptor.h"
#include "sys/page.h"
#include "sys/pagemap.h"
#include "sys/proc_files.h"

int pagemap_open( int *fd, struct descriptor_id *id )
{
    int ret;

    if ((ret = *fd = proc_open_own( PROC_PAGEMAP )) < 0)
    {
        *fd = -1;
        return ret;
    }
    if (!id) return 0;
    *fd = descriptor_raise( *fd );
    if (!(ret = descriptor_identify( *fd, id ))) return 0;
    close( *fd );
    *fd = -1;
    return ret;
}

int pagemap_read( int fd, uintptr_t start, size_t count, uint64_t *entries )
{
    ssize_t ret = pread( fd, entries, count * sizeof(*entries),
                         (off_t)(start >> page_shift) * sizeof(*entries) );

    if (ret < 0) return -errno;
    ret /= sizeof(*entries);
    return ret ? ret : -EIO;
}
