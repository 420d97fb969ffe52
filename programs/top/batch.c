/*
 * Without a screen: text, recordings, pictures
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "picture.h"
#include "recording.h"
#include "text.h"
#include "top.h"

/* what comes of the samples of one process */
struct batch
{
    const struct options *options;
    struct source        *source;
    struct snapshot       old, new;     /* the sample before, and the last one */
    unsigned int          samples;
    FILE                 *record;
    struct picture        picture;
};

static void sleep_for( double seconds )
{
    struct timespec time = { seconds, (seconds - (time_t)seconds) * 1e9 };

    nanosleep( &time, NULL );   /* a signal ends it */
}

/* Returns 0 or -1; a sentence has been printed then. */
static int keep_sample( struct batch *batch )
{
    const struct options *options = batch->options;
    int ret = 0;

    if (batch->record)
    {
        if (batch->samples == 1) ret = record_begin( batch->record, &batch->source->process );
        if (!ret) ret = record_sample( batch->record, &batch->new );
        if (ret) complain( "cannot write %s: %s", options->record, strerror( -ret ) );
    }
    if (!ret && (options->svg || options->png) &&
        (ret = picture_add( &batch->picture, &batch->source->process, &batch->new )))
        complain( "out of memory" );
    return ret ? -1 : 0;
}

/***********************************************************************
 *           take_samples
 *
 * Until the process or the recording ends, a signal comes, or time is up; with --once until there
 * are two samples of a living process. Returns 0 or -1.
 */
static int take_samples( struct batch *batch )
{
    const struct options *options = batch->options;
    struct snapshot snapshot = { 0 };
    enum source_result result;
    double wait;

    while (!end_signal)
    {
        result = batch->source->work( batch->source, &snapshot, &wait );
        if (result == SOURCE_FAILED)
        {
            complain( "%s", batch->source->problem );
            return -1;
        }
        if (result == SOURCE_ENDED) break;
        if (result == SOURCE_SAMPLE)
        {
            snapshot_free( &batch->old );
            batch->old = batch->new;
            batch->new = snapshot;
            snapshot = (struct snapshot){ 0 };
            batch->samples++;
            if (keep_sample( batch )) return -1;
            if (!batch->source->is_recording && options->once && batch->samples >= 2) break;
            if (options->seconds && batch->new.time >= options->seconds) break;
        }
        if (wait > 0) sleep_for( wait );
    }
    return 0;
}

/* Writes what is written at the end. */
static int finish( struct batch *batch )
{
    const struct options *options = batch->options;
    const struct process_view *process = &batch->source->process;
    int ret = 0;

    if (batch->record && batch->source->has_ended && record_end( batch->record ))
    {
        complain( "cannot write %s: %s", options->record, strerror( errno ) );
        ret = -1;
    }
    if (options->svg && write_svg( &batch->picture, process, options->svg )) ret = -1;
    if (options->png && write_png( &batch->picture, process, options->png )) ret = -1;
    return ret;
}

static void print_last( const struct batch *batch, const char *separator )
{
    const struct snapshot *old = batch->samples > 1 ? &batch->old : NULL;

    fputs( separator, stdout );
    if (batch->options->json) print_json( stdout, &batch->source->process, old, &batch->new );
    else print_snapshot( stdout, &batch->source->process, old, &batch->new );
}

/* Takes samples and does with them all that is asked for. Returns 0 or -1. */
static int work( struct batch *batch )
{
    const struct process_view *process = &batch->source->process;
    int ret = -1;

    if (take_samples( batch )) return -1;
    if (batch->samples) ret = finish( batch );
    if (!batch->source->is_recording && batch->source->has_ended)
    {
        complain( "process %u (%s) has ended%s", process->pid, process->program,
                  batch->samples ? "" : ", before it was seen" );
        if (batch->options->once) ret = -1;
    }
    else if (!batch->samples) complain( "interrupted before anything was seen" );
    return ret;
}

static void free_batch( struct batch *batch )
{
    picture_free( &batch->picture );
    snapshot_free( &batch->old );
    snapshot_free( &batch->new );
}

int run_batch( const struct options *options, struct source *source, const char *separator )
{
    struct batch batch = { .options = options, .source = source };
    int ret;

    if (options->record && !(batch.record = fopen( options->record, "we" )))
    {
        complain( "cannot write %s: %s", options->record, strerror( errno ) );
        return 1;
    }
    ret = work( &batch );
    if (batch.record && fclose( batch.record ) && !ret)
    {
        complain( "cannot write %s: %s", options->record, strerror( errno ) );
        ret = -1;
    }
    if (!ret && options->once) print_last( &batch, separator );
    free_batch( &batch );
    return ret ? 1 : 0;
}
