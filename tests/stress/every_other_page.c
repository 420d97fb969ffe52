/*
 * robustness: every other page of 256 MiB written, which no table of mappings may limit
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* Tracking by page protection splits the mapping at every page; past the limit of the kernel
 * (vm.max_map_count) the protection cannot be changed and the write faults forever. */

#define PAGES (256 * 1024 * 1024 / PAGE_SIZE)

static void *results[PAGES];

/***********************************************************************
 *           poll_exactly
 *
 * Polls with an array of that size until it is no longer full; the answer must be every other page
 * from first on, in order.
 */
static unsigned int poll_exactly( char *base, unsigned int first, ULONG_PTR size )
{
    unsigned int found = 0, wrong = 0;
    ULONG granularity;
    ULONG_PTR count, i;

    do
    {
        count = size;
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, (size_t)PAGES * PAGE_SIZE, results, &count,
                           &granularity ))
        {
            check( 0, "GetWriteWatch failed, error %lu", GetLastError() );
            return found;
        }
        for (i = 0; i < count; i++, found++)
            if (results[i] != base + (size_t)(first + 2 * found) * PAGE_SIZE) wrong++;
    } while (count == size);

    check( found == PAGES / 2, "%u pages reported instead of %u", found, PAGES / 2 );
    check( !wrong, "%u of %u entries are wrong", wrong, found );
    return found;
}


/***********************************************************************
 *           main
 */
int main(void)
{
    static const ULONG_PTR sizes[] = { PAGES, 1000, 64, PAGES / 2 };
    unsigned int i, page, reported = 0;
    ULONG granularity;
    ULONG_PTR count;
    char *base;

    start_watchdog();
    base = allocate_watched( PAGES );

    for (i = 0; i < ARRAYSIZE( sizes ); i++)
    {
        stage = "writing every other page";
        for (page = i % 2; page < PAGES; page += 2) base[(size_t)page * PAGE_SIZE + i] = i + 1;
        stage = "polling";
        reported += poll_exactly( base, i % 2, sizes[i] );
    }
    count = PAGES;
    check( !GetWriteWatch( 0, base, (size_t)PAGES * PAGE_SIZE, results, &count, &granularity ) &&
           !count, "%u pages reported after all were reset", (unsigned int)count );
    stage = "freeing";
    check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed, error %lu", GetLastError() );
    say( "every_other_page: %u rounds, %u pages written, %u reported, %ld failures\n",
         i, i * PAGES / 2, reported, failures );
    finish();
}
