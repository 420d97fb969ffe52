/*
 * Samples of a recording
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"
#include "source.h"

struct replay
{
    struct source   source;
    FILE           *file;
    char           *line;       /* without its end */
    size_t          room;
    unsigned int    number;     /* of the line */
    int             at_end;     /* there was no other line */
    char            path[160];
    int             in_time;
    double          start;      /* when the first sample was shown */
    double          first;      /* its time */
    double          last;       /* that of the last one */
    int             samples;
    struct snapshot next;       /* what is to be shown when its time has come */
    int             has_next;
};

__attribute__((format( printf, 2, 3 )))
static enum source_result fail( struct replay *replay, const char *format, ... )
{
    char text[80];
    va_list args;

    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    snprintf( replay->source.problem, sizeof(replay->source.problem), "%.150s: line %u: %s",
              replay->path, replay->number, text );
    return SOURCE_FAILED;
}

/* A line that was cut off is none. */
static int read_line( struct replay *replay )
{
    ssize_t size = getline( &replay->line, &replay->room, replay->file );

    replay->at_end = size <= 0;
    if (size <= 0) return 0;
    replay->number++;
    if (replay->line[size - 1] != '\n' || memchr( replay->line, 0, size )) return 0;
    replay->line[size - 1] = 0;
    return 1;
}

/* Reads count numbers, each behind a space, up to the end of the text. */
static int read_numbers( const char *text, uint64_t *numbers, unsigned int count )
{
    unsigned int i;
    char *end;

    for (i = 0; i < count; i++)
    {
        if (text[0] != ' ' || text[1] < '0' || text[1] > '9') return 0;
        errno = 0;
        numbers[i] = strtoull( text, &end, 10 );
        if (errno) return 0;
        text = end;
    }
    return !*text;
}

static void set_counters( struct region_counters *counters, const uint64_t *numbers )
{
    counters->polls       = numbers[0];
    counters->reset_polls = numbers[1];
    counters->resets      = numbers[2];
    counters->pages       = numbers[3];
    counters->reset_pages = numbers[4];
}

/* Appends the runs of a line, which must be all pages of the region. */
static enum source_result read_pages( struct replay *replay, struct region_view *view )
{
    uint64_t left = view_pages( view, &replay->source.process ), count;
    const char *letter, *text;
    char *end;

    if (!read_line( replay ) || strncmp( replay->line, "pages ", 6 ))
        return fail( replay, "the pages of a region are missing" );
    for (text = replay->line + 6; *text; text = end + 1)
    {
        if (*text < '1' || *text > '9') return fail( replay, "a number of pages is missing" );
        count = strtoull( text, &end, 10 );
        if (!*end || !(letter = strchr( CLASS_LETTERS, *end )))
            return fail( replay, "pages of an unknown kind" );
        if (count > left) return fail( replay, "more pages than the region has" );
        if (view_add( view, count, letter - CLASS_LETTERS )) return fail( replay, "out of memory" );
        left -= count;
    }
    return left ? fail( replay, "fewer pages than the region has" ) : SOURCE_NONE;
}

static enum source_result read_region( struct replay *replay, struct snapshot *snapshot )
{
    uint64_t numbers[7], page_size = replay->source.process.page_size;
    struct region_view *grown, *view;
    char *end;

    grown = realloc( snapshot->views, (snapshot->count + 1) * sizeof(*grown) );
    if (!grown) return fail( replay, "out of memory" );
    snapshot->views = grown;
    view = &grown[snapshot->count++];
    *view = (struct region_view){ 0 };
    view->counters.base = strtoull( replay->line + 7, &end, 16 );
    if (!read_numbers( end, numbers, 7 )) return fail( replay, "a region has other numbers" );
    view->counters.size  = numbers[0];
    view->counters.shift = numbers[1];
    set_counters( &view->counters, numbers + 2 );
    if (!numbers[0] || numbers[0] % page_size || view->counters.base % page_size ||
        view->counters.base + numbers[0] < numbers[0] || numbers[1] > 30)
        return fail( replay, "a region that cannot be" );
    if (view > grown && view[-1].counters.base + view[-1].counters.size > view->counters.base)
        return fail( replay, "regions overlap or are not in order" );
    return read_pages( replay, view );
}

/***********************************************************************
 *           read_sample
 *
 * Reads the next sample into replay->next.
 */
static enum source_result read_sample( struct replay *replay )
{
    struct snapshot *next = &replay->next;
    enum source_result result;
    uint64_t numbers[7];
    char *end;

