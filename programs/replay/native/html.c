/*
 * Writes a page about a record
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

/* page.S */
extern const char html_page[];
extern const unsigned int html_page_size;

/* as JSON within HTML: no end of the script can be in it */
static void put_string( FILE *file, const char *name, const char *text )
{
    fprintf( file, "\"%s\":\"", name );
    for (; *text; text++)
    {
        if (*text == '"' || *text == '\\' || *text == '<' || *text == '>' || *text == '&' ||
            (unsigned char)*text < ' ' || (unsigned char)*text > '~')
            fprintf( file, "\\u%04x", (unsigned char)*text );
        else fputc( *text, file );
    }
    fputc( '"', file );
}

static void put_list( FILE *file, const char *name, const uint64_t *list )
{
    unsigned int i;

    fprintf( file, "\"%s\":[", name );
    for (i = 0; i < COLUMNS; i++) fprintf( file, "%s%" PRIu64, i ? "," : "", list[i] );
    fputc( ']', file );
}

static void put_heat( FILE *file, const struct front *front, const struct heat *heat )
{
    const struct allocation *alloc = &front->plan.allocs[heat->alloc];
    unsigned int row, column;
    const char *comma = "";

    fprintf( file, "{\"base\":\"0x%" PRIx64 "\",\"kib\":%" PRIu64 ",\"polls\":%" PRIu64
             ",\"pages\":%" PRIu64 ",\"rows\":%u,\"heat\":[", alloc->base, alloc->size / 1024,
             heat->polls, heat->pages, heat->rows );
    for (row = 0; row < heat->rows; row++)
        for (column = 0; column < COLUMNS; column++)
        {
            if (!heat->cells[row][column]) continue;
            fprintf( file, "%s[%u,%u,%" PRIu64 "]", comma, row, column, heat->cells[row][column] );
            comma = ",";
        }
    fputs( "]}", file );
}

static void put_hot_range( FILE *file, const struct front *front, const struct hot_range *range )
{
    uint64_t base = front->plan.allocs[range->alloc].base, size = front->process->page_size;

    fprintf( file, "{\"from\":\"0x%" PRIx64 "\",\"to\":\"0x%" PRIx64 "\",\"pages\":%" PRIu64
             ",\"times\":%" PRIu64 "}", base + range->first * size, base + range->end * size - 1,
             range->end - range->first, range->times );
}

static void put_run( FILE *file, const struct run *run )
{
    static const char * const states[] =
    {
        [RUN_DONE] = "done", [RUN_SKIPPED] = "skipped", [RUN_FAILED] = "failed",
    };

    fputc( '{', file );
    put_string( file, "label", run->label );
    fputc( ',', file );
    put_string( file, "note", run->note );
    fprintf( file, ",\"state\":\"%s\",\"polls\":%" PRIu64 ",\"pages\":%" PRIu64
             ",\"differ\":%" PRIu64 ",\"write_ms\":%.4f,\"poll_ms\":%.4f}",
             states[run->state], run->polls, run->pages,
             run->differ + run->failed, run->write_ns / 1e6, run->poll_ns / 1e6 );
}

static void put_data( FILE *file, const struct front *front, const struct picture *picture )
{
    unsigned int i;

    fputc( '{', file );
    put_string( file, "program", front->process->name );
    fprintf( file, ",\"pid\":%u,\"bits\":%u,\"seconds\":%.6f,\"left_out\":%" PRIu64
             ",\"columns\":%u,\"time\":{", front->process->pid, front->process->bits,
             (picture->end - picture->start) / 1e6,
             front->plan.skipped_polls + front->plan.unknown_polls, COLUMNS );
    put_list( file, "polls", picture->polls );
    fputc( ',', file );
    put_list( file, "pages", picture->pages );
    fprintf( file, "},\n\"others\":{\"regions\":%" PRIu64 ",\"pages\":%" PRIu64 "},\"regions\":[",
             picture->other_regions, picture->other_pages );
    for (i = 0; i < picture->heat_count; i++)
    {
        if (i) fputs( ",\n", file );
        put_heat( file, front, &picture->heats[i] );
    }
    fputs( "],\n\"hot\":[", file );
    for (i = 0; i < picture->hot_count; i++)
    {
        if (i) fputc( ',', file );
        put_hot_range( file, front, &picture->hot[i] );
    }
    fputs( "],\n\"runs\":[", file );
    for (i = 0; i < front->count; i++)
    {
        if (i) fputc( ',', file );
        put_run( file, &front->runs[i] );
    }
    fputs( "]}", file );
}

void write_html( const struct front *front, const char *path )
{
    static const char mark[] = "@DATA@";
    const char *data = memmem( html_page, html_page_size, mark, sizeof(mark) - 1 );
    struct picture *picture = make_picture( front );
    FILE *file;
    int failed;

    if (!picture || !data) fail( EXIT_USAGE, "there is not enough memory for the page" );
    if (!(file = fopen( path, "we" )))
        fail( EXIT_USAGE, "cannot write %s: %s", path, strerror( errno ) );
    fwrite( html_page, 1, data - html_page, file );
    put_data( file, front, picture );
    data += sizeof(mark) - 1;
    fwrite( data, 1, html_page + html_page_size - data, file );
    free( picture );
    failed = ferror( file );
    if (fclose( file ) || failed)
        fail( EXIT_USAGE, "cannot write all of %s: %s", path, strerror( errno ) );
}
