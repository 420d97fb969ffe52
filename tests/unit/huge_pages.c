/*
 * Small regions beside each other: the kernel never has room for a transparent huge page
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/watch.h"
#include "sys/page.h"
#include "unit.h"

#define HUGE ((uintptr_t)2 << 20)
#define PART ((uintptr_t)64 << 10)
#define SIZE (4 * HUGE)

static char *base;

/* a mapping of ours is without huge pages, or has no room for one */
static void check_mapping( uintptr_t start, uintptr_t end, const char *flags )
{
    if (strstr( flags, " nh" ) || !strstr( flags, " uw" )) return;
    check( ((start + HUGE - 1) & -HUGE) + HUGE > end );
}

static int check_mappings(void)
{
    unsigned long start = 0, end = 0;
    char line[4096];
    FILE *file = fopen( "/proc/self/smaps", "r" );
    int count = 0;

    check( file != NULL );
    while (file && fgets( line, sizeof(line), file ))
    {
        if (strncmp( line, "VmFlags:", 8 ))
        {
            unsigned long from, to;

            if (sscanf( line, "%lx-%lx ", &from, &to ) == 2) start = from, end = to;
            continue;
        }
        if (start < (uintptr_t)base || end > (uintptr_t)base + SIZE) continue;
        check_mapping( start, end, line );
        if (strstr( line, " uw" )) count++;
    }
    if (file) fclose( file );
    return count;
}

/* as VirtualAlloc and VirtualFree do in memory that Wine has reserved */
static void change( size_t first, size_t last, int watch )
{
    char *start = base + first * PART;
    size_t size = (last - first) * PART;

    watch_remove( start, size );
    check( mmap( start, size, watch ? PROT_READ | PROT_WRITE : PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) == start );
    if (watch) check( !watch_add( start, size ) && !watch_commit( start, size ));
}

int main(void)
{
    const size_t parts = SIZE / PART;
    char reason[160];
    size_t i, first, last;
    char *memory;
    unsigned int step;

    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    memory = mmap( NULL, SIZE + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED );
    base = (char *)(((uintptr_t)memory + HUGE - 1) & -HUGE);

    for (i = 0; i < parts; i++) change( i, i + 1, 1 );
    check( check_mappings() > 1 );
    for (i = parts; i-- > 0;) change( i, i + 1, 0 );
    check( !check_mappings() );
    for (i = parts; i-- > 0;) change( i, i + 1, 1 );
    check( check_mappings() > 1 );

    srand( 1 );
    for (step = 0; step < 400 && !unit_failures; step++)
    {
        first = rand() % parts;
        last = first + 1 + rand() % (rand() % 8 ? 3 : 40);
        change( first, last < parts ? last : parts, rand() % 4 );
        check_mappings();
    }
    return unit_result();
}
