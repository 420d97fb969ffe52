/*
 * Transparent huge pages, which are kept out of watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_HUGE_PAGES_H
#define WRITEWATCH_HUGE_PAGES_H

struct watch_region;

/* Must be called before a region is registered with userfaultfd, and first used. Returns 0 or
 * -errno. Change lock held, unless the region belongs to a self-test. */
extern int rule_out_huge_pages( struct watch_region *region );

#endif /* WRITEWATCH_HUGE_PAGES_H */
