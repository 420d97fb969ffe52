/*
 * test program: watches memory natively, with a status page as under Wine, and does as it is asked
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads lines and answers each with one:
 *
 *   region PAGES           allocates: its base, in hexadecimal digits; regions are numbered from 0
 *   write REGION PAGE N    writes to N pages
 *   read REGION PAGE N     reads them
 *   discard REGION PAGE N  decommits and commits them
 *   poll REGION            how many pages GetWriteWatch reports with a reset, look REGION: without
 *   churn SECONDS          writes and polls, and compares: "polls=P written=W missed=M false=F"
 *   work ROUNDS            writes 1000 pages and polls, in each: "pages=P wall_ms=W cpu_ms=C"
 *   hide                   becomes a process that may not be dumped
 *   free REGION
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/watch.h"
#include "preload/hooks.h"
#include "preload/preload.h"
#include "preload/status.h"
#include "writewatch.h"

#define MAX_REGIONS 4096
#define PAGE        4096

struct region
{
    char  *base;
    size_t pages;
};

static struct region regions[MAX_REGIONS];
static unsigned int region_count;
static void **results;
static size_t room;

/* what Wine would say */
int wine_has_kernel_watches;

const char *wine_version(void)
{
    return "no Wine <test & \"more\">";
}

const char *program_name(void)
{
    const char *name = getenv( "WRITER_NAME" );

    return name ? name : "writer.exe";
}

static long region( size_t pages )
{
    struct region *new = &regions[region_count];

    if (region_count == MAX_REGIONS) return -1;
    new->base = VirtualAlloc( NULL, pages * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READWRITE );
    if (!new->base) return -1;
    new->pages = pages;
    if (pages > room)
    {
        room = pages;
        if (!(results = realloc( results, room * sizeof(*results) ))) return -1;
        memset( results, 0, room * sizeof(*results) );
    }
    return region_count++;
}

static long poll_region( const struct region *region, DWORD flags )
{
    ULONG_PTR count = room;
    DWORD granularity;

    if (GetWriteWatch( flags, region->base, region->pages * PAGE, results, &count, &granularity ))
        return -1;
    return count;
}

static void touch( const struct region *region, size_t first, size_t count, int write )
{
    static volatile char sink;
    volatile char *page;

    for (; count && first < region->pages; first++, count--)
    {
        page = region->base + first * PAGE;
        if (write) *page = *page + 1;
        else sink = *page;
    }
    (void)sink;
}

static unsigned int next_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> 32;
}

/* Random writes to region 0, and what each poll says of them. */
static void churn( double seconds )
{
    const struct region *region = &regions[0];
    unsigned char *expected = calloc( region->pages, 1 );
    unsigned long polls = 0, written = 0, missed = 0, wrong = 0;
    struct timespec now, start;
    size_t page, i;
    long count;

    clock_gettime( CLOCK_MONOTONIC, &start );
    poll_region( region, WRITE_WATCH_FLAG_RESET );
    do
    {
        for (i = next_random() % 600; i; i--)
        {
            page = next_random() % region->pages;
            touch( region, page, 1, 1 );
            written += !expected[page];
            expected[page] = 1;
        }
        count = poll_region( region, WRITE_WATCH_FLAG_RESET );
        polls++;
        for (i = 0; (long)i < count; i++)
        {
            page = ((char *)results[i] - region->base) / PAGE;
            if (page >= region->pages || !expected[page]) wrong++;
            else expected[page] = 0;
        }
        for (page = 0; page < region->pages; page++) missed += expected[page];
        memset( expected, 0, region->pages );
        clock_gettime( CLOCK_MONOTONIC, &now );
    }
    while (now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
    printf( "polls=%lu written=%lu missed=%lu false=%lu\n", polls, written, missed, wrong );
    free( expected );
}

static double clock_ms( clockid_t clock )
{
    struct timespec now;

    clock_gettime( clock, &now );
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void work( size_t rounds )
{
    const struct region *region = &regions[0];
    double wall = clock_ms( CLOCK_MONOTONIC ), cpu = clock_ms( CLOCK_PROCESS_CPUTIME_ID );
    unsigned long pages = 0;
    unsigned int i;

    while (rounds--)
    {
        for (i = 0; i < 1000; i++) touch( region, next_random() % region->pages, 1, 1 );
        pages += poll_region( region, WRITE_WATCH_FLAG_RESET );
    }
    printf( "pages=%lu wall_ms=%.3f cpu_ms=%.3f\n", pages, clock_ms( CLOCK_MONOTONIC ) - wall,
            clock_ms( CLOCK_PROCESS_CPUTIME_ID ) - cpu );
}

static const struct region *get_region( size_t number )
{
    if (number < region_count && regions[number].base) return &regions[number];
    fprintf( stderr, "writer: there is no region %zu\n", number );
    exit( 2 );
}

static void discard( const struct region *region, size_t first, size_t count )
{
    VirtualFree( region->base + first * PAGE, count * PAGE, MEM_DECOMMIT );
    VirtualAlloc( region->base + first * PAGE, count * PAGE, MEM_COMMIT, PAGE_READWRITE );
}

static void obey( const char *line )
{
    size_t numbers[3] = { 0 };
    char word[16] = "";
    long ret = 0;

    sscanf( line, "%15s %zu %zu %zu", word, &numbers[0], &numbers[1], &numbers[2] );
    if (!strcmp( word, "region" ))
    {
        if ((ret = region( numbers[0] )) < 0) printf( "failed\n" );
        else printf( "%lx\n", (unsigned long)regions[ret].base );
    }
    else if (!strcmp( word, "churn" )) churn( numbers[0] );
    else if (!strcmp( word, "work" )) work( numbers[0] );
    else
    {
        if (!strcmp( word, "write" )) touch( get_region( numbers[0] ), numbers[1], numbers[2], 1 );
        else if (!strcmp( word, "read" ))
            touch( get_region( numbers[0] ), numbers[1], numbers[2], 0 );
        else if (!strcmp( word, "discard" ))
            discard( get_region( numbers[0] ), numbers[1], numbers[2] );
        else if (!strcmp( word, "poll" ))
            ret = poll_region( get_region( numbers[0] ), WRITE_WATCH_FLAG_RESET );
        else if (!strcmp( word, "look" )) ret = poll_region( get_region( numbers[0] ), 0 );
        else if (!strcmp( word, "hide" )) ret = prctl( PR_SET_DUMPABLE, 0, 0, 0, 0 );
        else if (!strcmp( word, "free" ))
        {
            ret = !VirtualFree( get_region( numbers[0] )->base, 0, MEM_RELEASE );
            regions[numbers[0]].base = NULL;
        }
        else ret = -1;
        printf( "%ld\n", ret );
    }
    fflush( stdout );
}

int main(void)
{
    char line[128];
    void *first;

    /* the backend is opened by the first watch, and the page says which it is */
    if (!(first = VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE )) ||
        !VirtualFree( first, 0, MEM_RELEASE ) || !status_open())
    {
        fprintf( stderr, "writer: cannot watch memory\n" );
        return 1;
    }
    if (strncmp( watch_backend_name(), "scan", 4 ))
    {
        fprintf( stderr, "writer: scan does not work here\n" );
        return 77;
    }
    printf( "%d\n", (int)getpid() );
    fflush( stdout );
    while (fgets( line, sizeof(line), stdin )) obey( line );
    return 0;
}
