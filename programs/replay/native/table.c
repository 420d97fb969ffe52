/*
 * What writewatch-replay prints
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "front.h"

static double seconds( const struct process *process )
{
    uint64_t first = process->count ? process->events[0].time : 0, last = first;
    size_t i;

    for (i = 0; i < process->count; i++)
        if (process->events[i].time > last) last = process->events[i].time;
    return (last - first) / 1e6;
}

void print_list( const struct front *front )
{
    size_t i;

    printf( "%7s %4s %9s %9s %12s %9s  %s\n", "process", "bits", "events", "polls", "pages",
            "seconds", "program" );
    for (i = 0; i < front->record.count; i++)
    {
        const struct process *process = &front->record.processes[i];

        printf( "%7u %4u %9zu %9" PRIu64 " %12" PRIu64 " %9.3f  %s (writewatch %s)\n",
                process->pid, process->bits, process->count, process->polls, process->pages,
                seconds( process ), process->name, process->version );
    }
}

static void print_count( uint64_t count, const char *text )
{
    if (count) printf( "%" PRIu64 " %s\n", count, text );
}

/* what is replayed, and what of it cannot be */
void print_plan( const struct front *front )
{
    const struct process *process = front->process;
    const struct plan *plan = &front->plan;

    printf( "%s, process %u, %u bits: %zu events in %.3f s, %" PRIu64 " polls, %" PRIu64
            " pages reported\n", process->name, process->pid, process->bits, process->count,
            seconds( process ), process->polls, process->pages );
    print_count( plan->skipped_polls, "polls are left out: of no memory whose allocation is "
                 "recorded" );
    print_count( plan->unknown_polls, "polls are left out: another thread took their answer away "
                 "before it was recorded" );
    print_count( plan->skipped_changes, "other events are left out: of no memory whose allocation "
                 "is recorded" );
    print_count( plan->partial_frees, "releases of parts of regions are done as decommits" );
    print_count( plan->commits, "pages are committed that were reported, but not committed in the "
                 "record" );
    print_count( plan->resets, "pages are reset that a poll should have reported, by the order of "
                 "the record" );
}

static double cost( const struct run *run )
{
    return run->write_ns + run->poll_ns;
}

/* what others are compared with: stock Wine, or the first one that was done */
static const struct run *find_base( const struct front *front )
{
    const struct run *ret = NULL;
    unsigned int i;

    for (i = 0; i < front->count; i++)
    {
        if (front->runs[i].state != RUN_DONE) continue;
        if (!ret || !strncmp( front->runs[i].label, "stock", 5 )) ret = &front->runs[i];
    }
    return ret;
}

static void print_ratio( double base, double mine )
{
    if (base > 0 && mine > 0) printf( " %7.2f", base / mine );
    else printf( " %7s", "-" );
}

static void print_run( const struct front *front, const struct run *run )
{
    const struct run *base = find_base( front );

    if (run->state != RUN_DONE)
    {
        printf( "%-20s %s: %s\n", run->label, run->state == RUN_SKIPPED ? "skipped" : "failed",
                run->note );
        return;
    }
    printf( "%-20s %8" PRIu64 " %7" PRIu64 " %10" PRIu64 " %8" PRIu64 " %10.3f %10.3f %7.3f",
            run->label, run->events, run->polls, run->pages, run->differ + run->failed,
            run->write_ns / 1e6, run->poll_ns / 1e6,
            run->pages ? cost( run ) / 1e3 / run->pages : 0 );
    print_ratio( base->write_ns, run->write_ns );
    print_ratio( base->poll_ns, run->poll_ns );
    print_ratio( cost( base ), cost( run ) );
    printf( "  %s\n", run->note );
}

/***********************************************************************
 *           print_gain
 *
 * What the program would gain: it takes as long as it did when recorded, under writewatch, but for
 * its write watches.
 */
static void print_gain( const struct front *front )
{
    const struct run *base = find_base( front ), *run = NULL;
    double total = seconds( front->process ), stock;
    unsigned int i;

    for (i = 0; i < front->count; i++)
        if (front->runs[i].state == RUN_DONE && !strncmp( front->runs[i].label, "writewatch", 10 ))
            run = &front->runs[i];
    if (!run || !base || strncmp( base->label, "stock", 5 )) return;
    stock = total + (cost( base ) - cost( run )) / 1e9;
    if (stock <= 0 || total <= 0) return;
    printf( "The program ran for %.3f s when recorded under writewatch. Its write watches take "
            "%.3f s there and %.3f s under stock Wine, where it would run for %.3f s: %.1f %% of "
            "that are %s.\n", total, cost( run ) / 1e9, cost( base ) / 1e9, stock,
            (stock > total ? stock - total : total - stock) * 100 / stock,
            stock > total ? "gained" : "lost" );
}

void print_runs( const struct front *front )
{
    const struct run *base = find_base( front );
    unsigned int i;

    if (!front->count) return;
    printf( "\n%-20s %8s %7s %10s %8s %10s %10s %7s %7s %7s %7s\n", "", "", "", "pages", "pages",
            "ms of", "ms of", "us a", "times", "faster", "" );
    printf( "%-20s %8s %7s %10s %8s %10s %10s %7s %7s %7s %7s  %s\n", "replay", "events", "polls",
            "reported", "differ", "writes", "polls", "page", "writes", "polls", "both",
            "mechanism" );
    for (i = 0; i < front->count; i++) print_run( front, &front->runs[i] );
    if (base && front->count > 1) printf( "\nTimes faster than %s. ", base->label );
    else printf( "\n" );
    puts( "Threads of the record are replayed one after the other, in the order of its lines." );
    for (i = 0; i < front->count; i++)
        if (front->runs[i].state == RUN_DONE && front->runs[i].skipped)
            printf( "%s: %" PRIu64 " polls are left out: their memory cannot be allocated there\n",
                    front->runs[i].label, front->runs[i].skipped );
    print_gain( front );
}
