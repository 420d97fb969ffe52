/*
 * The index of regions against a plain array
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "engine/region_step.h"
#include "sys/page.h"
#include "steps.h"
#include "unit.h"

/* Addresses are never touched: the index only compares them. */
#define BASE  ((uintptr_t)0x40000000)
#define PAGES 512

/* of regions that are never queried */
static const struct watch_backend no_backend;

static unsigned int owner[PAGES];   /* 0: not watched, otherwise which region */
static unsigned int next_owner = 1;

static uintptr_t addr( size_t page )
{
    return BASE + (page << page_shift);
}

static void model_insert( size_t first, size_t last )
{
    while (first < last) owner[first++] = next_owner;
    next_owner++;
}

/* what is left on the right of a hole is a region of its own */
static void model_remove( size_t first, size_t last )
{
    unsigned int split = last < PAGES ? owner[last] : 0;
    size_t i;

    for (i = first; i < last; i++) owner[i] = 0;
    if (!split || !first || owner[first - 1] != split) return;
    for (i = last; i < PAGES && owner[i] == split; i++) owner[i] = next_owner;
    next_owner++;
}

static int model_contains( size_t first, size_t last )
{
    size_t i;

    for (i = first; i < last; i++) if (!owner[i] || owner[i] != owner[first]) return 0;
    return 1;
}

static int model_overlaps( size_t first, size_t last )
{
    size_t i;

    for (i = first; i < last; i++) if (owner[i]) return 1;
    return 0;
}

static void test_random_changes( unsigned int seed )
{
    unsigned int step;

    srand( seed );
    for (step = 0; step < 20000 && !unit_failures; step++)
    {
        size_t first = rand() % PAGES, last = first + 1 + rand() % 16;
        struct watch_region *region;

        if (last > PAGES) last = PAGES;
        switch (rand() % 4)
        {
        case 0:
            check( !region_remove( addr( first ), addr( last )));
            model_remove( first, last );
            check( region_insert( addr( first ), addr( last ), &no_backend ) != NULL );
            model_insert( first, last );
            break;
        case 1:
            check( !region_remove( addr( first ), addr( last )));
            model_remove( first, last );
            break;
        default:
            check( region_contains( addr( first ), addr( last )) == model_contains( first, last ));
            check( region_overlaps( addr( first ), addr( last )) == model_overlaps( first, last ));
            region = region_get( addr( first ), addr( last ));
            check( !!region == model_contains( first, last ));
            if (!region) break;
            check( region->base <= addr( first ) && region->end >= addr( last ));
            check( region->readers == 1 );
            region_put( region );
            check( region->readers == 0 );
        }
    }
    if (unit_failures) fprintf( stderr, "seed %u, step %u\n", seed, step );
    region_remove( BASE, addr( PAGES ));
    memset( owner, 0, sizeof(owner) );
}

/* a region that a thread still reads is not used anew */
static void test_late_reader(void)
{
    struct watch_region *held, *other;

    check( region_insert( addr( 0 ), addr( 4 ), &no_backend ) != NULL );
    check( (held = region_get( addr( 1 ), addr( 2 ))) != NULL );
    check( region_marks( held ) != NULL );
    marks_set( held->marks, addr( 1 ), addr( 2 ));
    check( !region_remove( addr( 0 ), addr( 4 )));
    check( region_insert( addr( 0 ), addr( 4 ), &no_backend ) != NULL );
    check( (other = region_get( addr( 1 ), addr( 2 ))) != NULL );
    check( other != held );
    check( !other->marks );
    check( marks_peek( held->marks, addr( 1 ), addr( 2 )) == 1 );
    region_put( other );
    region_put( held );
    check( !region_remove( addr( 0 ), addr( 4 )));
}

/* several steps at once, which end in any order: the region is in use until the last has ended */
static void test_steps_together( struct watch_region *region )
{
    static const unsigned char orders[][4] =
        { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 0, 3, 2 }, { 2, 3, 0, 1 } };
    enum region_step steps[4];
    unsigned int i, j;

    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
    {
        for (j = 0; j < 4; j++)
            check( (steps[j] = enter_beside( region, addr( j ), addr( j + 1 ))) ==
                   (j ? STEP_COUNTED : STEP_FIRST) );
        for (j = 0; j < 4; j++)
        {
            check( region_has_steps( region ));
            leave_beside( region, steps[orders[i][j]] );
        }
        check( !region_has_steps( region ));
    }
}

