/*
 * robustness: a few pages written and polled, for the tests that take something from the shim
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

#define PAGES 256

static void *results[PAGES];

/***********************************************************************
 *           main
 */
int main(void)
{
    ULONG64 random = 4711;
    unsigned int round, i, expected, reported = 0;
    char *base;

    start_watchdog();
    base = allocate_watched( PAGES );

    for (round = 0; round < 100; round++)
    {
        unsigned char written[PAGES] = { 0 };
        ULONG_PTR count = PAGES;
        ULONG granularity;

        stage = "writing";
        for (i = 0; i < round % 20; i++)
        {
            unsigned int page = next_random( &random ) % PAGES;
            base[page * PAGE_SIZE + round] = round;
            written[page] = 1;
        }
        for (i = expected = 0; i < PAGES; i++) expected += written[i];

        stage = "polling";
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * PAGE_SIZE, results, &count,
                           &granularity ))
        {
            check( 0, "GetWriteWatch failed, error %lu", GetLastError() );
            break;
        }
        check( count == expected && granularity == PAGE_SIZE, "round %u: %u pages instead of %u",
               round, (unsigned int)count, expected );
        for (i = 0; i < count; i++)
        {
            size_t offset = (char *)results[i] - base;
            check( offset < PAGES * PAGE_SIZE && written[offset / PAGE_SIZE],
                   "round %u: %p was not written", round, results[i] );
        }
        reported += count;
    }
    check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed, error %lu", GetLastError() );
    say( "basic_poll: %u rounds, %u pages reported, %ld failures\n", round, reported, failures );
    finish();
}
