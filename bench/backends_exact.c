/*
 * Whether one backend loses pages or invents some, and whether it splits mappings
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends_parts.h"

#define WRITERS     2
#define RACE_POLLS  20     /* at least, however slow they are */
#define PATTERNS    8

struct exact
{
    const struct tracker *tracker;
    struct findings      *findings;
    char                 *base;
    size_t                pages;
    void                **results;
    unsigned char        *reported;
};

/***********************************************************************
 *           exact_init
 */
static int exact_init( struct exact *exact, const struct tracker *tracker, size_t pages,
                       struct findings *findings )
{
    exact->tracker  = tracker;
    exact->findings = findings;
    exact->pages    = pages;
    exact->base     = tracker->allocate( tracker, pages * page_size );
    exact->results  = malloc( pages * sizeof(exact->results[0]) );
    exact->reported     = malloc( pages );
    if (exact->base && exact->results && exact->reported) return 0;
    return fail( findings, "it could not have memory" );
}


/***********************************************************************
 *           exact_done
 */
static void exact_done( struct exact *exact )
{
    exact->tracker->release( exact->base, exact->pages * page_size );
    free( exact->results );
    free( exact->reported );
}


/***********************************************************************
 *           poll_pages
 *
 * Polls and notes for each page whether it was reported.
 */
static int poll_pages( struct exact *exact )
{
    size_t size = exact->pages * page_size, offset;
    long i, count = exact->tracker->poll( exact->base, size, exact->results );

    if (count < 0) return fail( exact->findings, "a poll failed" );
    memset( exact->reported, 0, exact->pages );
    for (i = 0; i < count; i++)
    {
        offset = (char *)exact->results[i] - exact->base;
        if (offset >= size || offset % page_size)
            return fail( exact->findings, "it reported a wrong address" );
        exact->reported[offset / page_size] = 1;
    }
    return 0;
}


/***********************************************************************
 *           poll_against
 *
 * Polls and compares with the model, in which then nothing is written any more.
 */
static int poll_against( struct exact *exact, unsigned char *written )
{
    size_t i;

    if (poll_pages( exact )) return -1;
    for (i = 0; i < exact->pages; i++)
    {
        if (written[i] && !exact->reported[i]) exact->findings->lost++;
        if (!written[i] && exact->reported[i]) exact->findings->extra++;
    }
    memset( written, 0, exact->pages );
    return 0;
}


/***********************************************************************
 *           count_mappings
 */
static long count_mappings(void)
{
    static char buffer[65536];
    int fd = open( "/proc/self/maps", O_RDONLY | O_CLOEXEC );
    long count = 0;
    ssize_t len, i;

    while ((len = read( fd, buffer, sizeof(buffer) )) > 0)
        for (i = 0; i < len; i++) count += buffer[i] == '\n';
    close( fd );
    return count;
}


/***********************************************************************
 *           map_neighbours
 *
 * Maps memory next to the region, as any part of a program may, with which it could merge.
 */
static void map_neighbours( char *base, size_t size, void *neighbours[2] )
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    unsigned int i;

    neighbours[0] = mmap( base - 0x10000, 0x10000, PROT_READ | PROT_WRITE, flags, -1, 0 );
    neighbours[1] = mmap( base + size, 0x10000, PROT_READ | PROT_WRITE, flags, -1, 0 );
    for (i = 0; i < 2; i++)
        if (neighbours[i] != MAP_FAILED) madvise( neighbours[i], 0x10000, MADV_NOHUGEPAGE );
}


/***********************************************************************
 *           write_every_other
 *
 * A zero where a zero was is a write too.
 */
static void write_every_other( struct exact *exact, unsigned char *written, size_t first )
{
    size_t i;

    for (i = first; i < exact->pages; i += 2)
    {
        ((volatile char *)exact->base)[i * page_size] = 0;
        written[i] = 1;
    }
}


/***********************************************************************
 *           run_patterns
 */
static int run_patterns( struct exact *exact, unsigned char *written )
{
    volatile char *memory = exact->base;
    uint64_t random = now_ns();
    unsigned int turn, rarity;
    void *neighbours[2];
    long mappings;
    size_t i;

    /* untouched, and only read */
    if (poll_against( exact, written )) return -1;
    for (i = 0; i < exact->pages; i += 3) memory[i * page_size];
    if (poll_against( exact, written )) return -1;

    mappings = count_mappings();
    write_every_other( exact, written, 0 );
    exact->findings->split = count_mappings() - mappings;
    if (poll_against( exact, written )) return -1;
    write_every_other( exact, written, 1 );
    if (poll_against( exact, written )) return -1;

    map_neighbours( exact->base, exact->pages * page_size, neighbours );
    if (poll_against( exact, written )) return -1;
    for (i = 0; i < 2; i++) if (neighbours[i] != MAP_FAILED) munmap( neighbours[i], 0x10000 );

    for (turn = 0; turn < PATTERNS; turn++)
    {
        for (i = 0, rarity = 1 + turn * turn; i < exact->pages; i++)
        {
            if (next_random( &random ) % rarity) (void)memory[i * page_size + 8];
            else
            {
                memory[i * page_size + page_size - 1] = turn;
                written[i] = 1;
            }
        }
        if (poll_against( exact, written )) return -1;
    }
    return poll_against( exact, written );
}


