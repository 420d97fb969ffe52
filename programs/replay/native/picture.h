/*
 * What the page about a record shows, in bins: the size of the page is bounded
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_PICTURE_H
#define REPLAY_PICTURE_H

#include "front.h"

enum { COLUMNS = 240, ROWS = 64, REGIONS = 8, HOT_RANGES = 20 };

/* Time from left to right, addresses of one allocation from top to bottom. */
struct heat
{
    unsigned int alloc;
    uint64_t     polls;
    uint64_t     pages;
    unsigned int rows;
    uint64_t     cells[ROWS][COLUMNS];   /* pages reported */
};

struct hot_range
{
    unsigned int alloc;
    uint64_t     first;                  /* pages of the allocation */
    uint64_t     end;
    uint64_t     times;
};

struct picture
{
    uint64_t         start;              /* in microseconds */
    uint64_t         end;
    uint64_t         polls[COLUMNS];
    uint64_t         pages[COLUMNS];
    struct heat      heats[REGIONS];     /* of those with most pages */
    unsigned int     heat_count;
    uint64_t         other_regions;      /* that reported pages, and have no map */
    uint64_t         other_pages;
    struct hot_range hot[HOT_RANGES];
    unsigned int     hot_count;
};

/* Returns NULL if there is not enough memory. */
extern struct picture *make_picture( const struct front *front );

/* hot.c: 0, or -1 without memory */
extern int find_hot_ranges( struct picture *picture, const struct front *front );

/* the pages of a poll in the plan, numbered from the start of the allocation on */
extern uint64_t first_page( const struct front *front, const struct op *op );

#endif /* REPLAY_PICTURE_H */
