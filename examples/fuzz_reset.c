/*
 * Snapshot fuzzing: runs a target on a large state, again and again from the same snapshot
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc fuzz_reset.c $(pkg-config --cflags --libs writewatch)
 *
 * After each run the memory has to be what it was before. The program compares the ways to do so: a
 * tracker that knows which pages have changed, also beside a second one that says which pages each
 * run touched; a process by fork() for each run; copying all of the memory; soft-dirty bits. The
 * exit status is 1 if one of them left anything changed.
 */

#include "measure.h"

#define ROUNDS 3

static size_t mib = 256, pages_a_run = 100, cluster = 1, max_runs = 2000, check_every = 500;
static size_t seconds = 1;

static const struct option options[] =
{
    { "--mib",     "size of the memory, in MiB",                      &mib },
    { "--pages",   "pages that a run writes",                         &pages_a_run },
    { "--cluster", "how many of them lie side by side",               &cluster },
    { "--runs",    "runs in each way and round",                      &max_runs },
    { "--check",   "compare a checksum of all after so many runs",    &check_every },
    { "--seconds", "end a round of a way after that time (0: never)", &seconds },
    { NULL, NULL, NULL }
};

/* What a way did in all rounds. */
struct result
{
    char         why[200];      /* not "": why it is not here */
    char         backend[32];
    size_t       runs, crashes;
    size_t       written;       /* pages */
    size_t       wrong;         /* checks that failed, and pages that differed at the end */
    size_t       missed;        /* pages that a run wrote and the second tracker did not list */
    struct times times[ROUNDS]; /* of a run */
};

struct way
{
    const char *name, *backend;
    int       (*begin)( const struct way *way );   /* NULL: nothing to do; returns 0 on failure */
    void      (*reset)(void);                      /* NULL: the target runs in a child */
    int         resets;
};

static size_t page_bytes, pages, size;
static char *memory, *copy;
static struct writewatch_tracker *snapshot, *coverage;
static struct result *results, *result;   /* of all ways, in memory that is shared; of this one */

/* the next run */
static size_t run_number, *numbers, crash_after, distinct;
static unsigned int *touched;   /* for each page, the last run after which it was listed */

static uint64_t checksum(void)
{
    const uint64_t *words = (const uint64_t *)memory;
    uint64_t sum = 0;
    size_t i;

    for (i = 0; i < size / sizeof(*words); i++) sum = (sum << 7 | sum >> 57) + words[i];
    return sum;
}

/* Chooses the pages for a run by its number: the same ones in each way. One run in eight crashes,
 * somewhere on the way. */
static void plan( size_t number )
{
    static unsigned int *planned;
    uint64_t state = seed( number );
    size_t i;

    if (!planned && !(planned = calloc( pages, sizeof(*planned) ))) fail( "memory", errno );
    run_number = number;
    crash_after = next_random( &state ) % 8 ? pages_a_run : next_random( &state ) % pages_a_run;
    for (i = 0; i < pages_a_run; i++)
        numbers[i] = i % cluster ? (numbers[i - 1] + 1) % pages : next_random( &state ) % pages;
    for (distinct = i = 0; i < crash_after; i++)
    {
        distinct += planned[numbers[i]] != number + 1;
        planned[numbers[i]] = number + 1;
    }
}

/* The target; returns whether it crashed. */
static int target(void)
{
    size_t i;

    for (i = 0; i < crash_after; i++)
        memory[numbers[i] * page_bytes + (i * 40503 + run_number) % page_bytes] ^= 1 + i % 255;
    return crash_after < pages_a_run;
}

static int run_forked(void)
{
    pid_t pid = fork();
    int status;

    if (!pid) _exit( target() );
    if (pid == -1 || waitpid( pid, &status, 0 ) != pid) fail( "fork", errno );
    return WEXITSTATUS( status );
}

static void reset_nothing(void)
{
}

static void copy_all(void)
{
    memcpy( memory, copy, size );
}

static int begin_two_trackers( const struct way *way )
{
    int err = 0;

    if (writewatch_open( way->backend ))
        snprintf( result->why, sizeof(result->why), "%s", writewatch_reason() );
    else if ((err = writewatch_watch( memory, size )) ||
             (err = writewatch_tracker_open( &snapshot, memory, size, 0 )) ||
             (err = writewatch_tracker_open( &coverage, memory, size, 0 )))
        snprintf( result->why, sizeof(result->why), "%s", strerror( -err ));
    else snprintf( result->backend, sizeof(result->backend), "%s", writewatch_backend() );
    return !*result->why;
}

static int begin_one_tracker( const struct way *way )
{
    if (!begin_two_trackers( way )) return 0;
    writewatch_tracker_close( coverage );
    return 1;
}

static void restore(void)
{
    ssize_t restored = writewatch_tracker_restore( snapshot, memory, size, copy );

    if (restored < (ssize_t)(distinct * page_bytes)) result->wrong++;
}

/* The second tracker lists what the run wrote. It can do so after the restore, which writes to the
 * same pages: so they are protected only once. */
static void restore_and_list(void)
{
    static const struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[128];
    const void *pos = memory;
    ssize_t i, count;
    uintptr_t page;

    restore();
    while (pos != memory + size)
    {
        count = writewatch_tracker_list( coverage, &pos, memory + size, &filter, ranges, 128 );
        if (count < 0) fail( "writewatch_tracker_list", -count );
        for (i = 0; i < count; i++)
            for (page = ranges[i].start; page < ranges[i].end; page += page_bytes)
                touched[(page - (uintptr_t)memory) / page_bytes] = run_number + 1;
    }
}

static int begin_soft_dirty( const struct way *way )
{
    const char *why = soft_dirty_begin( memory );

    (void)way;
    if (why) snprintf( result->why, sizeof(result->why), "%s", why );
    return !why;
}

