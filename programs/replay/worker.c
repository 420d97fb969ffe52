/*
 * One replay, in a process of its own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>

#include "platform.h"
#include "replay.h"
#include "worker.h"

#define STEP ((size_t)1 << 20)

static int fail( const char *text )
{
    fprintf( stderr, "replay: %s\n", text );
    return WORKER_FAILED;
}

/* reads all of standard input */
static char *read_input( size_t *len )
{
    char *text = NULL, *new;
    size_t room = 0, got;

    platform_binary_input();
    *len = 0;
    do
    {
        if (*len == room)
        {
            if (room > SIZE_MAX / 2 || !(new = realloc( text, room ? 2 * room : STEP )))
            {
                free( text );
                return NULL;
            }
            text = new;
            room = room ? 2 * room : STEP;
        }
        got = fread( text + *len, 1, room - *len, stdin );
        *len += got;
    } while (got);
    return text;
}

static void print_result( const struct replay_result *result )
{
    const struct { const char *name; uint64_t value; } values[] =
    {
        { "events", result->events }, { "polls", result->polls },
        { "skipped", result->skipped_polls }, { "pages", result->pages },
        { "written", result->written }, { "differ", result->differ },
        { "failed", result->failed }, { "write_ns", result->write_time },
        { "poll_ns", result->poll_time }, { "other_ns", result->other_time },
        { "bits", sizeof(void *) * 8 },
    };
    unsigned int i;

    printf( "result:" );
    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        printf( " %s=%llu", values[i].name, (unsigned long long)values[i].value );
    printf( " mechanism=%s\n", platform_mechanism() );
}

int worker_main( unsigned int index )
{
    struct replay_result result;
    struct record_error error;
    struct record record;
    struct plan plan;
    char reason[200], *text;
    size_t len;

    if (platform_open( reason, sizeof(reason) ))
    {
        printf( "unavailable: %s\n", reason );
        return WORKER_UNAVAILABLE;
    }
    if (!(text = read_input( &len ))) return fail( "not enough memory for the record" );
    if (read_record( &record, text, len, &error )) return fail( error.text );
    free( text );
    if (index >= record.count) return fail( "the record has no such process" );
    if (make_plan( &plan, &record.processes[index] ) ||
        run_plan( &result, &plan, &record.processes[index] ))
        return fail( "not enough memory for this record" );
    print_result( &result );
    free_plan( &plan );
    free_record( &record );
    return 0;
}
