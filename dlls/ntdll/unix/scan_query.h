/*
 * What the scan backend asks the kernel: the PAGEMAP_SCAN ioctl
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_SCAN_QUERY_H
#define WRITEWATCH_SCAN_QUERY_H

#include "backend.h"

extern int scan_uffd;      /* registers memory, never read from; -1: the backend is not open */
extern int scan_pagemap;   /* /proc/self/pagemap, likewise */

/* as struct watch_backend has them */
extern int scan_scan( struct watch_region *region, uintptr_t start, uintptr_t end,
                      unsigned int flags, struct page_run *runs, size_t len, size_t max_pages,
                      uintptr_t *next );
extern int scan_save( struct watch_region *region, uintptr_t start, uintptr_t end );
extern int scan_list( struct watch_region *region, uintptr_t start, uintptr_t end,
                      uint64_t required, struct page_run *runs, size_t len, uintptr_t *next );

#endif /* WRITEWATCH_SCAN_QUERY_H */
