/*
 * Draws a picture as SVG
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "picture.h"
#include "text.h"
#include "utf8.h"

enum { WIDTH = 1000, HEIGHT = 620, LEFT = 190, RIGHT = 20, TOP = 84, BOTTOM = 104 };
enum { PLOT_WIDTH = WIDTH - LEFT - RIGHT, PLOT_HEIGHT = HEIGHT - TOP - BOTTOM };
enum { COLUMNS = PLOT_WIDTH / 2, MAX_ROWS = PLOT_HEIGHT / 4 };

static const char * const colours[CLASS_COUNT] =
{
    [CLASS_UNTOUCHED] = "#f4f4f4", [CLASS_CLEAN] = "#c3d5e8", [CLASS_SWAPPED] = "#5aae61",
    [CLASS_UNWATCHED] = "#808080", [CLASS_COOL] = "#fde5a6",  [CLASS_WARM] = "#fbb040",
    [CLASS_HELD] = "#8e5ea2",      [CLASS_HOT] = "#ee6a24",   [CLASS_WRITTEN] = "#b2182b",
};

/* what is drawn: the regions of all samples from top to bottom, and columns of time */
struct layout
{
    const struct picture  *picture;
    struct picture_region *regions;     /* base and size */
    size_t                 count;       /* that are drawn */
    size_t                 found;
    unsigned int           rows;        /* of a region */
    unsigned int           columns;
    double                 start, end;  /* in seconds */
    uint8_t               *cells;       /* [region][row][column], a class; CLASS_COUNT: none */
};

static void print_text( FILE *file, const char *text )
{
    unsigned int length;

    for (; *text; text += length)
    {
        length = utf8_length( text );
        if (!length)
        {
            fputs( "&#xfffd;", file );
            length = 1;
        }
        else if (*text == '<') fputs( "&lt;", file );
        else if (*text == '&') fputs( "&amp;", file );
        else fwrite( text, 1, length, file );
    }
}

/* anchor: start, middle or end */
static void draw_text( FILE *file, double x, double y, const char *anchor, const char *text )
{
    fprintf( file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor );
    print_text( file, text );
    fputs( "</text>\n", file );
}

static int compare_regions( const void *a, const void *b )
{
    const struct picture_region *left = a, *right = b;

    if (left->base != right->base) return left->base < right->base ? -1 : 1;
    return left->size < right->size ? -1 : left->size > right->size;
}

/* All regions of all samples, once. */
static int find_regions( struct layout *layout )
{
    const struct picture *picture = layout->picture;
    size_t i, sum = 0, count = 0;

    for (i = 0; i < picture->count; i++) sum += picture->samples[i].count;
    if (!(layout->regions = calloc( sum + 1, sizeof(*layout->regions) ))) return -ENOMEM;
    for (i = sum = 0; i < picture->count; i++)
    {
        memcpy( layout->regions + sum, picture->samples[i].regions,
                picture->samples[i].count * sizeof(*layout->regions) );
        sum += picture->samples[i].count;
    }
    qsort( layout->regions, sum, sizeof(*layout->regions), compare_regions );
    for (i = 0; i < sum; i++)
        if (!count || compare_regions( &layout->regions[count - 1], &layout->regions[i] ))
            layout->regions[count++] = layout->regions[i];
    layout->found = count;
    layout->count = count < PICTURE_REGIONS ? count : PICTURE_REGIONS;
    return 0;
}

/* what a sample says of the time since the one before */
static void fill_columns( struct layout *layout, size_t region, const uint8_t *cells, double from,
                          double to )
{
    double scale = layout->columns / (layout->end - layout->start);
    unsigned int first = lround( (from - layout->start) * scale ), row, column, cell;
    unsigned int last = lround( (to - layout->start) * scale );
    uint8_t *drawn, hottest;

    if (first >= layout->columns) first = layout->columns - 1;
    if (last <= first) last = first + 1;
    for (row = 0; row < layout->rows; row++)
    {
        hottest = 0;
        for (cell = row * PICTURE_CELLS / layout->rows;
             cell < (row + 1) * PICTURE_CELLS / layout->rows; cell++)
            if (cells[cell] > hottest) hottest = cells[cell];
        drawn = layout->cells + (region * layout->rows + row) * layout->columns;
        for (column = first; column < last; column++)
            if (drawn[column] == CLASS_COUNT || hottest > drawn[column]) drawn[column] = hottest;
    }
}

