/*
 * Draws the screen
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <curses.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"
#include "text.h"

enum { ADDRESS_WIDTH = 16, LEGEND_LINES = 2 };

/* a colour of the eight, and whether it is bright */
static const struct { short colour; int is_bold; } styles[CLASS_COUNT] =
{
    [CLASS_UNTOUCHED] = { -1, 0 },             [CLASS_CLEAN] = { COLOR_BLUE, 0 },
    [CLASS_SWAPPED] = { COLOR_GREEN, 0 },      [CLASS_UNWATCHED] = { COLOR_WHITE, 1 },
    [CLASS_COOL] = { COLOR_CYAN, 0 },          [CLASS_WARM] = { COLOR_YELLOW, 0 },
    [CLASS_HELD] = { COLOR_MAGENTA, 1 },       [CLASS_HOT] = { COLOR_YELLOW, 1 },
    [CLASS_WRITTEN] = { COLOR_RED, 1 },
};

static attr_t class_style( enum page_class class )
{
    if (!has_colors() || getenv( "NO_COLOR" )) return A_NORMAL;
    init_pair( class + 1, styles[class].colour, -1 );
    return COLOR_PAIR( class + 1 ) | (styles[class].is_bold ? A_BOLD : 0);
}

/* One line, in ASCII and not beyond the edge. */
static void put_line( int y, attr_t style, const char *text )
{
    char line[512], *p;

    snprintf( line, sizeof(line), "%.*s", COLS, text );
    for (p = line; *p; p++) if (*p < ' ' || *p > '~') *p = '?';
    attrset( style );
    mvaddstr( y, 0, line );
    attrset( A_NORMAL );
}

static void draw_head( const struct screen *screen )
{
    char text[512];
    size_t length;

    heading_text( &screen->source->process, text, sizeof(text) );
    put_line( 0, A_BOLD, text );
    rates_text( screen->samples > 1 ? &screen->old : NULL, &screen->new, text, sizeof(text) );
    put_line( 1, A_NORMAL, text );
    length = strlen( text );
    if (!screen->samples) snprintf( text, sizeof(text), " the first look is not complete yet" );
    else if (screen->source->has_ended) snprintf( text, sizeof(text), " THE PROCESS HAS ENDED" );
    else if (screen->has_ended) snprintf( text, sizeof(text), " END OF THE RECORDING" );
    else if (screen->is_paused) snprintf( text, sizeof(text), " PAUSED" );
    else if (screen->source->is_recording)
        snprintf( text, sizeof(text), " recording, %.1f s", screen->new.time );
    else return;
    if ((int)(length + strlen( text )) > COLS) length = COLS - strlen( text );
    attrset( A_REVERSE );
    mvaddstr( 1, length > (size_t)COLS ? 0 : length, text );
    attrset( A_NORMAL );
}

/* The table, as much of it as fits in so many lines. Returns how many it takes. */
static int draw_table( const struct screen *screen, int y, int lines )
{
    const struct snapshot *new = &screen->new;
    size_t first, i, rows = lines - 1;
    uint64_t more = new->regions - new->count;
    char text[256];

    put_line( y, A_UNDERLINE, TABLE_HEADING );
    if (more && rows > 1) rows--;
    if (rows > new->count) rows = new->count;
    first = screen->selected < rows ? 0 : screen->selected - rows + 1;
    for (i = first; i < first + rows; i++)
    {
        row_text( screen->samples > 1 ? &screen->old : NULL, new, &new->views[i], text,
                  sizeof(text) );
        /* a sign besides, as some terminals have nothing but letters */
        if (i == screen->selected) strcat( text, "<" );
        put_line( ++y, i == screen->selected ? A_REVERSE : A_NORMAL, text );
    }
    if (more)
    {
        snprintf( text, sizeof(text), "%"PRIu64" more region%s, not listed", more,
                  more == 1 ? "" : "s" );
        put_line( y + 1, A_NORMAL, text );
    }
    return 1 + rows + (more != 0);
}

/***********************************************************************
 *           draw_map
 *
 * The range of the selected region in all cells there are; a cell is a whole number of pages.
 */