static void reset_soft_dirty(void)
{
    struct writewatch_range ranges[128];
    const char *pos = memory;
    size_t i, count;

    while (pos < memory + size)
    {
        count = soft_dirty_list( &pos, memory + size, ranges, 128 );
        for (i = 0; i < count; i++)
        {
            uintptr_t offset = ranges[i].start - (uintptr_t)memory;

            memcpy( memory + offset, copy + offset, ranges[i].end - ranges[i].start );
        }
    }
    soft_dirty_clear();
}

static const struct way ways[] =
{
    { "writewatch",           NULL,       begin_one_tracker,  restore,          1 },
    { "with second tracker",  NULL,       begin_two_trackers, restore_and_list, 1 },
    { "writewatch, mprotect", "mprotect", begin_one_tracker,  restore,          1 },
    { "fork for each run",    NULL,       NULL,               NULL,             1 },
    { "copying everything",   NULL,       NULL,               copy_all,         1 },
    { "soft-dirty bits",      NULL,       begin_soft_dirty,   reset_soft_dirty, 1 },
    { "no reset at all",      NULL,       NULL,               reset_nothing,    0 },   /* last */
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* One round of a way, in a process of its own. */
static void measure( size_t number, size_t round )
{
    const struct way *way = &ways[number];
    struct times start, sum = { 0, 0 };
    uint64_t right, *words;
    size_t i, runs = 0;

    result  = &results[number];
    memory  = make_memory( size );
    copy    = malloc( size );
    numbers = calloc( pages_a_run, sizeof(*numbers) );
    touched = calloc( pages, sizeof(*touched) );
    if (!copy || !numbers || !touched) fail( "memory", errno );
    memcpy( copy, memory, size );
    right = checksum();

    if (way->begin && !way->begin( way )) return;
    while (runs < max_runs && (!seconds || sum.wall < seconds))
    {
        plan( runs++ );
        result->written += distinct;
        start = now();
        result->crashes += way->reset ? target() : run_forked();
        if (way->reset) way->reset();
        add_times( &sum, start );
        for (i = 0; way->reset == restore_and_list && i < crash_after; i++)
            result->missed += touched[numbers[i]] != runs;
        if (way->resets && runs % check_every == 0) result->wrong += checksum() != right;
    }
    if (!(words = malloc( page_bytes ))) fail( "memory", errno );
    for (i = 0; way->resets && i < pages; i++)
    {
        make_page( i, words, page_bytes );
        result->wrong += !!memcmp( memory + i * page_bytes, words, page_bytes );
    }
    free( words );
    result->runs += runs;
    result->times[round].wall = sum.wall / runs;
    result->times[round].cpu = sum.cpu / runs;
}

static int compare( const void *a, const void *b )
{
    double first = ((const struct times *)a)->wall, second = ((const struct times *)b)->wall;

    return (first > second) - (first < second);
}

static struct times median( size_t way )
{
    qsort( results[way].times, ROUNDS, sizeof(struct times), compare );
    return results[way].times[ROUNDS / 2];
}

static void print_way( size_t number )
{
    const struct way *way = &ways[number];
    struct times time = median( number );
    double first = median( 0 ).wall, none = median( WAYS - 1 ).wall;
    char name[64], page[32] = "-";

    result = &results[number];
    snprintf( name, sizeof(name), *result->backend && !way->backend ? "%s, %s" : "%s", way->name,
              result->backend );
    if (*result->why)
    {
        printf( "%-28s not here: %s\n", name, result->why );
        return;
    }
    if (way->resets && result->written)
        snprintf( page, sizeof(page), "%.0f",
                  (time.wall - none) * 1e9 * result->runs / result->written );
    printf( "%-28s %6zu %8.0f %9.1f %9.1f %8s %7.2f  ", name, result->runs, 1 / time.wall,
            time.wall * 1e6, time.cpu * 1e6, page, first > 0 ? time.wall / first : 0 );
    if (result->wrong || result->missed)
        printf( "%zu wrong, %zu not listed\n", result->wrong, result->missed );
    else puts( way->resets ? "exact" : "-" );
}

static const char *goal( double time )
{
    return time <= 0.001 ? "reached" : "not reached";
}

int main( int argc, char *argv[] )
{
    size_t i, round, wrong = 0;

    (void)argc;
    read_options( argv, options );
    page_bytes = sysconf( _SC_PAGESIZE );
    size = mib << 20;
    pages = size / page_bytes;
    if (!pages || !pages_a_run || !cluster || !max_runs || !check_every) return 2;
    results = shared( sizeof(*results) * WAYS );

    /* in turns, so that what else the machine does concerns all */
    for (round = 0; round < ROUNDS; round++)
        for (i = 0; i < WAYS; i++) in_child( measure, i, round );

    printf( "%zu MiB; a run writes %zu pages, %zu side by side; medians of %d rounds\n\n"
            "%-28s %6s %8s %9s %9s %8s %7s  memory\n", mib, pages_a_run, cluster, ROUNDS,
            "", "runs", "runs/s", "us/run", "CPU us", "ns/page", "ratio" );
    for (i = 0; i < WAYS; i++)
    {
        print_way( i );
        wrong += results[i].wrong + results[i].missed;
    }
    if (*results[0].why) return 1;
    printf( "\nns/page: what a written page costs more than without reset. "
            "%zu of %zu runs crashed.\n", results[0].crashes, results[0].runs );
    printf( "Goal: 1000 runs/s with 256 MiB%s: %s by the clock here, %s by the processors' time.\n",
            mib < 256 ? " (this is less)" : "", goal( median( 0 ).wall ), goal( median( 0 ).cpu ));
    return wrong != 0;
}
