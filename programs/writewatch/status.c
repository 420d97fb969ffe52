/*
 * Says what the Wine processes of this user watch: writewatch --status
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "programs/status/status_reader.h"
#include "runner.h"

#define INTERVAL 500000000   /* between two looks, for what happens in a second; in ns */
#define ENDED_SHOWN 3        /* processes that have ended, without an argument */

/* One process: what its page said at two moments. */
struct process
{
    struct status_file file;
    struct status_info before;
    struct status_info now;
    double             seconds;   /* between the two; 0 if it does not run */
    int                alive;
};

static double seconds_of( clockid_t clock )
{
    struct timespec time;

    clock_gettime( clock, &time );
    return time.tv_sec + time.tv_nsec / 1e9;
}

static const char *local_time( uint64_t ns, char *buffer, size_t size )
{
    time_t seconds = ns / 1000000000;
    struct tm tm;

    if (!localtime_r( &seconds, &tm ) || !strftime( buffer, size, "%Y-%m-%d %H:%M:%S", &tm ))
        snprintf( buffer, size, "?" );
    return buffer;
}

static double mib( uint64_t bytes )
{
    return bytes / 1048576.0;
}

static void print_rates( const struct process *process )
{
    const struct region_counters *old = &process->before.total, *new = &process->now.total;
    uint64_t polls = new->polls + new->reset_polls - old->polls - old->reset_polls;
    uint64_t pages = new->pages + new->reset_pages - old->pages - old->reset_pages;

    printf( "  now: %.1f polls a second", polls / process->seconds );
    if (polls) printf( ", %.1f pages a poll", (double)pages / polls );
    putchar( '\n' );
}

static void print_regions( const struct status_info *info )
{
    unsigned int i;

    for (i = 0; i < info->count; i++)
    {
        const struct region_counters *slot = &info->slots[i];

        printf( "  %#14llx  %9.1f MiB  %llu polls, %llu pages reported, %llu resets%s\n",
                (unsigned long long)slot->base, mib( slot->size ),
                (unsigned long long)(slot->polls + slot->reset_polls),
                (unsigned long long)(slot->pages + slot->reset_pages),
                (unsigned long long)slot->resets, slot->shift > 12 ? " (large pages)" : "" );
    }
    if (info->regions > info->count)
        printf( "  and %llu more regions\n", (unsigned long long)info->regions - info->count );
}

static void print_process( const struct process *process, int with_regions )
{
    const struct status_info *info = &process->now;
    const struct region_counters *total = &info->total;
    char when[32];

    printf( "%u %s: %s, %s, %u bits; %s%s%s%s%s\n", info->pid, info->program,
            process->alive ? "active" : "has ended", *info->wine ? info->wine : "Wine",
            8 * info->word_size, info->backend, *info->form_reason ? " (" : "", info->form_reason,
            *info->form_reason ? ")" : "",
            info->in_place_of_wine ? ", in place of Wine's own kernel watches" : "" );
    printf( "  since %s: ", local_time( info->start_time, when, sizeof(when) ));
    printf( "%llu regions of at most %.1f MiB, %llu polls (%llu with reset), %llu pages reported, "
            "%llu resets", (unsigned long long)info->regions_ever, mib( info->most_bytes ),
            (unsigned long long)(total->polls + total->reset_polls),
            (unsigned long long)total->reset_polls,
            (unsigned long long)(total->pages + total->reset_pages),
            (unsigned long long)total->resets );
    if (info->poll_time) printf( "; %.1f ms in polls and resets", info->poll_time / 1e6 );
    putchar( '\n' );
    if (!process->alive && info->exit_time)
        printf( "  exited at %s\n", local_time( info->exit_time, when, sizeof(when) ));
    else if (!process->alive) puts( "  was ended by a signal, or by another program" );
    if (!process->alive) return;
    printf( "  %llu regions, %.1f MiB\n", (unsigned long long)info->regions, mib( info->bytes ));
    print_rates( process );
    if (with_regions) print_regions( info );
}

/* The pages that are meant, or all (NULL). Returns how many. */
static int open_processes( const char *what, struct process **ret )
{
    struct process *processes;
    uint32_t *pids;
    int i, count = status_list( &pids ), found = 0;

    *ret = NULL;
    if (count <= 0) return 0;
    if (!(processes = calloc( count, sizeof(*processes) ))) fail( EXIT_USAGE, "out of memory" );
    for (i = 0; i < count; i++)
    {
        struct process *process = &processes[found];

        if (status_open( pids[i], &process->file ) != STATUS_OK) continue;
        if (status_read( &process->file, &process->before ) == STATUS_OK &&
            (!what || status_is_meant( &process->before, what ))) found++;
        else status_close( &process->file );
    }
    free( pids );
    *ret = processes;
    return found;
}

/* those that run first, then those that ended last */
static int compare( const void *left, const void *right )
{
    const struct process *a = left, *b = right;

    if (a->alive != b->alive) return b->alive - a->alive;
    return (a->now.start_time < b->now.start_time) - (a->now.start_time > b->now.start_time);
}

static void look_twice( struct process *processes, int count )
{
    struct timespec interval = { 0, INTERVAL };
    double start = seconds_of( CLOCK_MONOTONIC );
    int i;

    nanosleep( &interval, NULL );
    for (i = 0; i < count; i++)
    {
        struct process *process = &processes[i];

        if (status_read( &process->file, &process->now ) != STATUS_OK)
            process->now = process->before;
        process->alive   = status_is_alive( &process->file );
        process->seconds = seconds_of( CLOCK_MONOTONIC ) - start;
        status_close( &process->file );
    }
    qsort( processes, count, sizeof(*processes), compare );
}

/***********************************************************************
 *           print_status
 *
 * Without an argument: all processes that watch memory, the last ones that have ended, and Wine's
 * others. With one: those that are meant, or if none runs the last one that has ended. Exit status
 * 0 if a process is shown that runs or has run, otherwise 1.
 */
int print_status( struct runner *runner, int count, char **args )
{
    const char *what = count ? args[0] : NULL;
    int i, found, ended = 0, unwatched;
    struct process *processes;

    (void)runner;
    if (count > 1) fail( EXIT_USAGE, "--status takes one process id, or the name of a program" );
    if ((found = open_processes( what, &processes ))) look_twice( processes, found );
    for (i = 0; i < found; i++)
    {
        if (!processes[i].alive && ended++ >= (what ? !processes[0].alive : ENDED_SHOWN)) break;
        print_process( &processes[i], what || found == 1 );
    }
    unwatched = print_unwatched( what );
    if (found || unwatched) return finish_output( 0 );
    if (what) printf( "No Wine process %s of this user runs or has watched memory.\n", what );
    else puts( "No Wine process of this user runs, and none has watched memory." );
    free( processes );
    return finish_output( 1 );
}
