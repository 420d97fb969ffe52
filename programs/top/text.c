/*
 * Snapshots as text
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <inttypes.h>
#include <string.h>

#include "text.h"

#define ROW_CELLS  64
#define MAX_ROWS   8
#define FEW        4    /* regions that have so many rows, where others have one */

struct page_sums view_sums( const struct region_view *view )
{
    uint64_t counts[CLASS_COUNT];
    struct page_sums sums;

    view_count( view, counts );
    sums.written = counts[CLASS_WRITTEN] + counts[CLASS_HELD];
    sums.recent  = counts[CLASS_HOT] + counts[CLASS_WARM] + counts[CLASS_COOL];
    sums.swapped = counts[CLASS_SWAPPED];
    sums.touched = sums.written + sums.recent + sums.swapped + counts[CLASS_CLEAN];
    return sums;
}

void heading_text( const struct process_view *process, char *text, size_t size )
{
    snprintf( text, size, "%s (process %u, %u bits), %s, Linux %s", process->program, process->pid,
              process->word_size * 8, process->wine[0] ? process->wine : "no Wine",
              process->kernel );
}

static void number_text( double value, char *text, size_t size )
{
    snprintf( text, size, "%.*f", value < 10 && value != (uint64_t)value ? 1 : 0, value );
}

void rates_text( const struct snapshot *old, const struct snapshot *new, char *text, size_t size )
{
    char bytes[32], polls[32], pages[32], a_poll[32];
    struct rates rates = { 0 };
    int length;

    if (old) rates = rates_between( &old->total, &new->total, new->time - old->time );
    size_text( new->bytes, bytes, sizeof(bytes) );
    length = snprintf( text, size, "%"PRIu64" region%s, %s", new->regions,
                       new->regions == 1 ? "" : "s", bytes );
    if (!rates.are_known || length >= (int)size) return;
    number_text( rates.polls, polls, sizeof(polls) );
    number_text( rates.pages, pages, sizeof(pages) );
    number_text( rates.a_poll, a_poll, sizeof(a_poll) );
    snprintf( text + length, size - length, "; %s polls/s, %s pages/s, %s pages a poll", polls,
              pages, a_poll );
}

void row_text( const struct snapshot *old, const struct snapshot *new,
               const struct region_view *view, char *text, size_t size )
{
    struct rates rates = view_rates( old, new, view );
    struct page_sums sums = view_sums( view );
    char bytes[32], polls[32] = "-", a_poll[32] = "-";

    size_text( view->counters.size, bytes, sizeof(bytes) );
    if (rates.are_known) number_text( rates.polls, polls, sizeof(polls) );
    if (rates.polls > 0) number_text( rates.a_poll, a_poll, sizeof(a_poll) );
    snprintf( text, size, "%-14"PRIx64"%10s %8s %10s %8"PRIu64" %8"PRIu64" %8"PRIu64" %7"PRIu64,
              view->counters.base, bytes, polls, a_poll, sums.written, sums.recent, sums.touched,
              sums.swapped );
}

static void print_map( FILE *file, const struct process_view *process,
                       const struct region_view *view, unsigned int rows )
{
    uint64_t pages = view_pages( view, process ), row, per_row, first;
    unsigned int cells, cell;
    uint8_t classes[ROW_CELLS];
    char bytes[32];

    /* all pages of a row are in cells of the same size, but for the last row */
    per_row = (pages + rows - 1) / rows;
    if (per_row < ROW_CELLS) per_row = ROW_CELLS;
    per_row = (per_row + ROW_CELLS - 1) / ROW_CELLS * ROW_CELLS;
    size_text( per_row / ROW_CELLS * process->page_size, bytes, sizeof(bytes) );
    fprintf( file, "\n%"PRIx64": a cell is %"PRIu64" page%s (%s)\n", view->counters.base,
             per_row / ROW_CELLS, per_row == ROW_CELLS ? "" : "s", bytes );
    for (row = 0; row < rows && row * per_row < pages; row++)
    {
        first = row * per_row;
        cells = ROW_CELLS;
        if (pages - first < per_row) cells = (pages - first + per_row / ROW_CELLS - 1) /
                                             (per_row / ROW_CELLS);
        view_cells( view, (struct page_range){ first, per_row / ROW_CELLS * cells }, cells,
                    classes );
        fprintf( file, "%14"PRIx64" ", view->counters.base + first * process->page_size );
        for (cell = 0; cell < cells; cell++) fputc( CLASS_LETTERS[classes[cell]], file );
        fputc( '\n', file );
    }
}

static void print_legend( FILE *file, double interval )
{
    char text[32];
    int class;

    fputc( '\n', file );
    for (class = CLASS_COUNT - 1; class >= 0; class--)
    {
        class_text( class, interval, text, sizeof(text) );
        fprintf( file, "%c %s%s", CLASS_LETTERS[class], text, class ? "  " : "\n" );
    }
}

void print_snapshot( FILE *file, const struct process_view *process, const struct snapshot *old,
                     const struct snapshot *new )
{
    char text[512];
    size_t i;

    heading_text( process, text, sizeof(text) );
    fprintf( file, "%s\n", text );
    fprintf( file, "writewatch %s, %s\n", process->version, process->mechanism );
    rates_text( old, new, text, sizeof(text) );
    fprintf( file, "%s\n", text );
    if (new->count) fprintf( file, "\n%s\n", TABLE_HEADING );
    for (i = 0; i < new->count; i++)
    {
        row_text( old, new, &new->views[i], text, sizeof(text) );
        fprintf( file, "%s\n", text );
    }
    if (new->regions > new->count)
        fprintf( file, "%"PRIu64" more region%s, not listed\n", new->regions - new->count,
                 new->regions - new->count == 1 ? "" : "s" );
    for (i = 0; i < new->count; i++)
        print_map( file, process, &new->views[i], new->count <= FEW ? MAX_ROWS : 1 );
    if (new->count) print_legend( file, process->interval );
}
