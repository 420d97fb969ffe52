/*
 * Finds the pages that a piece of code wrote, the way Windows programs do
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc poll.c $(pkg-config --cflags --libs writewatch)
 */

#include <stdio.h>
#include <unistd.h>

#include <writewatch.h>

#define PAGES 1024

static size_t page;   /* bytes: 4096 on x86, more on some other systems */

/* the code in question */
static void work( char *memory )
{
    memory[3 * page + 17] = 1;
    memory[700 * page]    = 0;   /* writing the same value counts too */
    memory[701 * page]    = 2;
}

int main(void)
{
    void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    DWORD granularity;
    char *memory;

    page = sysconf( _SC_PAGESIZE );
    memory = VirtualAlloc( NULL, PAGES * page, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    if (!memory)
    {
        fprintf( stderr, "VirtualAlloc failed with %u: %s\n", (unsigned int)GetLastError(),
                 writewatch_reason() );
        return 1;
    }
    printf( "watched by %s\n", writewatch_backend() );

    work( memory );

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES * page, addresses, &count,
                       &granularity ))
    {
        fprintf( stderr, "GetWriteWatch failed with %u\n", (unsigned int)GetLastError() );
        return 1;
    }
    for (i = 0; i < count; i++)
        printf( "page %zu was written\n", (size_t)((char *)addresses[i] - memory) / granularity );

    VirtualFree( memory, 0, MEM_RELEASE );
    return count != 3;
}