    snapshot_free( next );
    if (!read_line( replay ))
        return replay->at_end ? SOURCE_ENDED : fail( replay, "a line is cut off or no text" );
    if (!strcmp( replay->line, "ended" ))
    {
        replay->source.has_ended = 1;
        return SOURCE_ENDED;
    }
    if (strncmp( replay->line, "sample ", 7 )) return fail( replay, "no sample begins here" );
    next->time = strtod( replay->line + 7, &end );
    if (!(next->time >= replay->last && next->time < 1e12) || !read_numbers( end, numbers, 7 ))
        return fail( replay, "a sample has other numbers" );
    next->regions = numbers[0];
    next->bytes   = numbers[1];
    set_counters( &next->total, numbers + 2 );
    for (;;)
    {
        if (!read_line( replay )) return fail( replay, "a sample is cut off" );
        if (!strcmp( replay->line, "end" )) break;
        if (strncmp( replay->line, "region ", 7 )) return fail( replay, "no region begins here" );
        if ((result = read_region( replay, next ))) return result;
    }
    if (next->regions < next->count) return fail( replay, "more regions than there were" );
    replay->has_next = 1;
    replay->last = next->time;
    return SOURCE_SAMPLE;
}

static enum source_result replay_work( struct source *source, struct snapshot *snapshot,
                                       double *wait )
{
    struct replay *replay = (struct replay *)source;
    enum source_result result;

    *wait = 0;
    if (!replay->has_next && (result = read_sample( replay )) != SOURCE_SAMPLE) return result;
    if (!replay->samples)
    {
        replay->first = replay->next.time;
        replay->start = clock_seconds();
    }
    if (replay->in_time)
    {
        *wait = replay->start + replay->next.time - replay->first - clock_seconds();
        if (*wait > 0) return SOURCE_NONE;
        *wait = 0;
    }
    replay->samples++;
    replay->has_next = 0;
    snapshot_free( snapshot );
    *snapshot = replay->next;
    replay->next = (struct snapshot){ 0 };
    return SOURCE_SAMPLE;
}

void replay_in_time( struct source *source )
{
    ((struct replay *)source)->in_time = 1;
}

void replay_paused( struct source *source, double seconds )
{
    ((struct replay *)source)->start += seconds;
}

static void replay_close( struct source *source )
{
    struct replay *replay = (struct replay *)source;

    snapshot_free( &replay->next );
    if (replay->file) fclose( replay->file );
    free( replay->line );
    free( replay );
}

/* "NAME VALUE" into a text or a number, whichever is not NULL */
static int read_header( struct replay *replay, const char *name, char *text, size_t size,
                        double *number )
{
    size_t length = strlen( name );
    char *value, *p;

    if (!read_line( replay ) || strncmp( replay->line, name, length ) ||
        replay->line[length] != ' ') return 0;
    value = replay->line + length + 1;
    for (p = value; *p; p++) if ((unsigned char)*p < ' ' || *p == 0x7f) *p = '?';
    if (text) snprintf( text, size, "%s", value );
    else
    {
        *number = strtod( value, &p );
        if (p == value || *p || !(*number >= 0 && *number < 1e15)) return 0;
    }
    return 1;
}

#define READ_TEXT( name, field ) \
    read_header( replay, name, process->field, sizeof(process->field), NULL )
#define READ_NUMBER( name, variable ) read_header( replay, name, NULL, 0, &(variable) )

static int read_headers( struct replay *replay )
{
    struct process_view *process = &replay->source.process;
    double pid, word_size, page_size;

    if (!read_line( replay ) || strcmp( replay->line, RECORDING_MAGIC )) return 0;
    if (!READ_TEXT( "program", program ) || !READ_NUMBER( "pid", pid ) ||
        !READ_NUMBER( "word-size", word_size ) || !READ_NUMBER( "page-size", page_size ) ||
        !READ_TEXT( "wine", wine ) || !READ_TEXT( "kernel", kernel ) ||
        !READ_TEXT( "writewatch", version ) || !READ_TEXT( "mechanism", mechanism ) ||
        !READ_NUMBER( "interval", process->interval ) || !READ_NUMBER( "began", process->began ))
        return 0;
    if (pid > INT32_MAX || (word_size != 4 && word_size != 8) || page_size < 4096 ||
        page_size > 1 << 30 || ((uint32_t)page_size & ((uint32_t)page_size - 1)) ||
        process->interval <= 0) return 0;
    process->pid       = pid;
    process->word_size = word_size;
    process->page_size = page_size;
    return 1;
}

struct source *replay_open( const char *path, char *problem )
{
    struct replay *replay = calloc( 1, sizeof(*replay) );

    if (!replay)
    {
        snprintf( problem, 256, "out of memory" );
        return NULL;
    }
    replay->source.work  = replay_work;
    replay->source.close = replay_close;
    replay->source.is_recording = 1;
    snprintf( replay->path, sizeof(replay->path), "%s", path );
    if (!(replay->file = fopen( path, "re" )))
        snprintf( problem, 256, "cannot read %.150s: %s", path, strerror( errno ) );
    else if (!read_headers( replay ))
        snprintf( problem, 256, "%.150s is not a recording of writewatch-top: line %u", path,
                  replay->number + !replay->number );
    else if (read_sample( replay ) != SOURCE_SAMPLE)
        snprintf( problem, 256, "%s", *replay->source.problem ? replay->source.problem
                  : "the recording has no sample" );
    else return &replay->source;
    replay_close( &replay->source );
    return NULL;
}
