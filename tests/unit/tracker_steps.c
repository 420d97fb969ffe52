/*
 * Queries that meet a tracker: a step that finds one holds the region, whatever the query began
 * with
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <signal.h>
#include <sys/mman.h>

#include "engine/step.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define SIZE (16 * page_size())

/* signals are blocked while a region is held */
static int is_held(void)
{
    sigset_t set;

    check( !sigprocmask( SIG_BLOCK, NULL, &set ));
    return sigismember( &set, SIGUSR1 );
}

/* one step of a query; whether it held the region */
static int step( struct watch_query *query )
{
    int held;

    check( !watch_enter( query ));
    held = is_held();
    watch_leave( query );
    check( !is_held() );
    return held;
}

static int run( const char *name )
{
    struct writewatch_tracker *tracker;
    struct watch_query query;
    uintptr_t start;
    int before, round;
    char *memory;

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    memory = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED && !writewatch_watch( memory, SIZE ));
    start = (uintptr_t)memory;
    for (round = 0; round < 3; round++)
    {
        check( !watch_begin( &query, start, start + SIZE ));
        before = step( &query );
        check( !writewatch_tracker_open( &tracker, memory, SIZE, 0 ));
        check( step( &query ) && step( &query ));
        writewatch_tracker_close( tracker );
        check( step( &query ) == before );
    }
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
