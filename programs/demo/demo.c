/*
 * Demonstration: a game-like loop that finds the pages it wrote in each frame
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* This is what rollback netcode and savestates do: one arena holds the whole state of the game, a
 * frame changes a thousand scattered pages of it, and one GetWriteWatch with RESET reports the
 * pages to copy.  The demo records what it wrote and so can check each answer exactly. */

#define PAGE_SIZE 4096

struct demo
{
    char          *arena;         /* the watched memory */
    char          *copy;          /* kept up to date by copying the reported pages only */
    size_t         pages;         /* size of both, in pages */
    unsigned int  *order;         /* all page numbers; this frame's come first */
    unsigned char *expected;      /* one byte per page: written this frame and not yet reported */
    void         **results;       /* room for every page */
    unsigned long long written, reported, missed, wrong;
};

static unsigned long long random_state = 0x9e3779b97f4a7c15ull;

/***********************************************************************
 *           next_random
 *
 * A xorshift generator: the same sequence on every machine, so that stock and shim do equal work.
 */
static unsigned int next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 32;
}


/***********************************************************************
 *           now
 *
 * Returns the ticks of the performance counter.
 */
static LONGLONG now(void)
{
    LARGE_INTEGER counter;

    QueryPerformanceCounter( &counter );
    return counter.QuadPart;
}


/***********************************************************************
 *           compare_ticks
 *
 * For qsort.
 */
static int compare_ticks( const void *a, const void *b )
{
    LONGLONG left = *(const LONGLONG *)a, right = *(const LONGLONG *)b;

    return left < right ? -1 : left > right;
}


/***********************************************************************
 *           pick_pages
 *
 * Moves count distinct pages, scattered over the arena, to the front of the order.
 */
static void pick_pages( struct demo *demo, unsigned int count )
{
    unsigned int i, j, page;

    for (i = 0; i < count; i++)
    {
        j = i + next_random() % (demo->pages - i);
        page = demo->order[i];
        demo->order[i] = demo->order[j];
        demo->order[j] = page;
    }
}


/***********************************************************************
 *           write_pages
 *
 * Stores once to each of the first count pages of the order.  This is the timed loop.
 */
static void write_pages( struct demo *demo, unsigned int count, unsigned int frame )
{
    unsigned int i;

    for (i = 0; i < count; i++)
    {
        size_t offset = (size_t)demo->order[i] * PAGE_SIZE + (frame * 8) % PAGE_SIZE;
        *(volatile unsigned int *)(demo->arena + offset) = frame * 0x10001 + i;
    }
}


/***********************************************************************
 *           check_answer
 *
 * Compares one answer with what was written, and copies the reported pages.
 */
static void check_answer( struct demo *demo, ULONG_PTR count, unsigned int written )
{
    ULONG_PTR i;
    unsigned int j;

    for (i = 0; i < count; i++)
    {
        size_t offset = (char *)demo->results[i] - demo->arena, page = offset / PAGE_SIZE;

        if (page >= demo->pages || offset % PAGE_SIZE || !demo->expected[page]) demo->wrong++;
        else
        {
            demo->expected[page] = 0;
            memcpy( demo->copy + offset, demo->arena + offset, PAGE_SIZE );
        }
    }
    for (j = 0; j < written; j++)
    {
        if (!demo->expected[demo->order[j]]) continue;
        demo->expected[demo->order[j]] = 0;
        demo->missed++;
    }
    demo->written += written;
    demo->reported += count;
}


/***********************************************************************
 *           run_frame
 *
 * Writes, polls, checks.  Returns FALSE when the poll fails.
 */
static BOOL run_frame( struct demo *demo, unsigned int count, unsigned int frame,
                       LONGLONG *write_ticks, LONGLONG *poll_ticks )
{
    ULONG_PTR results = demo->pages;
    ULONG granularity = 0;
    LONGLONG start, middle, end;
    unsigned int i, ret;

    pick_pages( demo, count );
    for (i = 0; i < count; i++) demo->expected[demo->order[i]] = 1;

    start = now();
    write_pages( demo, count, frame );
    middle = now();
    ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, demo->arena, demo->pages * PAGE_SIZE,
                         demo->results, &results, &granularity );
    end = now();

    if (ret || granularity != PAGE_SIZE)
    {
        fprintf( stderr, "demo: GetWriteWatch failed, error %lu\n", GetLastError() );
        return FALSE;
    }
    check_answer( demo, results, count );
    *write_ticks = middle - start;
    *poll_ticks = end - middle;
    return TRUE;
}


