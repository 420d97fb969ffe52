/*
 * Pages that the program has dropped itself, as /proc/self/pagemap shows them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_LOOK_H
#define WRITEWATCH_LOOK_H

#include "engine/region.h"

/* The answer of look() for entries from scan->start on. A page is bare that has none of the bits
 * that show that it was not dropped; 0: nothing shows that, and none is bare. */
extern int look_at_entries( struct page_scan *scan, const uint64_t *entries, size_t count,
                            uint64_t kept );

/* look() where protection does not show in the entries */
extern int look_at_private( struct watch_region *region, struct page_scan *scan );

#endif /* WRITEWATCH_LOOK_H */
