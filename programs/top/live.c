/*
 * Samples of a living process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "programs/status/status_reader.h"
#include "source.h"
#include "tracker.h"

/* A step is to take STEP_TIME, so that threads that wait for the kernel's locks do not wait long,
 * and the pause after it DUTY times as long: about 1 % of one processor, and of the locks' time. */
#define STEP_TIME  50e-6
#define DUTY       99
#define MIN_CHUNK  ((uint64_t)256 << 10)
#define MAX_CHUNK  ((uint64_t)1 << 30)

struct live
{
    struct source          source;
    struct status_file     file;
    struct status_info     info;          /* as read when the last pass began */
    struct other_pages     scanner;
    struct look            look;
    struct tracked_region *regions;       /* in the order of their bases */
    size_t                 count;
    size_t                 current;       /* the one that is looked at; count: the pass is over */
    uint64_t               chunk;         /* of bytes, for one call of the kernel */
    double                 start;         /* of watching, as all times by clock_seconds() */
    double                 next_step;
    double                 due;           /* when the next sample may be taken */
    double                 pass_began;
    double                 sampled;       /* the last sample, in seconds since the start */
};

static double clock_of( clockid_t clock )
{
    struct timespec now;

    clock_gettime( clock, &now );
    return now.tv_sec + now.tv_nsec / 1e9;
}

double clock_seconds(void)
{
    return clock_of( CLOCK_MONOTONIC );
}

/* Replaces the regions by those of info; what was seen of the ones that stay is kept. */
static int take_regions( struct live *live )
{
    struct tracked_region *regions = calloc( live->info.count + 1, sizeof(*regions) );
    const struct region_counters *slot;
    size_t i, old = 0;
    int ret = 0;

    if (!regions) return -ENOMEM;
    for (i = 0; !ret && i < live->info.count; i++)
    {
        slot = &live->info.slots[i];
        while (old < live->count && live->regions[old].counters.base < slot->base)
            tracker_end( &live->regions[old++] );
        if (old < live->count && live->regions[old].counters.base == slot->base &&
            live->regions[old].counters.size == slot->size)
            regions[i] = live->regions[old++];
        else ret = tracker_begin( &regions[i], slot, live->look.page_size );
        tracker_pass( &regions[i], slot, live->look.now );
    }
    while (old < live->count) tracker_end( &live->regions[old++] );
    free( live->regions );
    live->regions = regions;
    live->count = i;
    return ret;
}

static enum source_result fail( struct live *live, const char *why )
{
    snprintf( live->source.problem, sizeof(live->source.problem), "process %u (%.63s): %.128s",
              live->source.process.pid, live->source.process.program, why );
    return SOURCE_FAILED;
}

static int is_gone( struct live *live )
{
    return !status_is_alive( &live->file ) || !other_pages_exist( &live->scanner );
}

static enum source_result begin_pass( struct live *live )
{
    enum status_result result;

    if ((result = status_read( &live->file, &live->info )))
        return fail( live, status_reason( result ));
    live->pass_began = clock_seconds();
    live->look.now = (live->pass_began - live->start) * 1000 + 1;
    live->look.has_swap = scan_has_swap( live->file.pid );
    live->current = 0;
    if (take_regions( live )) return fail( live, "out of memory" );
    if (live->count) live->scanner.start = live->regions[0].counters.base;
    return SOURCE_NONE;
}

/***********************************************************************
 *           scan_chunk
 *
 * One call of the kernel. An error other than that of a process that ends cannot be answered by
 * "not written".
 */
static enum source_result scan_chunk( struct live *live )
{
    struct tracked_region *region = &live->regions[live->current];
    uint64_t start = live->scanner.start, end = region->counters.base + region->counters.size;
    double before = clock_of( CLOCK_THREAD_CPUTIME_ID ), took;
    int ret;

    live->scanner.end = end - start < live->chunk ? end : start + live->chunk;
    ret = scan_some( &live->scanner );
    took = clock_of( CLOCK_THREAD_CPUTIME_ID ) - before;
    live->look.now = (clock_seconds() - live->start) * 1000 + 1;
    if (!ret) ret = tracker_look( region, &live->look, start, &live->scanner );
    if (ret == -ESRCH) return SOURCE_ENDED;
    if (ret) return fail( live, strerror( -ret ));

    if (took > STEP_TIME && live->chunk > MIN_CHUNK) live->chunk /= 2;
    else if (took < STEP_TIME / 4 && live->scanner.start == live->scanner.end &&
             live->chunk < MAX_CHUNK) live->chunk *= 2;
    if (live->scanner.start < end) return SOURCE_NONE;
    if (++live->current < live->count)
        live->scanner.start = live->regions[live->current].counters.base;
    return SOURCE_NONE;
}

static enum source_result take_sample( struct live *live, struct snapshot *snapshot )
{
    double now = clock_seconds() - live->start, interval = live->source.process.interval;
    struct ages ages = { .now = now * 1000 + 1, .interval = interval * 1000 };
    struct snapshot new = { .time = live->pass_began - live->start };   /* of the counters */

