/*
 * Snapshots as JSON
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <inttypes.h>

#include "text.h"
#include "utf8.h"

/* Bytes that are not of UTF-8 become a sign that says that they are not. */
static void print_string( FILE *file, const char *name, const char *value )
{
    unsigned int length;

    fprintf( file, "\"%s\": \"", name );
    for (; *value; value += length)
    {
        if (!(length = utf8_length( value )))
        {
            fputs( "\\ufffd", file );
            length = 1;
            continue;
        }
        if (*value == '"' || *value == '\\') fputc( '\\', file );
        fwrite( value, 1, length, file );
    }
    fputc( '"', file );
}

static void print_counters( FILE *file, const struct region_counters *counters,
                            const struct rates *rates )
{
    fprintf( file, "\"polls\": %"PRIu64", \"reset_polls\": %"PRIu64", \"resets\": %"PRIu64
             ", \"pages\": %"PRIu64", \"reset_pages\": %"PRIu64, counters->polls,
             counters->reset_polls, counters->resets, counters->pages, counters->reset_pages );
    if (rates->are_known)
        fprintf( file, ", \"polls_a_second\": %.3f, \"pages_a_second\": %.3f", rates->polls,
                 rates->pages );
}

static void print_region( FILE *file, const struct snapshot *old, const struct snapshot *new,
                          const struct region_view *view )
{
    struct page_sums sums = view_sums( view );
    struct rates rates = view_rates( old, new, view );
    size_t run;

    /* a number of 64 bits is more than what JavaScript can hold */
    fprintf( file, "    { \"base\": \"0x%"PRIx64"\", \"size\": %"PRIu64", \"granularity\": %"PRIu64
             ",\n      ", view->counters.base, view->counters.size,
             (uint64_t)1 << view->counters.shift );
    print_counters( file, &view->counters, &rates );
    fprintf( file, ",\n      \"written\": %"PRIu64", \"recent\": %"PRIu64", \"touched\": %"PRIu64
             ", \"swapped\": %"PRIu64",\n      \"map\": \"", sums.written, sums.recent,
             sums.touched, sums.swapped );
    for (run = 0; run < view->run_count; run++)
        fprintf( file, "%"PRIu64"%c", view->runs[run].count, CLASS_LETTERS[view->runs[run].class] );
    fputs( "\" }", file );
}

void print_json( FILE *file, const struct process_view *process, const struct snapshot *old,
                 const struct snapshot *new )
{
    struct rates rates = { 0 };
    size_t i;

    if (old) rates = rates_between( &old->total, &new->total, new->time - old->time );
    fprintf( file, "{ \"pid\": %u, \"word_size\": %u, \"page_size\": %u,\n  ", process->pid,
             process->word_size, process->page_size );
    print_string( file, "program", process->program );
    fputs( ", ", file );
    print_string( file, "wine", process->wine );
    fputs( ",\n  ", file );
    print_string( file, "kernel", process->kernel );
    fputs( ", ", file );
    print_string( file, "writewatch", process->version );
    fputs( ",\n  ", file );
    print_string( file, "mechanism", process->mechanism );
    fprintf( file, ",\n  \"interval\": %.3f, \"time\": %.3f, \"began\": %.3f,\n  "
             "\"regions\": %"PRIu64", \"bytes\": %"PRIu64",\n  ", process->interval, new->time,
             process->began, new->regions, new->bytes );
    print_counters( file, &new->total, &rates );
    fputs( ",\n  \"listed\": [", file );
    for (i = 0; i < new->count; i++)
    {
        fputs( i ? ",\n" : "\n", file );
        print_region( file, old, new, &new->views[i] );
    }
    fputs( " ] }", file );
}