/* a step begins in the region that was found or not at all, whatever has become of it */
static void test_late_step(void)
{
    struct watch_region *found, *other;
    enum region_step first, second;

    check( region_insert( addr( 0 ), addr( 4 ), &no_backend ) != NULL );
    check( (found = region_find( addr( 1 ), addr( 2 ))) != NULL );
    check( !region_has_steps( found ));
    check( (first = enter_beside( found, addr( 1 ), addr( 2 ))) == STEP_FIRST );
    check( (second = enter_beside( found, addr( 0 ), addr( 4 ))) == STEP_COUNTED );
    leave_beside( found, first );
    check( region_has_steps( found ));
    check( (first = enter_beside( found, addr( 1 ), addr( 2 ))) == STEP_FIRST );
    leave_beside( found, second );
    check( region_has_steps( found ));
    leave_beside( found, first );
    check( !region_has_steps( found ));
    test_steps_together( found );

    check( enter_beside( found, addr( 3 ), addr( 5 )) == STEP_NONE );
    check( !region_remove( addr( 0 ), addr( 4 )));
    check( enter_beside( found, addr( 1 ), addr( 2 )) == STEP_NONE );
    check( region_insert( addr( 50 ), addr( 54 ), &no_backend ) != NULL );
    check( (other = region_find( addr( 51 ), addr( 52 ))) == found );
    check( enter_beside( found, addr( 1 ), addr( 2 )) == STEP_NONE );
    check( !region_has_steps( found ));

    /* one in a region that is gone keeps it from becoming another one */
    check( !region_remove( addr( 50 ), addr( 54 )));
    found->steps = 1;
    other = region_insert( addr( 60 ), addr( 61 ), &no_backend );
    check( other && other != found );
    found->steps = 0;
    check( !region_remove( addr( 60 ), addr( 61 )));
}

/* While regions come and go in the places of others, what is true when a step begins stays true
 * until it ends. */
static int changes_made;
static unsigned long steps_made;

static void *make_steps( void *arg )
{
    unsigned int seed = (uintptr_t)arg, i;

    while (!__atomic_load_n( &changes_made, __ATOMIC_SEQ_CST ))
    {
        size_t page = rand_r( &seed ) % 64;
        struct watch_region *region = region_find( addr( page ), addr( page + 1 ));
        enum region_step step;
        uintptr_t base, end;

        if (!region || !(step = enter_beside( region, addr( page ), addr( page + 1 )))) continue;
        base = region->base;
        end  = region->end;
        check( base <= addr( page ) && addr( page + 1 ) <= end );
        for (i = 0; i < 64; i++) check( region_contains( base, end ));
        leave_beside( region, step );
        __atomic_fetch_add( &steps_made, 1, __ATOMIC_RELAXED );
    }
    return NULL;
}

static void test_steps_beside_changes(void)
{
    pthread_t threads[2];
    size_t first, last;
    unsigned int i;

    for (i = 0; i < 2; i++)
        check( !pthread_create( &threads[i], NULL, make_steps, (void *)(i + 1ul) ));
    srand( 1 );
    for (i = 0; i < 1000000; i++)
    {
        if (i >= 4000 && __atomic_load_n( &steps_made, __ATOMIC_RELAXED ) >= 500) break;
        first = rand() % 64;
        last  = first + 1 + rand() % 16;
        check( !region_remove( addr( first ), addr( last )));
        check( region_insert( addr( first ), addr( last ), &no_backend ) != NULL );
    }
    __atomic_store_n( &changes_made, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < 2; i++) pthread_join( threads[i], NULL );
    check( steps_made >= 500 );
    check( !region_remove( addr( 0 ), addr( 100 )));
}

/* What a step does to a region that is about to be split: called before it is said to be gone. */
static void (*before_gone)( struct watch_region *region );

void __real_region_set_state( struct watch_region *region, unsigned int state );

void __wrap_region_set_state( struct watch_region *region, unsigned int state )
{
    void (*step)( struct watch_region * ) = before_gone;

    before_gone = NULL;
    if (state == REGION_GONE && step) step( region );
    else before_gone = step;
    __real_region_set_state( region, state );
}

static void step_marks_pages( struct watch_region *region )
{
    check( region_marks( region ) != NULL );
    marks_set( region->marks, addr( 10 ), addr( 80 ));
}