/***********************************************************************
 *           prepare
 *
 * Allocates the arena, then writes and polls every page once: fresh memory faults with and without
 * tracking alike, which would only blur the comparison.
 */
static BOOL prepare( struct demo *demo, size_t pages )
{
    LONGLONG ignored;
    size_t i;

    demo->pages = pages;
    demo->arena = VirtualAlloc( NULL, pages * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                PAGE_READWRITE );
    demo->copy = VirtualAlloc( NULL, pages * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    demo->order = malloc( pages * sizeof(*demo->order) );
    demo->expected = calloc( pages, 1 );
    demo->results = malloc( pages * sizeof(*demo->results) );
    if (!demo->arena || !demo->copy || !demo->order || !demo->expected || !demo->results)
    {
        fprintf( stderr, "demo: cannot allocate the arena, error %lu\n", GetLastError() );
        return FALSE;
    }
    memset( demo->results, 0, pages * sizeof(*demo->results) );
    for (i = 0; i < pages; i++) demo->order[i] = i;
    return run_frame( demo, pages, 1, &ignored, &ignored );
}


/***********************************************************************
 *           main
 *
 * usage: demo [FRAMES [PAGES_A_FRAME [ARENA_MIB]]]
 */
int main( int argc, char **argv )
{
    unsigned int frames = argc > 1 ? strtoul( argv[1], NULL, 0 ) : 200;
    unsigned int count = argc > 2 ? strtoul( argv[2], NULL, 0 ) : 1000;
    size_t pages = (argc > 3 ? strtoul( argv[3], NULL, 0 ) : 64) * (1024 * 1024 / PAGE_SIZE);
    LONGLONG *write_ticks, *poll_ticks, write_total = 0, poll_total = 0, ignored;
    struct demo demo = { 0 };
    LARGE_INTEGER frequency;
    unsigned int i;
    double ms;

    if (!frames || !pages || !count || count > pages)
    {
        fprintf( stderr, "usage: demo [FRAMES [PAGES_A_FRAME [ARENA_MIB]]]\n" );
        return 2;
    }
    write_ticks = calloc( frames, sizeof(*write_ticks) );
    poll_ticks = calloc( frames, sizeof(*poll_ticks) );
    if (!write_ticks || !poll_ticks || !prepare( &demo, pages )) return 1;
    if (!run_frame( &demo, count, 2, &ignored, &ignored )) return 1;
    demo.written = demo.reported = 0;  /* of the warm-up, keep only the error counts */

    for (i = 0; i < frames; i++)
    {
        if (!run_frame( &demo, count, i + 3, &write_ticks[i], &poll_ticks[i] )) return 1;
        write_total += write_ticks[i];
        poll_total += poll_ticks[i];
    }

    /* a second check, independent of the counts: the reported pages were copied and no others, so
     * the copy must now equal the arena */
    for (i = 0; i < pages; i++)
    {
        size_t offset = (size_t)i * PAGE_SIZE;
        if (memcmp( demo.arena + offset, demo.copy + offset, PAGE_SIZE )) demo.missed++;
    }

    QueryPerformanceFrequency( &frequency );
    ms = 1000.0 / frequency.QuadPart;
    qsort( write_ticks, frames, sizeof(*write_ticks), compare_ticks );
    qsort( poll_ticks, frames, sizeof(*poll_ticks), compare_ticks );
    printf( "demo: frames=%u pages_a_frame=%u arena_mib=%u written=%llu reported=%llu missed=%llu "
            "false=%llu write_ms=%.4f poll_ms=%.4f write_median_ms=%.4f poll_median_ms=%.4f\n",
            frames, count, (unsigned int)(pages / 256), demo.written, demo.reported, demo.missed,
            demo.wrong, write_total * ms / frames, poll_total * ms / frames,
            write_ticks[frames / 2] * ms, poll_ticks[frames / 2] * ms );
    return demo.missed || demo.wrong ? 1 : 0;
}