/* The first sample has nothing before it; alone it is drawn with the length of an interval. */
static int make_layout( struct layout *layout, const struct process_view *process )
{
    const struct picture *picture = layout->picture;
    const struct picture_sample *sample;
    struct picture_region *found;
    size_t i, j, size;
    int ret;

    if (!picture->count) return -ENODATA;
    if ((ret = find_regions( layout ))) return ret;
    layout->start = picture->samples[0].time - (picture->count == 1 ? process->interval : 0);
    layout->end   = picture->samples[picture->count - 1].time;
    if (layout->end <= layout->start) layout->end = layout->start + process->interval;
    layout->columns = COLUMNS;
    layout->rows = layout->count ? MAX_ROWS / layout->count : 1;
    if (!layout->rows) layout->rows = 1;
    size = layout->count * layout->rows * layout->columns;
    if (!(layout->cells = malloc( size + 1 ))) return -ENOMEM;
    memset( layout->cells, CLASS_COUNT, size );
    for (i = picture->count == 1 ? 0 : 1; i < picture->count; i++)
    {
        sample = &picture->samples[i];
        for (j = 0; j < sample->count; j++)
        {
            found = bsearch( &sample->regions[j], layout->regions, layout->count, sizeof(*found),
                             compare_regions );
            if (found)
                fill_columns( layout, found - layout->regions, sample->regions[j].cells,
                              i ? picture->samples[i - 1].time : layout->start, sample->time );
        }
    }
    return 0;
}

/* One path for each class, of rectangles that are as long as the class stays the same. */
static void draw_cells( FILE *file, const struct layout *layout )
{
    size_t row, rows = layout->count * layout->rows;
    double width = (double)PLOT_WIDTH / layout->columns, height = (double)PLOT_HEIGHT / rows;
    unsigned int class, column, end;
    const uint8_t *cells;

    for (class = 0; class < CLASS_COUNT; class++)
    {
        fprintf( file, "<path fill=\"%s\" shape-rendering=\"crispEdges\" d=\"", colours[class] );
        for (row = 0; row < rows; row++)
        {
            cells = layout->cells + row * layout->columns;
            for (column = 0; column < layout->columns; column = end)
            {
                for (end = column + 1; end < layout->columns; end++)
                    if (cells[end] != cells[column]) break;
                if (cells[column] != class) continue;
                fprintf( file, "M%.4g %.4gh%.4gv%.4gH%.4gz", LEFT + column * width,
                         TOP + row * height, (end - column) * width, height,
                         LEFT + column * width );
            }
        }
        fputs( "\"/>\n", file );
    }
}

