/*
 * Pictures: time against address
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_PICTURE_H
#define WRITEWATCH_TOP_PICTURE_H

#include <stdio.h>

#include "snapshot.h"

#define PICTURE_CELLS   256   /* that are kept of a region in a sample */
#define PICTURE_REGIONS 120   /* that are drawn */

struct picture_region
{
    uint64_t base;
    uint64_t size;
    uint8_t  cells[PICTURE_CELLS];   /* the last one is at the highest address */
};

struct picture_sample
{
    double                 time;
    size_t                 count;
    struct picture_region *regions;
};

struct picture
{
    struct picture_sample *samples;
    size_t                 count;
    struct snapshot        first, last;   /* their counts, without views */
};

/* Keeps what a picture needs of a snapshot. Returns 0 or -ENOMEM. */
extern int  picture_add( struct picture *picture, const struct process_view *process,
                         const struct snapshot *snapshot );
extern void picture_free( struct picture *picture );

/* Draws all samples. Returns 0 or -errno. */
extern int  picture_draw( const struct picture *picture, const struct process_view *process,
                          FILE *file );

/* Both print a sentence where something is wrong, and then return -1. The second needs the program
 * rsvg-convert; png_check() looks for it. */
extern int  write_svg( const struct picture *picture, const struct process_view *process,
                       const char *path );
extern int  write_png( const struct picture *picture, const struct process_view *process,
                       const char *path );
extern int  png_check(void);

#endif /* WRITEWATCH_TOP_PICTURE_H */
