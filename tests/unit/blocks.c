/*
 * What is known of blocks, against a model, with its limits at their extremes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* seven blocks and parts of two more */
#define BLOCK_PAGES 512
#define FIRST_PART  112
#define PAGES       (FIRST_PART + 7 * BLOCK_PAGES + 188)

#include <pthread.h>
#include <sched.h>

#include "model.h"

#include "scan/ask.h"
#include "sys/kernel_api.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define NEVER 1000000

static const struct block_limits limits[] =
{
    { 1 << 20, 3, 4 },           /* as it is */
    { 1 << 20, 1, 0 },           /* each full block is found and used at once */
    { 1 << 20, 1, NEVER },       /* only what was reported as a whole is known */
    { 1 << 20, NEVER, 0 },       /* what is known is not used */
    { 1 << 20, NEVER, NEVER },   /* every block is sparse */
};

#define LIMITS (sizeof(limits) / sizeof(limits[0]))

/* the index of the first page of a block, or of its part in the region */
static size_t block_page( size_t block )
{
    if (!block) return 0;
    return block < 9 ? FIRST_PART + (block - 1) * BLOCK_PAGES : PAGES;
}

/* as open_model() does, at a certain place in a block */
static void open_blocks(void)
{
    const uintptr_t size = bytes( BLOCK_PAGES );
    char *memory = mmap( NULL, bytes( PAGES ) + 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );

    check( memory != MAP_FAILED );
    base = (char *)(((uintptr_t)memory & -size) + 2 * size) - bytes( FIRST_PART );
    open_model_at_base();
}

static struct region_blocks *get_blocks( char *memory )
{
    struct watch_region *region = region_get( (uintptr_t)memory, (uintptr_t)memory + page_size() );

    region_put( region );
    return &scan_data( region )->blocks;
}

static unsigned int count_full( char *memory )
{
    struct region_blocks *blocks = get_blocks( memory );
    unsigned int count = 0;
    size_t i;

    for (i = 0; i < blocks->count; i++) count += blocks->full[i / 64] >> i % 64 & 1;
    return count;
}

/* one page at a time in any order, so that no poll sees whole blocks, or all at once */
static void fill( size_t first, size_t last )
{
    size_t i;

    if (rand() & 1) write_pages( first, last );
    else for (i = first; i < last; i++)
    {
        write_pages( i, i + 1 );
        if (!(rand() % 400)) query( first, last, 1 + rand() % PAGES, 1 );
    }
}

static void page_out( size_t first, size_t last )
{
    /* without swap nothing happens */
    madvise( page( first ), bytes( last - first ), MADV_PAGEOUT );
}

static void test_random_blocks( unsigned int seed, unsigned int steps )
{
    unsigned int step;

    srand( seed );
    for (step = 0; step < steps && !unit_failures; step++)
    {
        size_t block = rand() % 9, end = rand() % 3 ? block + 1 + rand() % (9 - block) : block + 1;
        size_t first = block_page( block ), last = block_page( end );
        size_t some = first + rand() % (last - first), more = some + 1 + rand() % 30;

        if (more > last) more = last;
        switch (rand() % 20)
        {
        case 0: case 1: case 2: fill( first, last ); break;
        case 3:  write_pages( some, more ); break;
        case 4:  write_pages( some, some + 1 ); break;
        case 5:  kernel_write( some ); break;
        case 6:  read_pages( first, last ); break;
        case 7:  decommit( some, more ); break;
        case 8:  decommit( first, last ); break;
        case 9:  drop_contents( some, more ); break;
        case 10: drop_contents( first, last ); break;
        case 11: change_protection( some, more ); break;
        case 12: page_out( first, last ); break;
        case 13: reset_pages( some, more ); break;
        case 14: reset_pages( first, last ); break;
        case 15: query( 0, PAGES, PAGES, 0 ); break;
        case 16: query( 0, PAGES, PAGES, 1 ); break;
        case 17: query( some, last, 1 + rand() % (last - some), 0 ); break;
        case 18: query( first, more, 1 + rand() % (more - first), rand() & 1 ); break;
        case 19: query( first, last, last - first, 0 ); break;
        }
        if (rand() % 3) commit( 0, PAGES );
    }
    query( 0, PAGES, PAGES, 0 );
    query( 0, PAGES, PAGES, 1 );
    query( 0, PAGES, PAGES, 0 );
    if (unit_failures) fprintf( stderr, "seed %u, step %u\n", seed, step );
}

