/*
 * Queries of long ranges with marks in the bitmap here and there, against a model
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

/* more than one step looks at, and not made of whole groups */
#define PAGES 9029

#include <pthread.h>
#include <sched.h>

#include "model.h"

#include "engine/query.h"
#include "fault/fault.h"
#include "nt_types.h"

/* arrays that have room for less, as much and more than a group or a step */
static size_t some_room(void)
{
    static const size_t rooms[] = { 1, 2, 63, 64, 65, 100, 511, 512, 1000, 8191, 8192, PAGES };

    return rooms[rand() % (sizeof(rooms) / sizeof(rooms[0]))];
}

/* every nth page of a range */
static void write_some( size_t first, size_t last, size_t stride )
{
    for (; first < last; first += stride) write_pages( first, first + 1 );
}

/* what was written becomes marks, of which some are alone in their group and some are many */
static void save_some( size_t first, size_t last )
{
    size_t end;

    for (; first < last; first = end + rand() % 700)
    {
        end = first + 1 + rand() % (rand() % 3 ? 4 : 600);
        if (end > last) end = last;
        if (rand() & 1) decommit( first, end );
        else drop_contents( first, end );
    }
}

static void test_random_marks( unsigned int seed, unsigned int steps )
{
    static const size_t strides[] = { 1, 2, 3, 7, 64, 65, 500 };
    unsigned int step;

    srand( seed );
    for (step = 0; step < steps && !unit_failures; step++)
    {
        size_t first = rand() % PAGES, last = first + 1 + rand() % (rand() % 3 ? 700 : PAGES);

        if (last > PAGES) last = PAGES;
        switch (rand() % 8)
        {
        case 0:  write_some( first, last, strides[rand() % 7] ); break;
        case 1:  write_some( first, last, strides[3 + rand() % 4] ); break;
        case 2:  save_some( first, last ); break;
        case 3:  reset_pages( first, last ); break;
        case 4:  query( 0, PAGES, some_room(), 0 ); break;
        case 5:  query( first, last, some_room(), rand() & 1 ); break;
        case 6:  query( first, PAGES, some_room(), rand() & 1 ); break;
        default: query( 0, PAGES, some_room(), rand() & 1 ); break;
        }
        if (rand() & 1) commit( 0, PAGES );
    }
    query( 0, PAGES, PAGES, 0 );
    query( 0, PAGES, PAGES, 1 );
    query( 0, PAGES, PAGES, 0 );
    if (unit_failures) fprintf( stderr, "seed %u, step %u\n", seed, step );
}

/* a loop with a small array finds each page once, in order */
static void test_loop( size_t stride, size_t room )
{
    size_t first = 0, i;

    commit( 0, PAGES );
    write_some( 0, PAGES, stride );
    for (i = 0; i < PAGES; i += 3 * stride) decommit( i, i + 1 );
    while (first < PAGES && !unit_failures)
    {
        for (i = first; i < PAGES && !is_written( i ); i++) ;
        query( first, PAGES, room, 1 );
        first = i;
        if (i == PAGES) break;
    }
    query( 0, PAGES, PAGES, 0 );
}

static const struct watch_backend *real;

/* finds what the backend finds, and meanwhile another query puts pages back */
static int scan_while_put_back( struct watch_region *region, struct page_scan *scan )
{
    int count = real->collect_written( region, scan );

    marks_set( region->marks, (uintptr_t)page( 0 ), (uintptr_t)page( 64 ));
    return count;
}

/* Marks that come while the backend is asked, more than there is room for: what the backend has
 * given up is handed over all the same. */
static void test_late_marks(void)
{
    struct watch_region *region = region_get( (uintptr_t)base, (uintptr_t)page( PAGES ));
    static void *addresses[PAGES];
    ULONG_PTR count = 10, i;
    struct watch_backend backend;
    ULONG granularity;

    commit( 0, PAGES );
    query( 0, PAGES, PAGES, 1 );
    write_pages( 500, 501 );
    drop_contents( 500, 501 );
    write_pages( 100, 120 );
    real = region->backend;
    if (real->save)
    {
        backend = *real;
        backend.collect_written = scan_while_put_back;
        region->backend = &backend;
        check( !get_write_watch( 1, base, bytes( PAGES ), addresses, &count, &granularity ));
        region->backend = real;
        check( count == 10 );
        for (i = 0; i < 64; i++) model.page[i].written = WRITTEN;
        for (i = 0; i < count; i++)
        {
            size_t index = ((char *)addresses[i] - base) >> page_shift;

            check( index < PAGES && is_written( index ));
            check( !i || addresses[i] > addresses[i - 1] );
            if (index < PAGES) set_not_written( index, index + 1 );
        }
    }
    region_put( region );
    query( 0, PAGES, PAGES, 1 );
    query( 0, PAGES, PAGES, 1 );
}

static int done;

/* takes pages and puts them back, as an array that cannot be written makes it do */
static void *fail_to_take( void *no_array )
{
    struct watch_query query;
    size_t count;
    int ret;

    while (!__atomic_load_n( &done, __ATOMIC_SEQ_CST ))
    {
        if (watch_begin( &query, (uintptr_t)base, (uintptr_t)page( PAGES ))) return no_array;
        ret = watch_collect( &query, 1, no_array, PAGES, &count );
        if (ret && ret != (int)STATUS_ACCESS_VIOLATION) return no_array;
        sched_yield();
    }
    return NULL;
}

/* While another thread puts pages back, a query takes as many as it has room for, in order, and
 * each page is found once in the end. */
static void test_put_back( unsigned int rounds )
{
    void *no_array = mmap( NULL, bytes( 1 ), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    static unsigned char found[PAGES];
    static void *addresses[PAGES];
    void *failed, *last;
    pthread_t thread;
    size_t i;

    commit( 0, PAGES );
    query( 0, PAGES, PAGES, 1 );
    while (rounds-- && !unit_failures)
    {
        write_some( 0, PAGES, 1 + rand() % 40 );
        memset( found, 0, sizeof(found) );
        __atomic_store_n( &done, 0, __ATOMIC_SEQ_CST );
        check( !pthread_create( &thread, NULL, fail_to_take, no_array ));
        for (i = 0; i < 400; i++)
        {
            ULONG_PTR j, count = 1 + rand() % 64;
            ULONG granularity;

            if (i == 399)
            {
                __atomic_store_n( &done, 1, __ATOMIC_SEQ_CST );
                check( !pthread_join( thread, &failed ) && !failed );
                count = PAGES;
            }
            check( !get_write_watch( 1, base, bytes( PAGES ), addresses, &count, &granularity ));
            for (j = 0, last = NULL; j < count; last = addresses[j++])
            {
                check( addresses[j] > last );
                found[((char *)addresses[j] - base) >> page_shift]++;
            }
        }
        for (i = 0; i < PAGES; i++) check( found[i] == is_written( i ));
        set_not_written( 0, PAGES );
    }
    munmap( no_array, bytes( 1 ));
}

static int run( const char *name )
{
    unsigned int seed, seeds = unit_share( 6 );
    char reason[160] = "";

    check( !fault_handler_install() );
    if (watch_open( unit_form( name ), reason, sizeof(reason) ))
        return unit_skip( name, reason );
    must_prepare = strcmp( name, "scan" ) != 0;
    open_model();
    for (seed = 1; seed <= seeds; seed++) test_random_marks( seed, 150 );
    test_loop( 1, 64 );
    test_loop( 5, 63 );
    test_loop( 70, 10 );
    test_late_marks();
    test_put_back( unit_share( 20 ));
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
