/*
 * How long a program waits for libgc
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A long-lived tree, a long-lived array of references a small part of which is replaced all the
 * time, and many trees that live for a moment. What is left at the end is checked.
 *
 * Usage: pauses off|generational|incremental [ROUNDS [DEPTH]]
 *
 * generational: only what was written since the last collection is looked at again, but each
 * collection comes to its end; incremental: it is done in steps of a few ms. DEPTH is that of the
 * tree, and 2 less than the logarithm of the length of the array.
 * Prints, in a line, of the time when the long-lived objects exist: all of it in ms; how often the
 * world was stopped, the median and the longest time of that in us; the longest allocation in us;
 * the number of collections; how much is wrong. Exit status 2: there is no incremental collection.
 */

#include <gc.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SMALL_DEPTH 12     /* of trees that live for a moment */
#define REPLACED    2048   /* references in each round */
#define MAX_PAUSES  100000

struct tree
{
    struct tree *left;
    struct tree *right;
    uint64_t     number;
};

static uint64_t pauses[MAX_PAUSES], stopped_at, longest_allocation;
static unsigned int pause_count;
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime( CLOCK_MONOTONIC, &time );
    return time.tv_sec * (uint64_t)1000000000 + time.tv_nsec;
}

static void GC_CALLBACK note_event( GC_EventType event )
{
    if (event == GC_EVENT_PRE_STOP_WORLD) stopped_at = now();
    if (event == GC_EVENT_POST_START_WORLD && pause_count < MAX_PAUSES)
        pauses[pause_count++] = now() - stopped_at;
}

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void *allocate( size_t size )
{
    uint64_t begin = now(), time;
    void *ret = GC_MALLOC( size );

    if (!ret) abort();
    if ((time = now() - begin) > longest_allocation) longest_allocation = time;
    return ret;
}

static struct tree *make_tree( unsigned int depth, uint64_t number )
{
    struct tree *ret = allocate( sizeof(*ret) );

    ret->number = number;
    if (depth)
    {
        ret->left  = make_tree( depth - 1, number * 2 );
        ret->right = make_tree( depth - 1, number * 2 + 1 );
        GC_end_stubborn_change( ret );
    }
    return ret;
}

/* the number of nodes that are as they should be */
static uint64_t count_tree( const struct tree *tree, uint64_t number )
{
    if (!tree || tree->number != number) return 0;
    return 1 + count_tree( tree->left, number * 2 ) + count_tree( tree->right, number * 2 + 1 );
}

static int compare_times( const void *left, const void *right )
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

int main( int argc, char **argv )
{
    const char *mode = argc > 1 ? argv[1] : "";
    unsigned int i, round, rounds = argc > 2 ? atoi( argv[2] ) : 200;
    unsigned int depth = argc > 3 ? atoi( argv[3] ) : 18;
    uint64_t begin, total, length = (uint64_t)4 << depth;
    struct tree *tree, **array;
    uint32_t *numbers;
    unsigned long wrong = 0, collections;

    if (strcmp( mode, "off" ) && strcmp( mode, "generational" ) && strcmp( mode, "incremental" ))
    {
        fprintf( stderr, "Usage: pauses off|generational|incremental [ROUNDS [DEPTH]]\n" );
        return 2;
    }
    GC_INIT();
    if (strcmp( mode, "off" )) GC_enable_incremental();
    if (!strcmp( mode, "generational" )) GC_set_time_limit( GC_TIME_UNLIMITED );
    if (GC_is_incremental_mode() != !!strcmp( mode, "off" )) return 2;
    GC_set_on_collection_event( note_event );

    tree = make_tree( depth, 1 );
    array = allocate( length * sizeof(*array) );
    if (!(numbers = calloc( length, sizeof(*numbers) ))) abort();

    /* collections while the heap was smaller are not what is measured */
    pause_count = longest_allocation = 0;
    collections = GC_get_gc_no();
    begin = now();
    for (round = 1; round <= rounds; round++)
    {
        for (i = 0; i < REPLACED; i++)
        {
            uint64_t index = next_random() % length;

            array[index] = make_tree( 0, round );
            numbers[index] = round;
        }
        GC_end_stubborn_change( array );
        for (i = 0; i < 8; i++)
            if (count_tree( make_tree( SMALL_DEPTH, 1 ), 1 ) != (2u << SMALL_DEPTH) - 1) wrong++;
    }
    total = now() - begin;
    collections = GC_get_gc_no() - collections;

    if (count_tree( tree, 1 ) != ((uint64_t)2 << depth) - 1) wrong++;
    for (i = 0; i < length; i++)
        if (numbers[i] && count_tree( array[i], numbers[i] ) != 1) wrong++;
    qsort( pauses, pause_count, sizeof(*pauses), compare_times );
    printf( "%llu %u %llu %llu %llu %lu %lu\n", (unsigned long long)total / 1000000, pause_count,
            pause_count ? (unsigned long long)pauses[pause_count / 2] / 1000 : 0,
            pause_count ? (unsigned long long)pauses[pause_count - 1] / 1000 : 0,
            (unsigned long long)longest_allocation / 1000, collections, wrong );
    return wrong != 0;
}
