/*
 * What the kernel says of another process's pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scan.h"

int scan_some( struct other_pages *pages )
{
    return other_pages_scan( pages, PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
                             PAGE_IS_WPALLOWED | PAGE_IS_WRITTEN | PAGE_IS_PRESENT |
                             PAGE_IS_SWAPPED | PAGE_IS_PFNZERO );
}

int scan_open( struct other_pages *pages, uint32_t pid )
{
    char path[OTHER_PATH_SIZE];
    int ret;

    memset( pages, 0, sizeof(*pages) );
    if ((ret = other_pages_open( pages, pid, path ))) return ret;
    if ((ret = other_pages_can_scan( pages ))) scan_close( pages );
    return ret;
}

void scan_close( struct other_pages *pages )
{
    if (pages->pagemap != -1) close( pages->pagemap );
    pages->pagemap = -1;
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