/* with markers: a block is full when it is committed, until pages lose their markers */
static void test_marked_knowledge(void)
{
    size_t i;

    check( count_full( base ) == 9 );
    drop_contents( block_page( 2 ) + 7, block_page( 3 ) );
    check( count_full( base ) >= 8 );
    for (i = 0; i < 4; i++) query( 0, PAGES, PAGES, 1 );
    check( count_full( base ) == 9 );
    decommit( block_page( 5 ) - 1, block_page( 5 ) + 1 );
    check( count_full( base ) == 7 );
    for (i = 0; i < 40; i++) query( 0, PAGES, PAGES, 1 );
    check( count_full( base ) == 7 );
    commit( block_page( 5 ) - 1, block_page( 5 ) + 1 );
    for (i = 0; i < 200; i++) query( 0, PAGES, PAGES, 1 );
    check( count_full( base ) == 9 );
    decommit( 0, PAGES );
    commit( 0, PAGES );
    check( count_full( base ) == 9 );
}

/* that what is to be found out is found out, and forgotten in time */
static void test_knowledge(void)
{
    size_t i, order;

    block_limits = limits[0];
    commit( 0, PAGES );
    drop_contents( 0, PAGES );
    reset_pages( 0, PAGES );
    if (watch_needs_commit())
    {
        test_marked_knowledge();
        return;
    }
    check( count_full( base ) == 0 );

    /* reported as a whole */
    write_pages( 0, block_page( 4 ));
    query( 0, PAGES, PAGES, 1 );
    check( count_full( base ) == 4 );

    /* by a census, when enough polls have been made */
    for (order = 0; order < 2; order++)
    {
        for (i = block_page( 4 ) + order; i < block_page( 8 ); i += 2) write_pages( i, i + 1 );
        query( 0, PAGES, PAGES, 1 );
    }
    for (i = 0; i < 4; i++) query( 0, PAGES, PAGES, 1 );
    check( count_full( base ) == 8 );

    drop_contents( block_page( 2 ) + 7, block_page( 2 ) + 8 );
    check( count_full( base ) == 7 );
    decommit( block_page( 5 ) - 1, block_page( 5 ) + 1 );
    check( count_full( base ) == 5 );

    /* a page that was only read is none of the program's own */
    commit( 0, PAGES );
    query( 0, PAGES, PAGES, 1 );
    read_pages( 0, PAGES );
    for (i = 0; i < 40; i++) query( 0, PAGES, PAGES, 1 );
    check( count_full( base ) == 5 );
}

/* full blocks here and there in a reservation bring no page tables elsewhere */
static void test_page_tables(void)
{
    const size_t size = LARGE( 8 ), run = (size_t)16 << 20, third = round_down( size / 3 );
    char *memory = mmap( NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0 );
    ULONG_PTR pages = 3 * run >> page_shift, count;
    void **addresses = calloc( pages + 1, sizeof(*addresses) );
    unsigned int poll, i;
    ULONG granularity;
    long before;
    size_t pos;

    block_limits = limits[1];
    check( memory != MAP_FAILED && addresses );
    check( !watch_add( memory, size ));
    for (i = 0; i < 3; i++) check( !watch_commit( memory + i * third, run ));
    for (i = 0; i < 3; i++)
        for (pos = 0; pos < run; pos += page_size()) memory[i * third + pos] = 1;
    for (i = 0; i <= pages; i++) addresses[i] = memory;
    before = unit_page_tables();
    for (poll = 0; poll < 10; poll++)
    {
        count = pages + 1;
        check( !get_write_watch( poll & 1, memory, size, addresses, &count, &granularity ));
        check( count == (poll < 2 ? pages : 0));
        check( !reset_write_watch( memory + run / 2, size / 2 ));
        for (i = 0; poll == 0 && i < 3; i++)
            for (pos = 0; pos < run; pos += page_size()) memory[i * third + pos] = 1;
    }
    check( count_full( memory ) > 3 * 7 - 1 );
    check( before > 0 && unit_page_tables() <= before + 64 );
    watch_remove( memory, size );
    munmap( memory, size );
    free( addresses );
}

static int stopping;
static unsigned long other_polls;

/* polls of other threads, with and without reset; the state of the first three blocks remains */
static void *poll_others( void *arg )
{
    void **addresses = malloc( PAGES * sizeof(*addresses) );
    ULONG_PTR count;
    ULONG granularity;

    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
    {
        count = PAGES;
        check( !get_write_watch( 0, base, bytes( PAGES ), addresses, &count, &granularity ));
        count = PAGES;
        if (arg)
            check( !get_write_watch( 1, page( block_page( 4 )), bytes( PAGES - block_page( 4 )),
                                     addresses, &count, &granularity ));
        __atomic_fetch_add( &other_polls, 1, __ATOMIC_RELAXED );
    }
    free( addresses );
    return NULL;
}

