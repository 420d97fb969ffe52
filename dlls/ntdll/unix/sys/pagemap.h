/*
 * What /proc/PID/pagemap says of pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PAGEMAP_H
#define WRITEWATCH_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

#include "sys/kernel_api.h"

struct descriptor_id;

/* Bits of an entry. A marker of userfaultfd on a page that is missing has PM_SWAP and PM_UFFD_WP,
 * as a protected page that was swapped out has. */
#define PM_SOFT_DIRTY ((uint64_t)1 << 55)
#define PM_UFFD_WP    ((uint64_t)1 << 57)
#define PM_FILE       ((uint64_t)1 << 61)   /* of a file or shared memory */
#define PM_SWAP       ((uint64_t)1 << 62)
#define PM_PRESENT    ((uint64_t)1 << 63)

/* The categories that an entry shows (PAGE_IS_*), without WRITTEN: it shows neither the shared page
 * of zeros nor huge pages, and a protected page that was swapped out looks like a marker. */
static inline uint64_t pagemap_categories( uint64_t entry )
{
    uint64_t categories = 0;

    if (entry & PM_PRESENT) categories |= PAGE_IS_PRESENT;
    else if (entry & PM_SWAP && !(entry & PM_UFFD_WP)) categories |= PAGE_IS_SWAPPED;
    if (entry & PM_FILE) categories |= PAGE_IS_FILE;
    return categories;
}

/* Opens the pagemap of this process. With an id it is for long: it gets a high number, and the id
 * is filled in. On failure *fd is -1. Returns 0 or -errno. */
extern int pagemap_open( int *fd, struct descriptor_id *id );

/* Reads the entries of count (> 0) pages. Returns how many it read, at least one and maybe fewer
 * than count, or -errno. */
extern int pagemap_read( int fd, uintptr_t start, size_t count, uint64_t *entries );

#endif /* WRITEWATCH_PAGEMAP_H */
