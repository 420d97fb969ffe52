/*
 * Incremental checkpoints of memory that threads write to, rebuilt and compared byte for byte
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc -pthread checkpoint.c $(pkg-config --cflags --libs writewatch)
 *
 * A checkpoint is a base, all of the memory, and increments: the pages that have changed since the
 * one before. The threads go on writing while an increment is saved: what they change meanwhile is
 * in the next one. They stop first only where an increment is verified, to compare it with the
 * memory. Each way saves in turn: a tracker's pages to a log, the same to a file that is a copy of
 * the memory, a child by fork() that writes everything, and soft-dirty pages to a log. The exit
 * status is 1 if anything that was rebuilt differed.
 */

#define _FILE_OFFSET_BITS 64

#include "changes_log.h"
#include "measure.h"

#include <pthread.h>

static size_t mib = 64, threads = 4, increments = 1000, pages_each = 100, verify = 20;
static size_t fork_share = 20;

static const struct option options[] =
{
    { "--mib",        "size of the memory, in MiB",                        &mib },
    { "--threads",    "threads that write to it",                          &threads },
    { "--increments", "increments in each way",                            &increments },
    { "--pages",      "writes to random pages between two increments",     &pages_each },
    { "--verify",     "one increment in so many, at random, is verified",  &verify },
    { "--fork-share", "make one checkpoint by fork() for so many",         &fork_share },
    { NULL, NULL, NULL }
};

struct result
{
    char         why[200], backend[32];
    size_t       increments, verified, wrong;   /* wrong: pages that differed */
    uint64_t     pages;                         /* saved, after the base */
    struct times save, all;                     /* of the increments; and of the writes besides */
};

struct way
{
    const char *name;
    int       (*begin)(void);                /* saves the base; returns 0 if the way is not here */
    uint64_t  (*save)( size_t increment );   /* returns the number of pages saved */
    void      (*load)(void);                 /* brings what is rebuilt up to date from the file */
    int         stops, is_fork;              /* whether the threads must not write during save() */
};

static size_t page_bytes, pages, size;
static char *memory, *rebuilt;
static struct writewatch_tracker *tracker;
static struct result *results, *result;
static int file;
static struct log changes_log;   /* in the file, in two of the ways */

/* The threads write a share of the pages between these two. */
static pthread_barrier_t go, done;
static int finished;

/* Three writes in four go to a sixteenth of the memory. */
static void *writer( void *number )
{
    uint64_t state = seed( (uintptr_t)number ), *words = (uint64_t *)memory;
    size_t i, page, count = pages_each / threads + ((uintptr_t)number < pages_each % threads);

    for (;;)
    {
        pthread_barrier_wait( &go );
        if (finished) return NULL;
        for (i = 0; i < count; i++)
        {
            page = next_random( &state ) % (next_random( &state ) % 4 ? (pages + 15) / 16 : pages);
            __atomic_store_n( &words[(page * page_bytes + next_random( &state ) % page_bytes) / 8],
                              next_random( &state ), __ATOMIC_RELAXED );
        }
        pthread_barrier_wait( &done );
    }
}

static void load_log(void)
{
    log_load( &changes_log, rebuilt );
}

static void load_mirror(void)
{
    read_all( file, rebuilt, size, 0 );
}

static int begin_tracker(void)
{
    int err = 0;

    if (writewatch_open( NULL ))
        snprintf( result->why, sizeof(result->why), "%s", writewatch_reason() );
    else if ((err = writewatch_watch( memory, size )) ||
             (err = writewatch_tracker_open( &tracker, memory, size, 0 )))
        snprintf( result->why, sizeof(result->why), "%s", strerror( -err ));
    else snprintf( result->backend, sizeof(result->backend), ", %s", writewatch_backend() );
    return !*result->why;
}

static int begin_tracker_log(void)
{
    if (!begin_tracker()) return 0;
    log_begin( &changes_log, file, memory, size );
    return 1;
}

/* Pages are reset when they are listed: a write that comes before the page is in the log is in this
 * increment and in the next. */
static uint64_t save_to_log( size_t increment )
{
    static const struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[LOG_RANGES];
    const void *pos = memory;
    uint64_t saved = 0;
    ssize_t count;

    while (pos != memory + size)
    {
        count = writewatch_tracker_list( tracker, &pos, memory + size, &filter, ranges,
                                         LOG_RANGES );
        if (count < 0) fail( "writewatch_tracker_list", -count );
        saved += log_append( &changes_log, increment, ranges, count );
    }
    return saved;
}

static int begin_mirror(void)
{
    if (!begin_tracker()) return 0;
    write_all( file, memory, size, 0 );
    return 1;
}

static uint64_t save_to_mirror( size_t increment )
{
    ssize_t saved = writewatch_tracker_save_to( tracker, memory, size, file, 0 );

    (void)increment;
    if (saved < 0) fail( "writewatch_tracker_save_to", -saved );
    return saved / page_bytes;
}

static int begin_fork(void)
{
    return 1;
}

static uint64_t save_by_fork( size_t increment )
{
    pid_t pid = fork();
    int status;

    (void)increment;
    if (!pid)
    {
        write_all( file, memory, size, 0 );
        _exit( 0 );
    }
    if (pid == -1 || waitpid( pid, &status, 0 ) != pid || status) fail( "fork", errno );
    return pages;
}

