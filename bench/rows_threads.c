/*
 * The benchmark: threads that write while another one polls
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "system.h"
#include "target.h"

#define MAX_WRITERS 8
#define MAX_POLLS   1000

/* one writer; lines of their own, so that the counts do not disturb each other */
struct writer
{
    char          *base;
    size_t         pages;
    int            random;
    const int     *stop;
    uint64_t       state;
    unsigned long long writes;
    double         time;      /* ns from its first write to its last */
    struct thread *thread;
} __attribute__((aligned(128)));

/***********************************************************************
 *           write_loop
 *
 * The clock is not read at each write, which would cost more than many writes do.
 */
static void write_loop( void *arg )
{
    struct writer *writer = arg;
    double start = now_ns();
    size_t page = 0;
    unsigned int i;

    do
    {
        for (i = 0; i < 64; i++)
        {
            if (writer->random) page = next_random( &writer->state ) % writer->pages;
            else if (++page >= writer->pages) page = 0;
            ((volatile char *)writer->base)[page * PAGE_SIZE]++;
        }
        writer->writes += 64;
    }
    while (!__atomic_load_n( writer->stop, __ATOMIC_ACQUIRE ));
    writer->time = now_ns() - start;
}

static void start_writers( struct writer *writers, unsigned int count )
{
    unsigned int i;

    for (i = 0; i < count; i++) writers[i].thread = start_thread( write_loop, &writers[i] );
}

/***********************************************************************
 *           tracked_pages
 *
 * Four threads write their own quarters of 64 MiB, over and over, and this one polls with reset
 * without a break: written pages that were found, a second.
 */
void tracked_pages(void)
{
    size_t size = scaled( 64 * MIB ), pages = size / PAGE_SIZE;
    char *base = alloc_watched( size );
    void **addresses = address_array( size );
    struct writer writers[4];
    unsigned long long found = 0;
    unsigned int i;
    double start, time;
    int stop = 0;

    write_pages( base, size, 1 );
    reset_pages( base, size, SPARSE );
    for (i = 0; i < 4; i++)
        writers[i] = (struct writer){ .base = base + size / 4 * i, .pages = pages / 4,
                                      .stop = &stop };
    start_writers( writers, 4 );
    start = now_ns();
    do found += poll_pages( base, size, 1, FULL, addresses, pages );
    while ((time = now_ns() - start) < (small ? 2e7 : 1e9));
    __atomic_store_n( &stop, 1, __ATOMIC_RELEASE );
    for (i = 0; i < 4; i++) join_thread( writers[i].thread );
    emit( "tracked_pages", found / time * 1e9, "pages/s" );
    free( addresses );
    free_memory( base, size );
}

static void emit_as( const char *what, unsigned int threads, size_t pages, unsigned int delay,
                     int random, int reset_inside, double value, const char *unit )
{
    char name[64];

    snprintf( name, sizeof(name), "mr_%u_%u_%u_%d_%d_%s", threads, (unsigned int)pages, delay,
              random, reset_inside, what );
    emit( name, value, unit );
}

/***********************************************************************
 *           run_micro_benchmark
 *
 * Some threads write the same pages, in order or at random, and this one polls every few
 * milliseconds, with the reset inside of Get or by a call of its own. A write is the time that
 * the threads had divided by the writes they made; where there are more threads than processors
 * that includes the turns of the others. The average poll is what the merge request tells; the
 * median one leaves out those in which this thread lost its processor.
 */
static void run_micro_benchmark( unsigned int threads, size_t pages, unsigned int delay, int random,
                                 int reset_inside )
{
    size_t size = pages * PAGE_SIZE;
    void *base = alloc_watched( size ), **addresses = address_array( size );
    struct writer writers[MAX_WRITERS];
    double polls[MAX_POLLS], start, sum = 0, time = 0, end;
    unsigned long long writes = 0;
    unsigned int i, count = 0;
    int stop = 0;

    for (i = 0; i < threads; i++)
        writers[i] = (struct writer){ .base = base, .pages = pages, .random = random,
                                      .stop = &stop, .state = i + 1 };
    start_writers( writers, threads );
    end = now_ns() + (small ? 2e7 : 7e8);
    while (now_ns() < end && count < MAX_POLLS)
    {
        sleep_ms( delay );
        start = now_ns();
        poll_pages( base, size, reset_inside, SPARSE, addresses, pages );
        if (!reset_inside) reset_pages( base, size, SPARSE );
        polls[count] = (now_ns() - start) / 1000;
        sum += polls[count++];
    }
    __atomic_store_n( &stop, 1, __ATOMIC_RELEASE );
    for (i = 0; i < threads; i++)
    {
        join_thread( writers[i].thread );
        writes += writers[i].writes;
        time += writers[i].time;
    }
    emit_as( "write", threads, pages, delay, random, reset_inside, time / writes, "ns" );
    emit_as( "poll", threads, pages, delay, random, reset_inside, sum / count, "us" );
    emit_as( "median", threads, pages, delay, random, reset_inside, median( polls, count ), "us" );
    free( addresses );
    free_memory( base, size );
}

/***********************************************************************
 *           micro_benchmark
 *
 * The parameters of Wine's merge request 7871.
 */
void micro_benchmark(void)
{
    run_micro_benchmark( 6, 1080, 3, 1, 1 );
    run_micro_benchmark( 6, 1080, 3, 1, 0 );
    run_micro_benchmark( 8, 8192, 3, 1, 1 );
    run_micro_benchmark( 8, 8192, 3, 1, 0 );
    run_micro_benchmark( 8, 8192, 1, 1, 1 );
    run_micro_benchmark( 8, 64, 1, 1, 1 );
}
