/*
 * writewatch-trial: compares the pages that it writes with the pages that are reported
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A Windows program that writewatch --check runs, one for each word size. Prints one line: how many
 * pages were written, how many reported, how many of these were not written, and how many that
 * were written are missing. The exit status is 0 if there are none of either.
 */

#include <stdio.h>
#include <windows.h>

#define PAGES  512
#define ROUNDS 20
#define SIZE   0x1000

static unsigned char written[PAGES];
static void *reported[PAGES];

int main(void)
{
    unsigned int round, i, page, random = 4711, writes = 0, reports = 0, wrong = 0, missing = 0;
    char *base = VirtualAlloc( NULL, PAGES * SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                               PAGE_READWRITE );

    if (!base)
    {
        printf( "error %lu of VirtualAlloc\n", GetLastError() );
        return 2;
    }
    for (round = 0; round < ROUNDS; round++)
    {
        ULONG_PTR count = PAGES;
        ULONG granularity;

        for (i = 0; i < 3 * round; i++)
        {
            random = random * 1103515245 + 12345;
            page = (random >> 16) % PAGES;
            writes += !written[page];
            written[page] = 1;
            base[page * SIZE + round] = round;
        }
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * SIZE, reported, &count,
                           &granularity ))
        {
            printf( "error %lu of GetWriteWatch\n", GetLastError() );
            return 2;
        }
        reports += count;
        for (i = 0; i < count; i++)
        {
            size_t offset = (char *)reported[i] - base;

            if (offset < PAGES * SIZE && written[offset / SIZE]) written[offset / SIZE] = 0;
            else wrong++;
        }
        for (i = 0; i < PAGES; i++)
        {
            missing += written[i];
            written[i] = 0;
        }
    }
    VirtualFree( base, 0, MEM_RELEASE );
    printf( "pages: %u written, %u reported, %u wrong, %u missing\n", writes, reports, wrong,
            missing );
    return wrong || missing;
}