static void draw_map( struct screen *screen, int y, int lines )
{
    const struct region_view *view = &screen->new.views[screen->selected];
    const struct process_view *process = &screen->source->process;
    uint64_t pages = view_pages( view, process ), per_cell, first, cells, i;
    int width = COLS > ADDRESS_WIDTH + 8 ? (COLS - ADDRESS_WIDTH) / 8 * 8 : 8;
    struct page_range range = screen->range;
    char text[256], bytes[32];
    uint8_t *classes;

    if (lines < 2) return;
    if (!range.count) range = (struct page_range){ 0, pages };
    per_cell = (range.count + width * (lines - 1) - 1) / (width * (lines - 1));
    screen->shown = per_cell * width;
    size_text( per_cell * process->page_size, bytes, sizeof(bytes) );
    snprintf( text, sizeof(text), "%"PRIx64", pages %"PRIu64" to %"PRIu64" of %"PRIu64
              ": a cell is %"PRIu64" page%s (%s)", view->counters.base, range.first,
              range.first + range.count - 1, pages, per_cell, per_cell == 1 ? "" : "s", bytes );
    put_line( y, A_UNDERLINE, text );
    cells = (range.count + per_cell - 1) / per_cell;
    if (!(classes = malloc( cells ))) return;
    view_cells( view, (struct page_range){ range.first, cells * per_cell }, cells, classes );
    for (i = 0; i < cells; i++)
    {
        first = range.first + i * per_cell;
        if (!(i % width))
            mvprintw( ++y, 0, "%14"PRIx64" ", view->counters.base + first * process->page_size );
        addch( CLASS_LETTERS[classes[i]] | class_style( classes[i] ) );
    }
    free( classes );
}

static void draw_legend( const struct screen *screen, int y )
{
    char text[32];
    int class, x = 0;

    for (class = CLASS_COUNT - 1; class >= 0; class--)
    {
        class_text( class, screen->source->process.interval, text, sizeof(text) );
        if (class == CLASS_UNWATCHED)
        {
            y++;
            x = 0;
        }
        mvaddch( y, x, CLASS_LETTERS[class] | class_style( class ) );
        mvaddstr( y, x + 2, text );
        x += strlen( text ) + 5;
    }
}

static void draw_help(void)
{
    static const char * const lines[] =
    {
        "up, down, j, k     choose a region",
        "+, -               zoom in or out",
        "left, right        move in the region",
        "0                  show the whole region",
        "space, p           pause, go on",
        "h, ?               show or leave this text",
        "q                  quit",
        "",
        "A cell has the letter of the hottest of its pages:",
        "W  written since the last sample, and not reset by the program since",
        "*  reset by the program, and seen written since the last sample",
        "w  written earlier, and not reset since",
        "+ -  reset, and seen written within the times of the legend",
        "o  in memory, and not seen written for longer than that",
        "s  swapped out;   .  never written;   ?  not watched by the kernel",
        "Pages that are written and reset between two looks are not seen: the",
        "counts of polls and pages have them.",
    };
    unsigned int i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) put_line( 3 + i, A_NORMAL, lines[i] );
}

void draw_screen( struct screen *screen )
{
    int y = 3, table = (LINES - 6) / 3;

    erase();
    draw_head( screen );
    if (screen->is_help) draw_help();
    else if (screen->new.count)
    {
        if (table < 2) table = 2;
        y += draw_table( screen, y - 1, table );
        draw_map( screen, y, LINES - 1 - LEGEND_LINES - y );
        draw_legend( screen, LINES - 1 - LEGEND_LINES );
    }
    else if (screen->samples) put_line( 3, A_NORMAL, "No memory is watched at the moment." );
    put_line( LINES - 1, A_REVERSE,
              "q quit  h help  up/down region  +/- zoom  left/right move  0 all  space pause " );
    refresh();
}

void draw_choice( const struct candidate *candidates, unsigned int count, unsigned int selected )
{
    unsigned int i, rows = LINES > 5 ? LINES - 4 : 1;
    unsigned int first = selected < rows ? 0 : selected - rows + 1;
    char text[256], bytes[32];

    erase();
    put_line( 0, A_BOLD, "Several processes watch memory: which one?" );
    put_line( 1, A_UNDERLINE, "    PID  REGIONS        SIZE  PROGRAM" );
    for (i = first; i < count && i < first + rows; i++)
    {
        size_text( candidates[i].bytes, bytes, sizeof(bytes) );
        snprintf( text, sizeof(text), "%c%6u %8"PRIu64" %11s  %s", i == selected ? '>' : ' ',
                  candidates[i].pid, candidates[i].regions, bytes, candidates[i].program );
        put_line( 2 + i - first, i == selected ? A_REVERSE : A_NORMAL, text );
    }
    put_line( LINES - 1, A_REVERSE, "up/down choose  Enter show  q quit " );
    refresh();
}