/* contents go and come all the time */
static void *drop_others( void *arg )
{
    size_t first = block_page( 4 ), last = block_page( 6 ), i;

    (void)arg;
    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
    {
        for (i = first; i < last; i++) *(volatile char *)page( i ) = 1;
        sched_yield();
        check( !watch_discard( page( first + 3 ), bytes( last - first - 3 )));
        sched_yield();
    }
    return NULL;
}

/* What one thread alone writes and resets is for it as the model says, whatever others look at. */
static void test_threads( unsigned int turns )
{
    const size_t last = block_page( 3 );
    pthread_t threads[3];
    unsigned int turn, i;

    commit( 0, PAGES );
    drop_contents( 0, PAGES );
    reset_pages( 0, PAGES );
    __atomic_store_n( &stopping, 0, __ATOMIC_RELAXED );
    for (i = 0; i < 2; i++)
        check( !pthread_create( &threads[i], NULL, poll_others, i ? base : NULL ));
    check( !pthread_create( &threads[2], NULL, drop_others, NULL ));
    for (turn = 0; turn < turns && !unit_failures; turn++)
    {
        unsigned long polls = __atomic_load_n( &other_polls, __ATOMIC_RELAXED );

        write_pages( 0, last );
        query( 0, last, last, 0 );
        /* so that the others have something to find out */
        while (turn % 4 == 0 &&
               __atomic_load_n( &other_polls, __ATOMIC_RELAXED ) < polls + 2) sched_yield();
        if (turn & 1) query( 0, last, last, 1 );
        else reset_pages( 0, last );
        query( 0, last, last, 0 );
        write_pages( last / 2, last / 2 + 1 );
        query( 0, last, last, 0 );
        query( 0, last, last, 1 );
        if (turn % 16 == 15) drop_contents( 5, 6 );
        query( 0, last, last, 0 );
    }
    __atomic_store_n( &stopping, 1, __ATOMIC_RELAXED );
    for (i = 0; i < 3; i++) pthread_join( threads[i], NULL );
    query( 0, last, last, 0 );
    reset_pages( 0, PAGES );
}

static void *poll_first( void *arg )
{
    void *addresses[FIRST_PART];
    ULONG_PTR count;
    ULONG granularity;

    (void)arg;
    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
    {
        count = FIRST_PART;
        check( !get_write_watch( 0, base, bytes( FIRST_PART ), addresses, &count, &granularity ));
    }
    return NULL;
}

/* a block is seen to be written while it is reset: what was seen is not so any more */
static void test_race( unsigned int turns )
{
    pthread_t threads[2];
    unsigned int turn, i;

    block_limits = limits[1];
    commit( 0, FIRST_PART );
    __atomic_store_n( &stopping, 0, __ATOMIC_RELAXED );
    for (i = 0; i < 2; i++) check( !pthread_create( &threads[i], NULL, poll_first, NULL ));
    for (turn = 0; turn < turns && !unit_failures; turn++)
    {
        write_pages( 0, FIRST_PART );
        if (turn & 1) query( 0, FIRST_PART, FIRST_PART, 1 );
        else reset_pages( 0, FIRST_PART );
        query( 0, FIRST_PART, FIRST_PART, 0 );
    }
    __atomic_store_n( &stopping, 1, __ATOMIC_RELAXED );
    for (i = 0; i < 2; i++) pthread_join( threads[i], NULL );
}

int main(void)
{
    char reason[160];
    unsigned int i, seed;

    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    if (page_size() != 4096)
    {
        printf( "a block has %zu pages of %zu bytes here, which is too much to compare\n",
                (size_t)page_size() / 8, (size_t)page_size() );
        return SKIP;
    }
    open_blocks();
    commit( 0, PAGES );
    test_knowledge();
    for (i = 0; i < LIMITS; i++)
    {
        block_limits = limits[i];
        for (seed = 1; seed <= 4; seed++)
        {
            test_random_blocks( 10 * i + seed, unit_share( 150 ));
            test_random_steps( 10 * i + seed, unit_share( 300 ));
        }
        test_threads( 16 );
        test_arguments();
        test_large();
    }
    test_race( unit_share( 5000 ));
    test_page_tables();
    return unit_result();
}
