/*
 * What the kernel says of another process's pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scan.h"

/***********************************************************************
 *           scan_some
 *
 * Never PM_SCAN_WP_MATCHING: it would take the process's own record of what was written. The kernel
 * holds the process's mmap_lock for reading, and the lock of each page table while it looks at it.
 */
int scan_some( struct scanner *scanner )
{
    struct pm_scan_arg arg = { .size = sizeof(arg) };
    int ret;

    arg.start               = scanner->start;
    arg.end                 = scanner->end;
    arg.vec                 = (uintptr_t)scanner->runs;
    arg.vec_len             = SCAN_RUNS;
    arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    arg.return_mask         = PAGE_IS_WPALLOWED | PAGE_IS_WRITTEN | PAGE_IS_PRESENT |
                              PAGE_IS_SWAPPED | PAGE_IS_PFNZERO;
    do ret = ioctl( scanner->pagemap, PAGEMAP_SCAN, &arg );
    while (ret == -1 && errno == EINTR);
    if (ret == -1) return -errno;
    if (arg.walk_end <= scanner->start || arg.walk_end > scanner->end) return -EPROTO;
    scanner->count   = ret;
    scanner->scanned = scanner->start = arg.walk_end;
    return 0;
}

/* The memory of a process whose first thread has ended is seen at the others. */
static int open_thread( uint32_t pid )
{
    struct dirent *entry;
    char path[320];
    int fd = -1;
    DIR *dir;

    snprintf( path, sizeof(path), "/proc/%u/task", pid );
    if (!(dir = opendir( path ))) return -1;
    while (fd == -1 && (entry = readdir( dir )))
    {
        if (entry->d_name[0] == '.' || strtoul( entry->d_name, NULL, 10 ) == pid) continue;
        snprintf( path, sizeof(path), "/proc/%u/task/%s/pagemap", pid, entry->d_name );
        fd = open( path, O_RDONLY | O_CLOEXEC );
    }
    closedir( dir );
    return fd;
}

/* "State:  Z" */
static int is_zombie( uint32_t pid )
{
    char path[32], line[256], state = 0;
    FILE *file;

    snprintf( path, sizeof(path), "/proc/%u/status", pid );
    if (!(file = fopen( path, "re" ))) return 0;
    while (!state && fgets( line, sizeof(line), file ))
        if (!strncmp( line, "State:\t", 7 )) state = line[7];
    fclose( file );
    return state == 'Z';
}

int scan_open( struct scanner *scanner, uint32_t pid )
{
    char path[32];
    int ret;

    memset( scanner, 0, sizeof(*scanner) );
    snprintf( path, sizeof(path), "/proc/%u/pagemap", pid );
    scanner->pagemap = is_zombie( pid ) ? open_thread( pid ) : open( path, O_RDONLY | O_CLOEXEC );
    if (scanner->pagemap == -1) return errno ? -errno : -ESRCH;
    /* one page of addresses that no program has: whether the kernel knows the question */
    scanner->end = sysconf( _SC_PAGESIZE );
    if (!(ret = scan_some( scanner ))) return 0;
    scan_close( scanner );
    return ret == -EINVAL ? -ENOTTY : ret;
}

void scan_close( struct scanner *scanner )
{
    if (scanner->pagemap != -1) close( scanner->pagemap );
    scanner->pagemap = -1;
}

/* the first number of statm, all of which are 0 without memory */
static int has_size( const char *path )
{
    unsigned long size = 0;
    FILE *file = fopen( path, "re" );

    if (!file) return 0;
    if (fscanf( file, "%lu", &size ) != 1) size = 0;
    fclose( file );
    return size != 0;
}

int scan_has_memory( uint32_t pid )
{
    struct dirent *entry;
    char path[320];
    int ret = 0;
    DIR *dir;

    snprintf( path, sizeof(path), "/proc/%u/statm", pid );
    if (has_size( path )) return 1;
    /* the first thread may have ended alone */
    snprintf( path, sizeof(path), "/proc/%u/task", pid );
    if (!(dir = opendir( path ))) return 0;
    while (!ret && (entry = readdir( dir )))
    {
        snprintf( path, sizeof(path), "/proc/%u/task/%s/statm", pid, entry->d_name );
        ret = entry->d_name[0] != '.' && has_size( path );
    }
    closedir( dir );
    return ret;
}

int scan_has_swap( uint32_t pid )
{
    char path[32], line[256];
    int swap = 1;
    FILE *file;

    snprintf( path, sizeof(path), "/proc/%u/status", pid );
    if (!(file = fopen( path, "re" ))) return 1;
    while (fgets( line, sizeof(line), file ))
        if (!strncmp( line, "VmSwap:", 7 )) swap = strtoul( line + 7, NULL, 10 ) != 0;
    fclose( file );
    return swap;
}
