/*
 * Queries of a small region, of which a run of written pages is remembered
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define PAGES 100

#include <pthread.h>
#include <stdlib.h>

#include "model.h"

#include "engine/region.h"
#include "engine/region_step.h"
#include "scan/ask.h"
#include "scan/noted_run.h"
#include "steps.h"

static int done;

static uint64_t noted_word(void)
{
    struct watch_region *region = region_get( (uintptr_t)base, (uintptr_t)page( 1 ));
    uint64_t noted = scan_data( region )->blocks.noted;

    region_put( region );
    return noted;
}

/* that a run is remembered where it can be, and not longer */
static void test_knowledge(void)
{
    commit( 0, PAGES );
    write_pages( 0, PAGES );
    check( (uint32_t)noted_word() == NOTED_UNUSED );
    query( 0, PAGES, PAGES, 1 );
    reset_pages( 0, PAGES );
    check( (uint32_t)noted_word() == NOTED_UNUSED );

    write_pages( 10, 20 );
    query( 0, PAGES, PAGES, 0 );
    query( 0, PAGES, PAGES, 0 );
    check( is_noted( noted_word(), 10, 20 ) && !is_noted( noted_word(), 9, 20 ));
    check( !is_noted( noted_word(), 10, 21 ));
    query( 12, 17, 3, 0 );
    query( 12, 25, PAGES, 0 );
    query( 15, 16, 1, 1 );
    check( !is_noted( noted_word(), 10, 11 ));
    query( 10, 20, PAGES, 0 );

    write_pages( 15, 16 );
    query( 10, 20, PAGES, 0 );
    check( is_noted( noted_word(), 10, 20 ));
    drop_contents( 12, 13 );
    check( !is_noted( noted_word(), 10, 11 ));
    query( 0, PAGES, PAGES, 0 );
    query( 0, PAGES, PAGES, 1 );
}

/* nothing is remembered of a look beside which a reset began, or was in progress already */
static void test_order(void)
{
    struct watch_region *region = region_get( (uintptr_t)base, (uintptr_t)page( PAGES ));
    enum region_step step;
    uint64_t word = NOTED_FIRST, old = word;

    note_run( &word, old, 3, 5 );
    check( is_noted( word, 3, 5 ));
    old = word;
    noted_begin_reset( &word );
    check( !is_noted( word, 3, 5 ));
    note_run( &word, old, 3, 5 );
    check( !is_noted( word, 3, 5 ));
    note_run( &word, word, 3, 5 );
    check( is_noted( word, 3, 5 ));
    /* the number comes round */
    word = old = ~(uint32_t)0;
    noted_begin_reset( &word );
    check( word != old && (uint32_t)word >= NOTED_FIRST );

    /* another step is in progress all the time */
    step = enter_beside( region, (uintptr_t)base, (uintptr_t)page( PAGES ));
    check( step != STEP_NONE );
    write_pages( 30, 40 );
    query( 0, PAGES, PAGES, 0 );
    query( 0, PAGES, PAGES, 0 );
    check( !is_noted( noted_word(), 30, 40 ));
    leave_beside( region, step );
    query( 0, PAGES, PAGES, 0 );
    check( is_noted( noted_word(), 30, 40 ));
    query( 0, PAGES, PAGES, 1 );
    region_put( region );
}

/* a page of either end goes away: what is left is another region */
static void test_split(void)
{
    char *memory = mmap( NULL, bytes( 10 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    void *addresses[10];
    ULONG_PTR count;
    ULONG granularity;
    size_t i;

    check( !watch_add( memory, bytes( 10 )) && !watch_commit( memory, bytes( 10 )));
    for (i = 0; i < 10; i++) memory[bytes( i )] = 1;
    for (i = 0; i < 3; i++)
    {
        count = 10;
        check( !get_write_watch( 0, memory, bytes( 10 ), addresses, &count, &granularity ));
        check( count == 10 );
    }
    watch_remove( memory + bytes( 3 ), bytes( 1 ));
    check( !reset_write_watch( memory + bytes( 4 ), bytes( 3 )));
    for (i = 0; i < 3; i++)
    {
        count = 10;
        check( !get_write_watch( 0, memory + bytes( 4 ), bytes( 6 ), addresses, &count,
                                 &granularity ));
        check( count == 3 && addresses[0] == memory + bytes( 7 ));
    }
    watch_remove( memory, bytes( 10 ));
    munmap( memory, bytes( 10 ));
}

static void *ask_without_reset( void *arg )
{
    void *addresses[PAGES];
    ULONG granularity;

    while (!__atomic_load_n( &done, __ATOMIC_SEQ_CST ))
    {
        ULONG_PTR count = PAGES;

        if (get_write_watch( 0, base, bytes( PAGES ), addresses, &count, &granularity )) return arg;
    }
    return NULL;
}

/* only this thread writes: after a reset nothing is written, whatever another one asks */
static void test_race( unsigned int rounds )
{
    pthread_t thread;
    unsigned int i;
    void *failed;

    commit( 0, PAGES );
    reset_pages( 0, PAGES );
    __atomic_store_n( &done, 0, __ATOMIC_SEQ_CST );
    check( !pthread_create( &thread, NULL, ask_without_reset, (void *)"failed" ));
    for (i = 0; i < rounds && !unit_failures; i++)
    {
        /* few, so that the other one often looks when they are reset */
        write_pages( 0, 1 + rand() % 4 );
        if (!(rand() % 4)) query( 0, PAGES, PAGES, 0 );
        if (rand() & 1) reset_pages( 0, PAGES );
        else query( 0, PAGES, PAGES, 1 );
        query( 0, PAGES, PAGES, 0 );
    }
    __atomic_store_n( &done, 1, __ATOMIC_SEQ_CST );
    check( !pthread_join( thread, &failed ) && !failed );
}

int main(void)
{
    unsigned int seed, seeds = unit_share( 20 );
    char reason[160];

    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    /* of larger pages these are more than what counts as small */
    if (bytes( PAGES ) >= block_limits.min_size) block_limits.min_size = bytes( PAGES ) + 1;
    open_model();
    test_knowledge();
    test_order();
    test_split();
    for (seed = 1; seed <= seeds; seed++) test_random_steps( seed, 2000 );
    test_race( unit_share( 30000 ));
    return unit_result();
}
