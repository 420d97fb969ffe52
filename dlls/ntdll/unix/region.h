/*
 * Which memory is watched: an ordered index of regions that is read without a lock
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_REGION_H
#define WRITEWATCH_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "saved.h"

/* One MEM_WRITE_WATCH reservation, or what is left of it. Never unmapped, so that a reader that comes
 * late finds valid memory; used anew only when no reader is left. */
struct watch_region
{
    uintptr_t            base;
    uintptr_t            end;
    unsigned int         readers;   /* queries in progress */
    unsigned int         lost;      /* queries must fail: 1 until reset, 2 for ever */
    struct saved_pages  *saved;     /* NULL until the first page is saved */
    struct watch_region *next;      /* of the free ones */
};

/* Readers: any thread, any time, no lock. The region is held until region_put(). */
extern struct watch_region *region_get( uintptr_t start, uintptr_t end );
extern void region_put( struct watch_region *region );
extern int region_contains( uintptr_t start, uintptr_t end );
extern int region_overlaps( uintptr_t start, uintptr_t end );
extern struct saved_pages *region_saved_pages( struct watch_region *region );

/* Writers: one at a time, under the lock of watch.c. */
extern int region_insert( uintptr_t start, uintptr_t end );
extern int region_remove( uintptr_t start, uintptr_t end );
extern struct watch_region *region_first( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_REGION_H */