static int begin_soft_dirty(void)
{
    const char *why = soft_dirty_begin( memory );

    if (why) snprintf( result->why, sizeof(result->why), "%s", why );
    else log_begin( &changes_log, file, memory, size );
    return !why;
}

static uint64_t save_soft_dirty( size_t increment )
{
    struct writewatch_range ranges[LOG_RANGES];
    const char *pos = memory;
    uint64_t saved = 0;
    size_t count;

    while (pos < memory + size)
    {
        count = soft_dirty_list( &pos, memory + size, ranges, LOG_RANGES );
        saved += log_append( &changes_log, increment, ranges, count );
    }
    soft_dirty_clear();
    return saved;
}

static const struct way ways[] =
{
    { "list, to a log",     begin_tracker_log, save_to_log,     load_log,    0, 0 },
    { "save_to, to a file", begin_mirror,      save_to_mirror,  load_mirror, 0, 0 },
    { "fork, everything",   begin_fork,        save_by_fork,    load_mirror, 0, 1 },
    { "soft-dirty bits",    begin_soft_dirty,  save_soft_dirty, load_log,    1, 0 },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* Compares what the file has with the memory; nothing writes to it. */
static void compare( const struct way *way )
{
    size_t i;

    way->load();
    for (i = 0; i < size; i += page_bytes)
        result->wrong += !!memcmp( rebuilt + i, memory + i, page_bytes );
    result->verified++;
}

static void measure( size_t number, size_t round )
{
    const struct way *way = &ways[number];
    size_t i, count = way->is_fork ? (increments + fork_share - 1) / fork_share : increments;
    pthread_t *ids;
    uint64_t state = seed( 1000 );

    (void)round;
    result  = &results[number];
    memory  = make_memory( size );
    rebuilt = calloc( pages, page_bytes );
    if (!rebuilt) fail( "memory", errno );
    file = make_file();
    if (!way->begin()) return;

    if (!(ids = calloc( threads, sizeof(*ids) ))) fail( "memory", errno );
    pthread_barrier_init( &go, NULL, threads + 1 );
    pthread_barrier_init( &done, NULL, threads + 1 );
    for (i = 0; i < threads; i++)
        if (pthread_create( &ids[i], NULL, writer, (void *)i )) fail( "a thread", EAGAIN );

    for (i = 1; i <= count; i++)
    {
        int verified = i == count || next_random( &state ) % verify == 0;
        int stop = verified || way->stops;
        struct times start, begin = now();

        pthread_barrier_wait( &go );
        if (stop) pthread_barrier_wait( &done );
        start = now();
        result->pages += way->save( i );
        add_times( &result->save, start );
        if (!stop) pthread_barrier_wait( &done );
        add_times( &result->all, begin );
        if (verified) compare( way );
    }
    finished = 1;
    pthread_barrier_wait( &go );
    for (i = 0; i < threads; i++) pthread_join( ids[i], NULL );
    free( ids );

    /* once more from the beginning: the base and all increments */
    memset( rebuilt, 0, size );
    changes_log.loaded = 0;
    compare( way );
    result->increments = count;
}

static void print_way( size_t number )
{
    double mib_saved, save, first = results[0].save.wall / results[0].increments;
    char name[64];

    result = &results[number];
    snprintf( name, sizeof(name), "%s%s", ways[number].name, result->backend );
    if (*result->why)
    {
        printf( "%-26s not here: %s\n", name, result->why );
        return;
    }
    mib_saved = (double)result->pages * page_bytes / (1 << 20);
    save = result->save.wall / result->increments;
    printf( "%-26s %6zu %8llu %8.1f %9.1f %9.1f %9.1f %7.2f %9zu  ", name, result->increments,
            (unsigned long long)result->pages, mib_saved, save * 1e6,
            result->all.wall / result->increments * 1e6, result->all.cpu / result->increments * 1e6,
            *results[0].why ? 0 : save / first, result->verified );
    if (result->wrong) printf( "%zu pages differ\n", result->wrong );
    else puts( "exact" );
}

int main( int argc, char *argv[] )
{
    size_t i, wrong = 0;

    (void)argc;
    read_options( argv, options );
    page_bytes = sysconf( _SC_PAGESIZE );
    size = mib << 20;
    pages = size / page_bytes;
    if (!pages || !threads || !increments || !verify || !fork_share) return 2;
    results = shared( sizeof(*results) * WAYS );
    for (i = 0; i < WAYS; i++) in_child( measure, i, 0 );

    printf( "%zu MiB; %zu threads write %zu times to random pages before each increment\n\n"
            "%-26s %6s %8s %8s %9s %9s %9s %7s %9s  rebuilt\n", mib, threads, pages_each,
            "", "incr.", "pages", "MiB", "save us", "all us", "CPU us", "ratio", "verified" );
    for (i = 0; i < WAYS; i++)
    {
        print_way( i );
        wrong += results[i].wrong;
    }
    printf( "\nTimes of an increment: to save it, by the clock; all, with the writes, by the\n"
            "clock and of the processors. The ratio is of the times to save.\n" );
    return wrong || *results[0].why;
}
