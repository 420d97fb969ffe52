/*
 * What the kernel says of another process's pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_SCAN_H
#define WRITEWATCH_TOP_SCAN_H

#include <stdint.h>

#include "sys/kernel_api.h"

#define SCAN_RUNS 341   /* as much as the kernel buffers in two pages */

struct scanner
{
    int                pagemap;
    uint64_t           start, end;   /* what is left of the range that is scanned */
    unsigned int       count;        /* of runs; pages between them are missing */
    struct page_region runs[SCAN_RUNS];
    uint64_t           scanned;      /* where these runs end */
};

/* Opens the pagemap of a process and asks it for nothing. Returns 0 or -errno: -EACCES and -EPERM
 * if it may not be looked at, -ENOTTY if the kernel cannot say. */
extern int  scan_open( struct scanner *scanner, uint32_t pid );
extern void scan_close( struct scanner *scanner );

/* Asks for the pages from scanner->start on, in one call of the kernel, and moves it on. Nothing
 * changes in the other process. Returns 0 or -errno. */
extern int  scan_some( struct scanner *scanner );

/* Whether the process has its memory still: one that is ending loses it before it has ended. */
extern int  scan_has_memory( uint32_t pid );

/* Whether the process has swapped memory; it counts as if it had where that is not known. */
extern int  scan_has_swap( uint32_t pid );

#endif /* WRITEWATCH_TOP_SCAN_H */
