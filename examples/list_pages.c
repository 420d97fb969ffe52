/*
 * Lists pages by category, as ranges
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc list_pages.c $(pkg-config --cflags --libs writewatch)
 */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <writewatch.h>

#define PAGES 100

static size_t page;   /* bytes: 4096 on x86, more on some other systems */

/* Prints all ranges, in parts as the array is small. Returns the number of pages. */
static size_t list( const char *title, const char *memory, const struct writewatch_filter *filter )
{
    struct writewatch_range ranges[4];
    const char *end = memory + PAGES * page;
    const void *next = memory;
    size_t pages = 0;
    ssize_t i, count;

    printf( "%s:\n", title );
    while ((const char *)next < end)
    {
        count = writewatch_list( next, end - (const char *)next, filter, ranges, 4, &next );
        if (count < 0)
        {
            fprintf( stderr, "writewatch_list: %s\n", strerror( -count ));
            return 0;
        }
        for (i = 0; i < count; i++)
        {
            size_t first = (ranges[i].start - (uintptr_t)memory) / page;
            size_t last = (ranges[i].end - (uintptr_t)memory) / page - 1;

            printf( "  pages %zu to %zu:%s%s%s\n", first, last,
                    ranges[i].categories & WRITEWATCH_WRITTEN ? " written" : "",
                    ranges[i].categories & WRITEWATCH_PRESENT ? " present" : "",
                    ranges[i].categories & WRITEWATCH_SWAPPED ? " swapped" : "" );
            pages += last - first + 1;
        }
    }
    return pages;
}

int main(void)
{
    struct writewatch_filter written = { .required = WRITEWATCH_WRITTEN,
                                         .returned = WRITEWATCH_WRITTEN,
                                         .reset = 1 };
    struct writewatch_filter exists = { .any = WRITEWATCH_PRESENT | WRITEWATCH_SWAPPED,
                                        .returned = WRITEWATCH_PRESENT | WRITEWATCH_SWAPPED |
                                                    WRITEWATCH_WRITTEN };
    size_t i, first, second;
    char *memory;
    int err;

    page = sysconf( _SC_PAGESIZE );
    memory = mmap( NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (memory == MAP_FAILED) return 1;
    if ((err = writewatch_watch( memory, PAGES * page )))
    {
        fprintf( stderr, "writewatch_watch: %s\n", strerror( -err ));
        return 1;
    }
    for (i = 0; i < 60; i += 10) memset( memory + i * page, 1, 3 * page );

    /* listing a page resets it in the same atomic step */
    first = list( "written since the beginning", memory, &written );
    memory[10 * page]++;
    memory[11 * page]++;
    list( "present or swapped out", memory, &exists );
    second = list( "written since the first list", memory, &written );

    writewatch_unwatch( memory, PAGES * page );
    return first != 18 || second != 2;
}