static void step_has_no_memory( struct watch_region *region )
{
    region->lost = 1;
}

/* whether pages [first, last) of what is left count as written, or all of them */
static void check_left( uintptr_t start, uintptr_t end, uintptr_t first, uintptr_t last, int lost )
{
    struct watch_region *region = region_get( start, end );

    check( region != NULL );
    if (!region) return;
    check( region->lost == (unsigned int)lost );
    if (!lost)
    {
        check( region->marks && region->marks->count == (last - first) >> page_shift );
        check( region->marks && marks_next( region->marks, start, end ) == first );
    }
    region_put( region );
}

/* state that is set by a step in progress goes with the parts that are left as well, and so does
 * the word that some of it was lost */
static void test_split_beside_step(void)
{
    struct watch_region *region;

    check( region_insert( addr( 0 ), addr( 100 ), &no_backend ) != NULL );
    before_gone = step_marks_pages;
    check( !region_remove( addr( 30 ), addr( 37 )));
    check( !before_gone );
    check_left( addr( 0 ), addr( 30 ), addr( 10 ), addr( 30 ), 0 );
    check_left( addr( 37 ), addr( 100 ), addr( 37 ), addr( 80 ), 0 );
    check( !region_remove( addr( 0 ), addr( 100 )));

    check( region_insert( addr( 0 ), addr( 100 ), &no_backend ) != NULL );
    before_gone = step_has_no_memory;
    check( !region_remove( addr( 30 ), addr( 37 )));
    check_left( addr( 0 ), addr( 30 ), 0, 0, 1 );
    check_left( addr( 37 ), addr( 100 ), 0, 0, 1 );
    check( !region_remove( addr( 0 ), addr( 100 )));

    check( (region = region_insert( addr( 0 ), addr( 100 ), &no_backend )) != NULL );
    region->lost = 1;
    check( !region_remove( addr( 0 ), addr( 50 )));
    check_left( addr( 50 ), addr( 100 ), 0, 0, 1 );
    check( !region_remove( addr( 60 ), addr( 100 )));
    check_left( addr( 50 ), addr( 60 ), 0, 0, 1 );
    check( !region_remove( addr( 0 ), addr( 100 )));
}

/* saved state goes with the parts that are left (row 37) */
static void test_split_keeps_saved(void)
{
    struct watch_region *region;

    check( region_insert( addr( 0 ), addr( 100 ), &no_backend ) != NULL );
    check( (region = region_get( addr( 0 ), addr( 100 ))) != NULL );
    check( region_marks( region ) != NULL );
    marks_set( region->marks, addr( 10 ), addr( 80 ));
    region_put( region );
    check( !region_remove( addr( 30 ), addr( 37 )));

    check( !region_get( addr( 29 ), addr( 31 )));
    check( (region = region_get( addr( 0 ), addr( 30 ))) != NULL );
    check( region->marks->count == 20 );
    check( marks_next( region->marks, addr( 0 ), addr( 30 )) == addr( 10 ));
    region_put( region );
    check( (region = region_get( addr( 37 ), addr( 100 ))) != NULL );
    check( region->marks->count == 43 );
    check( marks_next( region->marks, addr( 37 ), addr( 100 )) == addr( 37 ));
    check( marks_next( region->marks, addr( 80 ), addr( 100 )) == addr( 100 ));
    region_put( region );
    check( !region_remove( addr( 0 ), addr( 100 )));
}

static void test_many(void)
{
    size_t i;

    for (i = 0; i < 3000; i++)
        check( region_insert( addr( i * 32 ), addr( i * 32 + 16 ), &no_backend ) != NULL );
    for (i = 0; i < 3000; i++)
    {
        check( region_contains( addr( i * 32 ), addr( i * 32 + 16 )));
        check( !region_overlaps( addr( i * 32 + 16 ), addr( i * 32 + 32 )));
    }
    check( !region_remove( addr( 0 ), addr( 3000 * 32 )));
    check( !region_overlaps( 0, ~(uintptr_t)0 ));
}

int main(void)
{
    unsigned int seed;

    test_late_reader();
    test_late_step();
    test_steps_beside_changes();
    test_split_keeps_saved();
    test_split_beside_step();
    for (seed = 1; seed <= 20; seed++) test_random_changes( seed );
    test_many();
    return unit_result();
}
