/*
 * Whether incremental collection with libgc keeps what is reachable
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Threads have old objects, each of which is the only one that refers to a young one. They store
 * references to new young objects in random old ones, let others become garbage, and look whether
 * all young objects are what they were made as. A page whose write was missed holds the only
 * reference to a young object: it is collected, its memory is used again, and its contents differ.
 * Children by fork() do the same with what they inherit.
 *
 * Usage: graph [ROUNDS [SEED]]; exit status 0: nothing differs, 1: something does, 2: there is no
 * incremental collection
 */

#define GC_THREADS
#include <gc.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS      3
#define OLD_OBJECTS  4096   /* of each thread, of a bit more than half a page */
#define STORES       64     /* in each round */
#define GARBAGE      4096   /* objects that become garbage in each round */
#define LARGE        32768  /* references in a large object, whose memory goes to the system */
#define LARGE_ROUNDS 8      /* for so long there is one */

struct young
{
    uint64_t      number;
    uint64_t      sum;      /* of number */
    struct young *more;     /* half of them have another one behind */
};

struct old
{
    struct young *volatile young;
    uint64_t               filler[300];
};

struct work
{
    pthread_t     thread;
    unsigned int  index;
    unsigned int  rounds;
    uint64_t      random;
    uint64_t      made;      /* young objects */
    struct old  **objects;   /* in memory of the collector, as the large object */
    struct young *volatile *large;
    uint64_t     *numbers;   /* what each young object should be: not known to the collector */
    uint64_t     *large_numbers;
    unsigned long differ;
};

static uint64_t next_random( struct work *work )
{
    work->random ^= work->random << 13;
    work->random ^= work->random >> 7;
    work->random ^= work->random << 17;
    return work->random;
}

static uint64_t sum_of( uint64_t number )
{
    return ~(number * 0x9e3779b97f4a7c15u);
}

static struct young *make_young( uint64_t number )
{
    struct young *ret = GC_MALLOC( sizeof(*ret) );

    if (!ret) abort();
    ret->number = number;
    ret->sum    = sum_of( number );
    return ret;
}

/* A young object with a new number, and in half of all cases another one behind it. */
static struct young *make_next( struct work *work, uint64_t *number )
{
    struct young *young;

    *number = ((uint64_t)work->index << 48) + ++work->made * 2;
    young = make_young( *number );
    if (work->made & 1)
    {
        young->more = make_young( *number + 1 );
        GC_end_stubborn_change( young );
    }
    return young;
}

/* in a function of its own: no register keeps the reference */
__attribute__((noinline)) static void store_young( struct work *work, unsigned int i )
{
    work->objects[i]->young = make_next( work, &work->numbers[i] );
    GC_end_stubborn_change( work->objects[i] );
}

__attribute__((noinline)) static void store_large( struct work *work, unsigned int i )
{
    work->large[i] = make_next( work, &work->large_numbers[i] );
    GC_end_stubborn_change( (void *)work->large );
}

static int is_young( const struct young *young, uint64_t number )
{
    return young && young->number == number && young->sum == sum_of( number );
}

__attribute__((noinline)) static void look_at( struct work *work, const struct young *young,
                                               uint64_t number, const char *where, unsigned int i )
{
    if (is_young( young, number ) && (!young->more || is_young( young->more, number + 1 ))) return;
    if (!work->differ++)
        printf( "graph: thread %u, %s %u: young object %llx is %llx\n", work->index, where, i,
                (unsigned long long)number, young ? (unsigned long long)young->number : 0 );
}

static void begin_large( struct work *work )
{
    work->large = GC_MALLOC( LARGE * sizeof(*work->large) );
    if (!work->large) abort();
    memset( work->large_numbers, 0, LARGE * sizeof(*work->large_numbers) );
}

static void run_round( struct work *work )
{
    unsigned int i;

    for (i = 0; i < STORES; i++)
    {
        store_young( work, next_random( work ) % OLD_OBJECTS );
        store_large( work, next_random( work ) % LARGE );
    }
    for (i = 0; i < GARBAGE; i++) make_young( ~(uint64_t)i );
    for (i = 0; i < OLD_OBJECTS; i++)
        look_at( work, work->objects[i]->young, work->numbers[i], "object", i );
    for (i = 0; i < LARGE; i++)
        if (work->large_numbers[i])
            look_at( work, work->large[i], work->large_numbers[i], "reference", i );
}

static void make_objects( struct work *work )
{
    unsigned int i;

    work->objects = GC_MALLOC( OLD_OBJECTS * sizeof(*work->objects) );
    work->numbers = malloc( OLD_OBJECTS * sizeof(*work->numbers) );
    work->large_numbers = malloc( LARGE * sizeof(*work->large_numbers) );
    if (!work->objects || !work->numbers || !work->large_numbers) abort();
    for (i = 0; i < OLD_OBJECTS; i++)
    {
        if (!(work->objects[i] = GC_MALLOC( sizeof(struct old) ))) abort();
        GC_end_stubborn_change( work->objects );
        store_young( work, i );
    }
}

static void run_rounds( struct work *work )
{
    unsigned int i;

    for (i = 0; i < work->rounds && !work->differ; i++)
    {
        if (!(i % LARGE_ROUNDS)) begin_large( work );
        run_round( work );
    }
}

static void *run_thread( void *arg )
{
    make_objects( arg );
    run_rounds( arg );
    return NULL;
}

/* A child that goes on with the parent's objects; the other threads run in the parent alone. */
static void run_child( struct work *work )
{
    pid_t pid = fork();
    int status;

    if (pid == -1) abort();
    if (!pid)
    {
        run_rounds( work );
        fflush( stdout );
        _exit( work->differ != 0 );
    }
    if (waitpid( pid, &status, 0 ) != pid) abort();
    if (!status) return;
    printf( "graph: the child ended with status %x\n", status );
    work->differ++;
}

int main( int argc, char **argv )
{
    static struct work works[THREADS];
    unsigned int i, rounds = argc > 1 ? atoi( argv[1] ) : 200;
    uint64_t seed = argc > 2 ? strtoull( argv[2], NULL, 0 ) : 1;
    unsigned long differ = 0;

    GC_set_handle_fork( 1 );
    GC_INIT();
    GC_set_free_space_divisor( 12 );   /* collect often */
    GC_enable_incremental();
    if (!GC_is_incremental_mode())
    {
        printf( "graph: no incremental collection\n" );
        return 2;
    }
    setvbuf( stdout, NULL, _IOLBF, 0 );
    for (i = 0; i < THREADS; i++)
    {
        works[i].index  = i;
        works[i].rounds = rounds;
        works[i].random = (seed + i) * 0x9e3779b97f4a7c15u | 1;
        if (i && pthread_create( &works[i].thread, NULL, run_thread, &works[i] )) abort();
    }
    make_objects( &works[0] );
    run_child( &works[0] );
    run_rounds( &works[0] );
    for (i = 0; i < THREADS; i++)
    {
        if (i) pthread_join( works[i].thread, NULL );
        differ += works[i].differ;
    }
    printf( "graph: %lu objects differ, after %lu collections\n", differ,
            (unsigned long)GC_get_gc_no() );
    return differ != 0;
}
