/*
 * Race test: writers against pollers, in rounds of different kinds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: race [--seconds N] [--writes N] [--seed N] [--hog MIB] [--sparse 1]
 *
 * Where memory is short the kernel moves pages about, and the quick query then reports pages twice
 * (docs/reliability.md): --hog with the backend scan goes together with --sparse.
 *
 * Goes on until so much time has passed and so many writes were made. The seed chooses the kinds of
 * rounds; what happens in one is chance.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race.h"

#define ROUND_US 150000

struct round current;
struct counts counts;
unsigned int failures;
static char first_failure[260];   /* for the last line, which may be all that is kept */

/***********************************************************************
 *           failed
 *
 * Counts a failure and prints the first ones.
 */
void failed( const char *format, ... )
{
    char text[256];
    unsigned int number = add( &failures, 1 );
    va_list args;

    if (number >= 20) return;
    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    if (!number) snprintf( first_failure, sizeof(first_failure), ": %s", text );
    printf( "round %u (seed %u, %u writers, %u pollers%s%s%s): %s\n", current.number,
            (unsigned int)current.seed, current.writers, current.pollers,
            current.full ? ", full" : "", current.sequential ? ", sequential" : "",
            current.paced ? ", paced" : "", text );
    fflush( stdout );
}


static void *start( void (*func)( void *arg ), unsigned int number )
{
    void *thread = start_thread( func, (void *)(uintptr_t)number );

    if (thread) return thread;
    printf( "no thread can be made\n" );
    exit( 1 );
}


/***********************************************************************
 *           choose_round
 */
static void choose_round( uint64_t *random )
{
    static const unsigned int sizes[] = { 192, 1024, 2048, 8192 };

    current.pages      = sizes[next_random( random ) % 4];
    current.writers    = 1 + next_random( random ) % MAX_WRITERS;
    current.pollers    = next_random( random ) % 2 ? 1 : 1 + next_random( random ) % MAX_POLLERS;
    current.full       = next_random( random ) % 2;
    current.sequential = next_random( random ) % 2;
    current.paced      = next_random( random ) % 2;
    current.stopping   = 0;
    current.number++;
}


/***********************************************************************
 *           run_round
 *
 * In memory of its own. If it is full, all of it was written and reported before.
 */
static void run_round(void)
{
    void *threads[MAX_WRITERS + MAX_POLLERS + 2];
    unsigned int i, count = 0, found;
    uint64_t end;

    current.base = VirtualAlloc( NULL, (size_t)current.pages * PAGE,
                                 MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    if (!current.base)
    {
        failed( "no watched memory, error %u", (unsigned int)GetLastError() );
        return;
    }
    account_clear();
    if (current.full)
    {
        for (i = 0; i < current.pages; i++) account_write( i );
        counts.writes += current.pages;
        account_call( 0, 0, current.pages, 1, current.pages, &found );
        if (found != current.pages) failed( "%u of %u pages reported", found, current.pages );
    }

    for (i = 0; i < current.writers; i++) threads[count++] = start( writer_thread, i );
    for (i = 0; i < current.pollers; i++) threads[count++] = start( poller_thread, i );
    threads[count++] = start( changing_thread, 8 );
    threads[count++] = start( paging_thread, 9 );
    for (end = microseconds() + ROUND_US; microseconds() < end;) sleep_ms( 10 );
    store( &current.stopping, 1 );
    while (count) join_thread( threads[--count] );

    account_end();
    VirtualFree( current.base, 0, MEM_RELEASE );
}


/***********************************************************************
 *           main
 */
int main( int argc, char **argv )
{
    uint64_t seconds = 5, writes = 0, seed = 1, hog = 0, sparse = 0, end, random;
    const char *name, *reason;
    int i;

    for (i = 1; i + 1 < argc; i += 2)
    {
        uint64_t value = strtoull( argv[i + 1], NULL, 10 );

        if (!strcmp( argv[i], "--seconds" )) seconds = value;
        else if (!strcmp( argv[i], "--writes" )) writes = value;
        else if (!strcmp( argv[i], "--seed" )) seed = value;
        else if (!strcmp( argv[i], "--hog" )) hog = value;
        else if (!strcmp( argv[i], "--sparse" )) sparse = value;
        else break;
    }
    if (i != argc)
    {
        printf( "usage: race [--seconds N] [--writes N] [--seed N] [--hog MIB] "
                "[--sparse 1]\n" );
        return 2;
    }
    if (sparse && !claim_sparse())
    {
        printf( "only the native program can claim that memory is sparse\n" );
        return 2;
    }
    if ((reason = platform_open( &name )))
    {
        printf( "%s\n", reason );
        return 77;
    }
    if (hog) start( hog_thread, hog );

    end = microseconds() + seconds * 1000000;
    for (; !failures && (microseconds() < end || counts.writes < writes); seed++)
    {
        current.seed = seed;
        random = (seed + 1) * RANDOM_SPREAD;
        next_random( &random );
        choose_round( &random );
        run_round();
    }
    printf( "%s: %u rounds, %llu writes (%llu by the kernel), %llu calls (%llu filled the array), "
            "%llu pages reported, %llu decommits, %llu protections, %llu page-outs: "
            "%llu lost, %llu false, %u failures%s\n", name, current.number,
            (unsigned long long)counts.writes, (unsigned long long)counts.kernel_writes,
            (unsigned long long)counts.calls, (unsigned long long)counts.full_arrays,
            (unsigned long long)counts.reports, (unsigned long long)counts.decommits,
            (unsigned long long)counts.protections, (unsigned long long)counts.page_outs,
            (unsigned long long)counts.lost, (unsigned long long)counts.falsely, failures,
            first_failure );
    fflush( stdout );
    return failures || !counts.reports ? 1 : 0;
}