static void draw_time( FILE *file, const struct layout *layout, const struct process_view *process )
{
    double length = layout->end - layout->start, step = pow( 10, floor( log10( length / 4 ) ) );
    double time, x;
    time_t began = process->began + layout->start;
    char text[128], date[64];

    if (length / step > 20) step *= 5;
    else if (length / step > 8) step *= 2;
    for (time = 0; time <= length * 1.0001; time += step)
    {
        x = LEFT + time / length * PLOT_WIDTH;
        fprintf( file, "<path stroke=\"black\" d=\"M%.1f %dv5\"/>\n", x, TOP + PLOT_HEIGHT );
        snprintf( text, sizeof(text), "%g", time );
        draw_text( file, x, TOP + PLOT_HEIGHT + 18, "middle", text );
    }
    strftime( date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", gmtime( &began ) );
    snprintf( text, sizeof(text), "time in seconds, since %s", date );
    draw_text( file, LEFT + PLOT_WIDTH / 2., TOP + PLOT_HEIGHT + 36, "middle", text );
}

static void draw_addresses( FILE *file, const struct layout *layout )
{
    double height = (double)PLOT_HEIGHT / (layout->count ? layout->count : 1), y, next = 0;
    unsigned int part, parts = height >= 200 ? 4 : height >= 80 ? 2 : 1;
    char text[96], bytes[32];
    size_t i;

    for (i = 0; i < layout->count; i++)
    {
        y = TOP + i * height;
        fprintf( file, "<path stroke=\"black\" d=\"M%d %.1fh%d\"/>\n", LEFT - 8, y,
                 i ? PLOT_WIDTH + 8 : 8 );
        if (y < next) continue;
        next = y + 11;
        size_text( layout->regions[i].size, bytes, sizeof(bytes) );
        snprintf( text, sizeof(text), "%"PRIx64" (%s)", layout->regions[i].base, bytes );
        draw_text( file, LEFT - 10, y + 10, "end", text );
        for (part = 1; part < parts; part++)
        {
            size_text( layout->regions[i].size / parts * part, bytes, sizeof(bytes) );
            snprintf( text, sizeof(text), "+ %s", bytes );
            draw_text( file, LEFT - 10, y + height * part / parts + 4, "end", text );
            fprintf( file, "<path stroke=\"black\" d=\"M%d %.1fh5\"/>\n", LEFT - 5,
                     y + height * part / parts );
        }
    }
    fprintf( file, "<text transform=\"translate(14 %d) rotate(-90)\" text-anchor=\"middle\">"
             "address: region (its size), distance from its base</text>\n", TOP + PLOT_HEIGHT / 2 );
}

static void draw_legend( FILE *file, const struct process_view *process )
{
    double x = LEFT - 120, y = HEIGHT - 44;
    char text[64];
    int class;

    for (class = CLASS_COUNT - 1; class >= 0; class--)
    {
        class_text( class, process->interval, text, sizeof(text) );
        fprintf( file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\" "
                 "stroke=\"#888\"/>\n", x, y, colours[class] );
        draw_text( file, x + 17, y + 11, "start", text );
        x += 45 + 6.6 * strlen( text );
    }
    draw_text( file, LEFT - 120, HEIGHT - 12, "start",
               "A cell has the colour of the first of these that one of its pages has. <: reset by "
               "the program, and seen written within this time." );
}

static void draw_titles( FILE *file, const struct layout *layout,
                         const struct process_view *process )
{
    const struct picture *picture = layout->picture;
    const struct snapshot *first = picture->count > 1 ? &picture->first : NULL;
    char text[512];
    size_t length;

    heading_text( process, text, sizeof(text) );
    fprintf( file, "<title>" );
    print_text( file, text );
    fputs( "</title>\n<g font-size=\"16\" font-weight=\"bold\">\n", file );
    draw_text( file, WIDTH / 2., 24, "middle", text );
    fputs( "</g>\n", file );
    snprintf( text, sizeof(text), "writewatch %s, %s", process->version, process->mechanism );
    draw_text( file, WIDTH / 2., 44, "middle", text );
    rates_text( first, &picture->last, text, sizeof(text) );
    length = strlen( text );
    if (layout->found > layout->count || picture->last.regions > picture->last.count)
        snprintf( text + length, sizeof(text) - length, "; %zu regions are drawn", layout->count );
    draw_text( file, WIDTH / 2., 64, "middle", text );
}

int picture_draw( const struct picture *picture, const struct process_view *process, FILE *file )
{
    struct layout layout = { .picture = picture };
    int ret = make_layout( &layout, process );

    if (!ret)
    {
        fprintf( file, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                 "viewBox=\"0 0 %d %d\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"12\">\n"
                 "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
                 WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT );
        draw_titles( file, &layout, process );
        if (layout.count) draw_cells( file, &layout );
        fprintf( file, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
                 "stroke=\"black\"/>\n", LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT );
        draw_time( file, &layout, process );
        draw_addresses( file, &layout );
        draw_legend( file, process );
        fputs( "</svg>\n", file );
        if (fflush( file ) || ferror( file )) ret = errno ? -errno : -EIO;
    }
    free( layout.regions );
    free( layout.cells );
    return ret;
}
