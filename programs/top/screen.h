/*
 * The screen
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_SCREEN_H
#define WRITEWATCH_TOP_SCREEN_H

#include "top.h"

struct screen
{
    struct source    *source;
    struct snapshot   old, new;      /* the sample before, and the one that is shown */
    unsigned int      samples;
    int               has_ended;     /* there will be no more */
    int               is_paused;
    int               is_help;
    size_t            selected;      /* among new.views */
    uint64_t          base;          /* of the selected region */
    struct page_range range;         /* of it, that is shown; count 0: all of it */
    uint64_t          shown;         /* pages in a row of cells, as drawn last */
};

/* Takes the terminal. Returns 0, or -1 when a sentence was printed. */
extern int  terminal_begin(void);
/* Gives it back as it was; may be called without the other. */
extern void terminal_end(void);

extern void draw_screen( struct screen *screen );
extern void draw_choice( const struct candidate *candidates, unsigned int count,
                         unsigned int selected );

#endif /* WRITEWATCH_TOP_SCREEN_H */
