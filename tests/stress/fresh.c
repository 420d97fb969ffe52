/*
 * robustness: nothing is written in fresh memory, whatever lies beside it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* The kernel may make one mapping of watched memory and of what is mapped beside it, before the
 * watch begins, and a write there may bring in a huge page. Regions of many sizes are allocated,
 * with plain memory in between that another thread writes to, and stay. */

#define REGIONS 400
#define MAX_MB  8

static char *regions[REGIONS];
static volatile LONG stopping;

/***********************************************************************
 *           neighbour_thread
 *
 * Allocates, writes to and frees memory all the time.
 */
static DWORD WINAPI neighbour_thread( void *arg )
{
    SIZE_T size = (SIZE_T)MAX_MB << 20, pos;

    while (!stopping)
    {
        char *base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );

        for (pos = 0; base && pos < size && !stopping; pos += 1 << 19) base[pos] = 1;
        if (base) VirtualFree( base, 0, MEM_RELEASE );
    }
    return arg != NULL;
}

/***********************************************************************
 *           check_region
 */
static void check_region( const char *base, SIZE_T size, char *written )
{
    void *results[2] = { NULL, NULL };
    ULONG_PTR count = 2;
    ULONG granularity;

    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, (void *)base, size, results, &count,
                           &granularity ), "GetWriteWatch failed, error %lu", GetLastError() );
    check( count == (written != NULL) && results[0] == written,
           "%p of %u KiB: %u pages reported, %p and %p", base, (unsigned int)(size >> 10),
           (unsigned int)count, results[0], results[1] );
}

/***********************************************************************
 *           main
 */
int main(void)
{
    ULONG64 random = 1;
    HANDLE thread;
    unsigned int i;

    start_watchdog();
    thread = start_thread( neighbour_thread, NULL );
    for (i = 0; i < REGIONS && !failures; i++)
    {
        SIZE_T size = (next_random( &random ) % (MAX_MB << 4) + 1) << 16;

        stage = "allocating";
        regions[i] = allocate_watched( size / PAGE_SIZE );
        /* asked at once, or only after a write */
        if (i % 2) check_region( regions[i], size, NULL );
        regions[i][size / 2] = 1;
        check_region( regions[i], size, regions[i] + (size / 2 & ~(SIZE_T)(PAGE_SIZE - 1)) );
        if (i % 3 == 2) VirtualFree( regions[i - 1], 0, MEM_RELEASE );
    }
    stopping = 1;
    join_thread( thread );
    say( "fresh: %u regions, %ld failures\n", i, failures );
    finish();
}
