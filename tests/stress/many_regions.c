/*
 * robustness: small watched regions allocated, written, polled and freed by four threads
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* What a conservative collector does.  A region is fresh when it is allocated, also where another
 * one was freed a moment ago, and each answer must be exact. */

#define PAGES    16               /* 64 KiB */
#define THREADS  4
#define LIVE     48               /* regions of a thread */
#define TURNS    4000             /* of a thread */

struct area
{
    char          *base;
    unsigned short written;       /* one bit a page */
};

struct worker
{
    struct area area[LIVE];
    ULONG64     random;
    LONG        allocated, freed, reused, polls, reported;
    HANDLE      thread;
};

static struct worker workers[THREADS];

/***********************************************************************
 *           bit_count
 */
static unsigned int bit_count( unsigned short bits )
{
    return __builtin_popcount( bits );
}


/***********************************************************************
 *           poll_exactly
 *
 * Polls with room for so many pages; the answer must be the first ones of those written.
 */
static void poll_exactly( struct worker *worker, struct area *area, ULONG_PTR size, DWORD flags,
                          const char *what )
{
    unsigned int page, expected = min( bit_count( area->written ), size );
    ULONG_PTR count = size, i = 0;
    void *results[PAGES];
    ULONG granularity;

    stage = what;
    if (GetWriteWatch( flags, area->base, PAGES * PAGE_SIZE, results, &count, &granularity ))
    {
        check( 0, "%s: GetWriteWatch failed, error %lu", what, GetLastError() );
        return;
    }
    check( count == expected, "%s: %u pages reported instead of %u", what, (unsigned int)count,
           expected );
    for (page = 0; page < PAGES && i < count && count <= size; page++)
    {
        if (!(area->written & (1 << page))) continue;
        check( results[i] == area->base + page * PAGE_SIZE, "%s: %p reported instead of %p", what,
               results[i], area->base + page * PAGE_SIZE );
        if (flags) area->written &= ~(1 << page);
        i++;
    }
    worker->polls++;
    worker->reported += count;
}


/***********************************************************************
 *           allocate
 *
 * A region where Windows likes, or at an address that was just freed.  There another thread may
 * have been faster: then it is not got, which is no failure.
 */
static BOOL allocate( struct worker *worker, struct area *area, char *address )
{
    BOOL commit_later = !(next_random( &worker->random ) % 4);

    stage = "allocating";
    area->written = 0;
    area->base = VirtualAlloc( address, PAGES * PAGE_SIZE,
                               MEM_RESERVE | MEM_WRITE_WATCH | (commit_later ? 0 : MEM_COMMIT),
                               PAGE_READWRITE );
    if (!area->base)
    {
        check( address != NULL, "VirtualAlloc failed, error %lu", GetLastError() );
        return FALSE;
    }
    worker->allocated++;
    if (address) worker->reused++;
    if (commit_later)
    {
        poll_exactly( worker, area, PAGES, 0, "reserved memory" );
        check( VirtualAlloc( area->base, PAGES * PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE ) != NULL,
               "commit failed, error %lu", GetLastError() );
    }
    poll_exactly( worker, area, PAGES, next_random( &worker->random ) % 2, "fresh memory" );
    check( !*(volatile LONG *)(area->base + 3 * PAGE_SIZE), "fresh memory is not zero" );
    return TRUE;
}


/***********************************************************************
 *           release
 */
static void release( struct worker *worker, struct area *area )
{
    stage = "freeing";
    check( VirtualFree( area->base, 0, MEM_RELEASE ), "VirtualFree failed, error %lu",
           GetLastError() );
    area->base = NULL;
    worker->freed++;
}


/***********************************************************************
 *           write_some
 */
static void write_some( struct worker *worker, struct area *area )
{
    unsigned int i, page, count = next_random( &worker->random ) % PAGES;

    stage = "writing";
    for (i = 0; i < count; i++)
    {
        page = next_random( &worker->random ) % PAGES;
        *(volatile LONG *)(area->base + page * PAGE_SIZE) = 1 + i;
        area->written |= 1 << page;
    }
}


/***********************************************************************
 *           use_area
 *
 * One turn with one region.
 */
static void use_area( struct worker *worker, struct area *area )
{
    char *address;

    if (!area->base && !allocate( worker, area, NULL )) return;
    write_some( worker, area );
    switch (next_random( &worker->random ) % 8)
    {
    case 0:
        poll_exactly( worker, area, PAGES, 0, "a poll that keeps" );
        break;
    case 1:
        poll_exactly( worker, area, 1 + next_random( &worker->random ) % 4, WRITE_WATCH_FLAG_RESET,
                      "a short poll" );
        break;
    case 2:
        stage = "resetting";
        check( !ResetWriteWatch( area->base, PAGES * PAGE_SIZE ),
               "ResetWriteWatch failed, error %lu", GetLastError() );
        area->written = 0;
        break;
    case 3:  /* freed with pages written, and the same address at once again */
        address = area->base;
        release( worker, area );
        allocate( worker, area, address );
        break;
    case 4:
        release( worker, area );
        break;
    default:
        break;
    }
    if (!area->base) return;
    poll_exactly( worker, area, PAGES, WRITE_WATCH_FLAG_RESET, "a poll" );
    poll_exactly( worker, area, PAGES, WRITE_WATCH_FLAG_RESET, "a second poll" );
}


/***********************************************************************
 *           worker_thread
 */
static DWORD WINAPI worker_thread( void *arg )
{
    struct worker *worker = arg;
    unsigned int i;

    for (i = 0; i < TURNS && !failures; i++)
        use_area( worker, &worker->area[next_random( &worker->random ) % LIVE] );
    for (i = 0; i < LIVE; i++) if (worker->area[i].base) release( worker, &worker->area[i] );
    return 0;
}


/***********************************************************************
 *           main
 */
int main(void)
{
    LONG allocated = 0, freed = 0, reused = 0, polls = 0, reported = 0;
    unsigned int i;

    start_watchdog();
    for (i = 0; i < THREADS; i++)
    {
        workers[i].random = 500 + i;
        workers[i].thread = start_thread( worker_thread, &workers[i] );
    }
    for (i = 0; i < THREADS; i++)
    {
        /* the watchdog sees to it that it ends */
        WaitForSingleObject( workers[i].thread, INFINITE );
        CloseHandle( workers[i].thread );
        allocated += workers[i].allocated;
        freed += workers[i].freed;
        reused += workers[i].reused;
        polls += workers[i].polls;
        reported += workers[i].reported;
    }
    check( allocated == freed, "%ld regions allocated, %ld freed", allocated, freed );
    check( failures || (allocated && reused), "%ld regions, %ld addresses reused", allocated,
           reused );
    say( "many_regions: %ld regions allocated and freed, %ld of them where one was just freed, "
         "%ld exact polls, %ld pages reported, %ld failures\n", allocated, reused, polls, reported,
         failures );
    finish();
}
