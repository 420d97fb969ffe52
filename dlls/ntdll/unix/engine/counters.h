/*
 * What was done, counted for people
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_COUNTERS_H
#define WRITEWATCH_COUNTERS_H

#include "sys/atomic_word.h"

struct watch_region;

/* Other programs read these structures while they change (preload/status.h), also programs of
 * another word size. Each word is changed in one step, several are not. */

/* Of one region, or of several. */
struct region_counters
{
    atomic_word base;           /* 0: of no region, or of several */
    atomic_word size;
    atomic_word shift;          /* log2 of the granularity */
    atomic_word polls;          /* of GetWriteWatch without a reset */
    atomic_word reset_polls;    /* of GetWriteWatch with WRITE_WATCH_FLAG_RESET */
    atomic_word resets;         /* of ResetWriteWatch */
    atomic_word pages;          /* reported without a reset */
    atomic_word reset_pages;    /* reported with one */
} __attribute__((aligned(64)));

struct watch_counters
{
    atomic_word            slot_count;
    atomic_word            regions_ever;
    atomic_word            regions;       /* that exist now */
    atomic_word            bytes;         /* in them */
    atomic_word            most_bytes;    /* at any time */
    struct region_counters others;        /* regions that are gone, and those without a slot */
    struct region_counters slots[];
};

/* Counts in this memory from now on, the regions made from now on. All zero but slot_count; it must
 * stay mapped. Nothing is counted before. Under no lock, while no other thread makes regions. */
extern void count_in( struct watch_counters *counters );

/* the totals of all regions; base, size and shift are 0 */
extern void counters_total( const struct watch_counters *counters, struct region_counters *total );

/* a region begins, or ends; under the change lock */
extern void counters_begin( struct watch_region *region );
extern void counters_end( struct watch_region *region );

#endif /* WRITEWATCH_COUNTERS_H */