    /* what was seen since the last sample is recent, however late this one is */
    if (live->sampled >= 0 && now - live->sampled > interval) interval = now - live->sampled;
    ages.recent = interval * 1000;
    new.regions = live->info.regions;
    new.bytes   = live->info.bytes;
    new.total   = live->info.total;
    if (new.regions < live->count) new.regions = live->count;
    if (!(new.views = calloc( live->count + 1, sizeof(*new.views) )))
        return fail( live, "out of memory" );
    for (; new.count < live->count; new.count++)
        if (tracker_view( &live->regions[new.count], &ages, &new.views[new.count] ))
        {
            new.count++;
            snapshot_free( &new );
            return fail( live, "out of memory" );
        }
    snapshot_free( snapshot );
    *snapshot = new;
    if (live->sampled < 0) live->source.process.began = clock_of( CLOCK_REALTIME ) - now;
    live->sampled = now;
    live->due += live->source.process.interval;
    if (live->due < live->start + now) live->due = live->start + now;
    return SOURCE_SAMPLE;
}

/***********************************************************************
 *           live_work
 *
 * A sample is taken after a pass that began when it was due. The pages of a process that ends look
 * untouched: what was seen of one that has ended is not shown.
 */
static enum source_result live_work( struct source *source, struct snapshot *snapshot,
                                     double *wait )
{
    struct live *live = (struct live *)source;
    enum source_result result = SOURCE_NONE;
    double cpu, now = clock_seconds();

    *wait = live->next_step - now;
    if (*wait > 0) return SOURCE_NONE;
    cpu = clock_of( CLOCK_THREAD_CPUTIME_ID );
    do
    {
        if (live->current >= live->count)
        {
            if (live->pass_began && is_gone( live )) result = SOURCE_ENDED;
            if (result) break;
            if (live->pass_began && live->pass_began >= live->due &&
                (result = take_sample( live, snapshot ))) break;
            result = begin_pass( live );
            if (!live->count) break;
        }
        else result = scan_chunk( live );
        *wait = clock_of( CLOCK_THREAD_CPUTIME_ID ) - cpu;
    }
    while (!result && *wait < STEP_TIME);

    *wait = DUTY * (clock_of( CLOCK_THREAD_CPUTIME_ID ) - cpu);
    if (*wait < DUTY * STEP_TIME) *wait = DUTY * STEP_TIME;
    live->next_step = clock_seconds() + *wait;
    if (result == SOURCE_FAILED && is_gone( live )) result = SOURCE_ENDED;
    if (result == SOURCE_ENDED) source->has_ended = 1;
    return result;
}

static void live_close( struct source *source )
{
    struct live *live = (struct live *)source;
    size_t i;

    for (i = 0; i < live->count; i++) tracker_end( &live->regions[i] );
    free( live->regions );
    scan_close( &live->scanner );
    status_close( &live->file );
    free( live );
}

static void describe( struct live *live )
{
    struct process_view *process = &live->source.process;
    struct status_info *info = &live->info;
    struct utsname system;

    process->pid       = info->pid;
    process->word_size = info->word_size;
    process->page_size = live->look.page_size;
    snprintf( process->program, sizeof(process->program), "%s", info->program );
    snprintf( process->wine, sizeof(process->wine), "%s", info->wine );
    snprintf( process->version, sizeof(process->version), "%s", info->version );
    snprintf( process->mechanism, sizeof(process->mechanism), "%s", info->mechanism );
    uname( &system );
    snprintf( process->kernel, sizeof(process->kernel), "%.63s", system.release );
}

/* why a scan cannot begin */
static const char *scan_problem( int error )
{
    switch (error)
    {
    case -EACCES:
    case -EPERM:
        return "the kernel does not let it be looked at (another user's process, or one that "
               "protects itself)";
    case -ENOTTY:
        return "this kernel has no PAGEMAP_SCAN (Linux 6.7 and later have it)";
    case -ENOENT:
    case -ESRCH:
        return "it has ended";
    default:
        return strerror( -error );
    }
}

struct source *live_open( uint32_t pid, double interval, char *problem )
{
    struct live *live = calloc( 1, sizeof(*live) );
    enum status_result result;
    const char *why = NULL;
    int ret;

    if (!live)
    {
        snprintf( problem, 256, "out of memory" );
        return NULL;
    }
    live->file.fd = live->scanner.pagemap = -1;
    live->look.page_size = sysconf( _SC_PAGESIZE );
    if ((result = status_open( pid, &live->file )) ||
        (result = status_read( &live->file, &live->info )))
        why = status_reason( result );
    else if (!status_is_alive( &live->file )) why = "it has ended";
    else if ((ret = scan_open( &live->scanner, pid ))) why = scan_problem( ret );
    /* the pagemap is of the process only if it was still alive when that was opened */
    else if (!status_is_alive( &live->file )) why = "it has ended";
    if (why)
    {
        snprintf( problem, 256, "process %u: %.200s", pid, why );
        live_close( &live->source );
        return NULL;
    }
    describe( live );
    live->look.is_marked = strstr( live->info.mechanism, "marked at commit" ) != NULL;
    live->source.process.interval = interval;
    live->source.work  = live_work;
    live->source.close = live_close;
    live->chunk   = 8 * MIN_CHUNK;
    live->sampled = -1;
    live->start   = live->due = clock_seconds();
    return &live->source;
}
