/*
 * What the kernel says of another process's pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* a program of 32 bits looks at those of 64 */
#undef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "native/other_pages.h"

/***********************************************************************
 *           other_pages_scan
 *
 * Never PM_SCAN_WP_MATCHING: it would take the process's own record of what was written. The kernel
 * holds the process's mmap_lock for reading, and the lock of each page table while it looks at it.
 */
int other_pages_scan( struct other_pages *pages, uint64_t any, uint64_t returned )
{
    struct pm_scan_arg arg = { .size = sizeof(arg) };
    int ret;

    arg.start               = pages->start;
    arg.end                 = pages->end;
    arg.vec                 = (uintptr_t)pages->runs;
    arg.vec_len             = OTHER_RUNS;
    arg.category_anyof_mask = any;
    arg.return_mask         = returned;
    do ret = ioctl( pages->pagemap, PAGEMAP_SCAN, &arg );
    while (ret == -1 && errno == EINTR);
    if (ret == -1) return -errno;
    if (arg.walk_end <= pages->start || arg.walk_end > pages->end) return -EPROTO;
    pages->count   = ret;
    pages->scanned = pages->start = arg.walk_end;
    return 0;
}

long other_pages_read( const struct other_pages *pages, uint64_t page, size_t count,
                       uint64_t *entries )
{
    ssize_t ret;

    do ret = pread( pages->pagemap, entries, count * sizeof(*entries), page * sizeof(*entries) );
    while (ret == -1 && errno == EINTR);
    return ret < 0 ? -errno : ret / (ssize_t)sizeof(*entries);
}

/***********************************************************************
 *           other_pages_exist
 *
 * The kernel reads nothing from a pagemap whose memory has no users any more, and takes it apart
 * only then.
 */
int other_pages_exist( const struct other_pages *pages )
{
    uint64_t entry;

    return other_pages_read( pages, 0, 1, &entry ) == 1;
}

/* one page of addresses that no program has: whether the kernel knows the question */
int other_pages_can_scan( const struct other_pages *pages )
{
    struct page_region region;
    struct pm_scan_arg arg = { .size = sizeof(arg), .end = sysconf( _SC_PAGESIZE ),
                               .vec = (uintptr_t)&region, .vec_len = 1,
                               .category_anyof_mask = PAGE_IS_PRESENT,
                               .return_mask = PAGE_IS_PRESENT };
    int ret;

    do ret = ioctl( pages->pagemap, PAGEMAP_SCAN, &arg );
    while (ret == -1 && errno == EINTR);
    if (ret != -1) return 0;
    return errno == EINVAL ? -ENOTTY : -errno;
}

/* the first number of statm, which anyone may read; 0 without memory */
static int has_size( const char *path )
{
    char name[OTHER_PATH_SIZE + sizeof("/statm")];
    unsigned long size = 0;
    FILE *file;

    snprintf( name, sizeof(name), "%s/statm", path );
    if (!(file = fopen( name, "re" ))) return 0;
    if (fscanf( file, "%lu", &size ) != 1) size = 0;
    fclose( file );
    return size != 0;
}

/***********************************************************************
 *           open_in
 *
 * Opens the pagemap in a directory of /proc; -ESRCH if there is no memory behind it. A thread that
 * has lost its memory belongs to root: then it is that which forbids to look.
 */
static int open_in( struct other_pages *pages, const char *path )
{
    char name[OTHER_PATH_SIZE + sizeof("/pagemap")];
    int err;

    snprintf( name, sizeof(name), "%s/pagemap", path );
    if ((pages->pagemap = open( name, O_RDONLY | O_CLOEXEC )) == -1)
    {
        err = -errno;
        return (err == -EACCES || err == -EPERM) && !has_size( path ) ? -ESRCH : err;
    }
    if (other_pages_exist( pages )) return 0;
    close( pages->pagemap );
    pages->pagemap = -1;
    return -ESRCH;
}

/***********************************************************************
 *           other_pages_open
 *
 * The memory of a process whose first thread has ended is seen at the others.
 */
int other_pages_open( struct other_pages *pages, uint32_t pid, char path[OTHER_PATH_SIZE] )
{
    struct dirent *entry;
    int ret;
    DIR *dir;

    snprintf( path, OTHER_PATH_SIZE, "/proc/%u", pid );
    if ((ret = open_in( pages, path )) != -ESRCH) return ret;
    snprintf( path, OTHER_PATH_SIZE, "/proc/%u/task", pid );
    if (!(dir = opendir( path ))) return -errno;
    while (ret && (entry = readdir( dir )))
    {
        if (entry->d_name[0] == '.' || strtoul( entry->d_name, NULL, 10 ) == pid) continue;
        snprintf( path, OTHER_PATH_SIZE, "/proc/%u/task/%lu", pid,
                  strtoul( entry->d_name, NULL, 10 ));
        ret = open_in( pages, path );
    }
    closedir( dir );
    return ret;
}