/***********************************************************************
 *           check_patterns
 *
 * Compares the reports of one thread's writes with a model.
 */
int check_patterns( const struct tracker *tracker, size_t pages, struct findings *findings )
{
    unsigned char *written = calloc( pages, 1 );
    struct exact exact;
    int ret;

    if (!written || exact_init( &exact, tracker, pages, findings )) return -1;
    ret = run_patterns( &exact, written );
    exact_done( &exact );
    free( written );
    return ret;
}


/* Each page has one writer, which stores the number of a write in "began", in the page and in
 * "done", in that order. The poller notes "done" and "began" before each poll, and copies the
 * reported pages after it:
 *   - a page of which a newer write than the copied one was done when a poll began is reported by
 *     that poll, or is lost;
 *   - a reported page has a write that was not done when the last poll began, or is false. */
static char *race_base;
static size_t race_pages;
static unsigned int began[RACE_PAGES], done[RACE_PAGES];
static unsigned int began_now[RACE_PAGES], done_now[RACE_PAGES], done_before[RACE_PAGES];
static unsigned int copied[RACE_PAGES];
static int stopping;

/***********************************************************************
 *           writer
 *
 * Returns how much it wrote. Every 16th page is only read.
 */
static void *writer( void *arg )
{
    uintptr_t self = (uintptr_t)arg, writes = 0;
    uint64_t random = 100 + self;
    volatile unsigned int *content;
    unsigned int number, pause;
    size_t page;

    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
    {
        page    = next_random( &random ) % (race_pages / WRITERS) * WRITERS + self;
        content = (unsigned int *)(race_base + page * page_size);
        if (page % 16 == 15)
        {
            *content;
            continue;
        }
        number = began[page] + 1;
        __atomic_store_n( &began[page], number, __ATOMIC_SEQ_CST );
        *content = number;
        __atomic_store_n( &done[page], number, __ATOMIC_SEQ_CST );
        writes++;
        /* when every page is written between two polls, the next write hides that one was lost */
        for (pause = next_random( &random ) % 256; pause; pause--) __asm__ volatile( "" );
    }
    return (void *)writes;
}


/***********************************************************************
 *           race_poll
 *
 * One poll. What is lost counts once.
 */
static int race_poll( struct exact *exact )
{
    size_t i;

    memcpy( done_before, done_now, sizeof(done_before) );
    for (i = 0; i < exact->pages; i++)
    {
        done_now[i] = __atomic_load_n( &done[i], __ATOMIC_SEQ_CST );
        began_now[i] = __atomic_load_n( &began[i], __ATOMIC_SEQ_CST );
    }
    if (poll_pages( exact )) return -1;
    for (i = 0; i < exact->pages; i++)
    {
        if (exact->reported[i])
        {
            if (__atomic_load_n( &began[i], __ATOMIC_SEQ_CST ) == done_before[i])
                exact->findings->extra++;
            copied[i] = *(volatile unsigned int *)(exact->base + i * page_size);
        }
        else if (done_now[i] == began_now[i] && done_now[i] != copied[i])
        {
            exact->findings->lost++;
            copied[i] = done_now[i];
        }
    }
    return 0;
}


/***********************************************************************
 *           have_written
 *
 * Whether the last poll began after a write.
 */
static int have_written( const struct exact *exact )
{
    size_t i;

    for (i = 0; i < exact->pages; i++) if (done_now[i]) return 1;
    return 0;
}


/***********************************************************************
 *           check_race
 *
 * Polls while others write, for some time, and until enough was polled and written.
 */
int check_race( const struct tracker *tracker, size_t pages, unsigned int milliseconds,
                struct findings *findings )
{
    uint64_t end = now_ns() + milliseconds * 1000000ull;
    pthread_t threads[WRITERS];
    struct exact exact;
    uintptr_t i;
    void *writes;
    int ret = 0;

    if (exact_init( &exact, tracker, pages, findings )) return -1;
    race_base  = exact.base;
    race_pages = pages;
    for (i = 0; i < WRITERS; i++)
        if (pthread_create( &threads[i], NULL, writer, (void *)i ))
            return fail( findings, "a thread could not be started" );

    for (; !ret && (now_ns() < end || findings->polls < RACE_POLLS || !have_written( &exact ));
         findings->polls++)
    {
        ret = race_poll( &exact );
        /* polls without a pause leave those that write by faults little time */
        if (!(findings->polls % 4)) usleep( 1000 );
    }

    __atomic_store_n( &stopping, 1, __ATOMIC_RELAXED );
    for (i = 0; i < WRITERS; i++)
    {
        pthread_join( threads[i], &writes );
        findings->writes += (uintptr_t)writes;
    }
    /* what is still owed, then nothing more */
    for (i = 0; !ret && i < 2; i++) ret = race_poll( &exact );
    exact_done( &exact );
    return ret;
}
