/*
 * What the kernel says of another process's pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_SCAN_H
#define WRITEWATCH_TOP_SCAN_H

#include <stdint.h>

#include "native/other_pages.h"

/* Opens the pagemap of a process and asks it for nothing. Returns 0 or -errno: -EACCES and -EPERM
 * if it may not be looked at, -ENOTTY if the kernel cannot say. */
extern int  scan_open( struct other_pages *pages, uint32_t pid );
extern void scan_close( struct other_pages *pages );

/* Asks for the pages from pages->start on, in one call of the kernel, and moves it on. Pages
 * between the runs are missing. Nothing changes in the other process. Returns 0 or -errno. */
extern int  scan_some( struct other_pages *pages );

/* Whether the process has swapped memory; it counts as if it had where that is not known. */
extern int  scan_has_swap( uint32_t pid );

#endif /* WRITEWATCH_TOP_SCAN_H */
