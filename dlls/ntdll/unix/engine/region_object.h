/*
 * Regions themselves, for the index of them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_REGION_OBJECT_H
#define WRITEWATCH_REGION_OBJECT_H

#include "engine/region.h"

/* under the change lock */
extern struct watch_region *alloc_region( uintptr_t start, uintptr_t end,
                                          const struct watch_backend *backend,
                                          enum memory_kind kind, unsigned int shift );
extern void free_region( struct watch_region *region );
extern struct watch_region *split_region( struct watch_region *old, uintptr_t start,
                                          uintptr_t end );
/* whether memory holds a region or its marks; the region, or a free one, which may be used next */
extern int region_is_within( const struct watch_region *region, uintptr_t start, uintptr_t end );
extern int free_region_is_within( uintptr_t start, uintptr_t end );

extern void move_marks( struct watch_region *from, struct watch_region *to );

/* In a child by fork(), with the change lock held since before: the threads that were in regions do
 * not exist. For one region, for the free ones, and for all. */
extern void region_without_steps( struct watch_region *region );
extern void free_regions_without_steps(void);
extern void regions_without_steps(void);

#endif /* WRITEWATCH_REGION_OBJECT_H */
