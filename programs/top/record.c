/*
 * Writes recordings
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <inttypes.h>

#include "recording.h"

static int flush( FILE *file )
{
    if (!ferror( file ) && !fflush( file )) return 0;
    return errno ? -errno : -EIO;
}

int record_begin( FILE *file, const struct process_view *process )
{
    fprintf( file, "%s\n", RECORDING_MAGIC );
    fprintf( file, "program %s\npid %u\nword-size %u\npage-size %u\n", process->program,
             process->pid, process->word_size, process->page_size );
    fprintf( file, "wine %s\nkernel %s\nwritewatch %s\nmechanism %s\n", process->wine,
             process->kernel, process->version, process->mechanism );
    fprintf( file, "interval %.3f\nbegan %.3f\n", process->interval, process->began );
    return flush( file );
}

static void record_counters( FILE *file, const struct region_counters *counters )
{
    fprintf( file, " %"PRIu64" %"PRIu64" %"PRIu64" %"PRIu64" %"PRIu64"\n", counters->polls,
             counters->reset_polls, counters->resets, counters->pages, counters->reset_pages );
}

int record_sample( FILE *file, const struct snapshot *snapshot )
{
    const struct region_view *view;
    size_t i, run;

    fprintf( file, "sample %.3f %"PRIu64" %"PRIu64, snapshot->time, snapshot->regions,
             snapshot->bytes );
    record_counters( file, &snapshot->total );
    for (i = 0; i < snapshot->count; i++)
    {
        view = &snapshot->views[i];
        fprintf( file, "region %"PRIx64" %"PRIu64" %"PRIu64, view->counters.base,
                 view->counters.size, view->counters.shift );
        record_counters( file, &view->counters );
        fputs( "pages ", file );
        for (run = 0; run < view->run_count; run++)
            fprintf( file, "%"PRIu64"%c", view->runs[run].count,
                     CLASS_LETTERS[view->runs[run].class] );
        fputc( '\n', file );
    }
    fputs( "end\n", file );
    return flush( file );
}

int record_end( FILE *file )
{
    fputs( "ended\n", file );
    return flush( file );
}
