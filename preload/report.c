/*
 * What is logged when a process exits by itself
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"
#include "report.h"
#include "run.h"
#include "status.h"

int polls_are_timed;

static uint64_t clock_ns( clockid_t id )
{
    struct timespec time;

    clock_gettime( id, &time );
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

uint64_t poll_clock(void)
{
    return clock_ns( CLOCK_MONOTONIC );
}

void add_poll_time( uint64_t start )
{
    struct status_page *page = status_page();

    if (page) __atomic_fetch_add( &page->poll_time, poll_clock() - start, __ATOMIC_RELAXED );
}

/***********************************************************************
 *           report_counts
 *
 * What was watched and asked, and an estimate of what the write faults of stock Wine would have
 * cost: it takes one for each page that a poll with a reset reports.
 */
static void report_counts( const struct status_page *page )
{
    struct region_counters total;
    char saved[160] = "";

    counters_total( &page->counters, &total );
    if (page->fault_cost && total.reset_pages)
        snprintf( saved, sizeof(saved), "; stock Wine's write faults would have taken about "
                  "%.1f ms (an estimate: %.1f us for each page reset, measured at the start)",
                  total.reset_pages * (page->fault_cost / 1e6), page->fault_cost / 1e3 );
    log_line( "exit: %llu regions of at most %.1f MiB, %llu polls (%llu with reset), %llu pages "
              "reported, %llu resets; %.1f ms in polls and resets%s",
              (unsigned long long)page->counters.regions_ever,
              page->counters.most_bytes / 1048576.0,
              (unsigned long long)(total.polls + total.reset_polls),
              (unsigned long long)total.reset_polls,
              (unsigned long long)(total.pages + total.reset_pages),
              (unsigned long long)total.resets, page->poll_time / 1e6, saved );
}

/***********************************************************************
 *           report_run
 *
 * Logged by the process that was the command, if it exits by itself.
 */
static void report_run( struct run_page *run )
{
    const char *summary = run_summary( run );

    if (__atomic_exchange_n( &run->ended, 1, __ATOMIC_RELAXED )) return;
    if (*summary) log_line( "%s", summary );
}

__attribute__((destructor)) static void report(void)
{
    struct status_page *page = status_page();
    struct run_page *run = run_page();

    if (page && page->pid == (uint32_t)getpid())
    {
        page->exit_time = clock_ns( CLOCK_REALTIME );
        if (polls_are_timed) report_counts( page );
    }
    if (run && run->pid == (uint32_t)getpid()) report_run( run );
}
