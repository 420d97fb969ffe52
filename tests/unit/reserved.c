/*
 * Watching memory before it is committed: 1 TiB that was never touched costs next to nothing
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan in its unmarked form. What it costs in memory is asserted, the time is said.
 */

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define SIZE_GIB (sizeof(size_t) == 8 ? 1024 : 64)

#ifdef __SANITIZE_THREAD__
#define MAX_COST_KB (256 << 10)   /* ThreadSanitizer maps its own notes of the address space */
#undef  SIZE_GIB
#define SIZE_GIB    128           /* and may leave the program no TiB in one piece */
#elif defined(__SANITIZE_ADDRESS__)
#define MAX_COST_KB (8 << 10)     /* AddressSanitizer keeps what is freed, and its own notes */
#else
#define MAX_COST_KB 1024
#endif

static long read_status( const char *name )
{
    FILE *file = fopen( "/proc/self/status", "r" );
    char line[256];
    long value = -1;

    while (file && fgets( line, sizeof(line), file ))
        if (!strncmp( line, name, strlen( name ))) value = strtol( line + strlen( name ), NULL, 10 );
    if (file) fclose( file );
    return value;
}

static long cost(void)
{
    return read_status( "RssAnon:" ) + read_status( "VmPTE:" );
}

static double microseconds(void)
{
    struct timespec time;

    clock_gettime( CLOCK_MONOTONIC, &time );
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int run( const char *name )
{
    size_t size = LARGE( SIZE_GIB );
    struct writewatch_tracker *tracker;
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range range;
    double start, watched, tracked;
    const void *next;
    long before;
    char *memory;

    if (writewatch_open( name )) return unit_skip( name, writewatch_reason() );
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0 );
    check( memory != MAP_FAILED );
    before = cost();
    start = microseconds();
    check( !writewatch_watch( memory, size ));
    watched = microseconds();
    check( cost() - before < MAX_COST_KB );
    check( !writewatch_tracker_open( &tracker, memory, size, 0 ));
    tracked = microseconds();
    check( cost() - before < MAX_COST_KB );

    memory[size / 3] = 1;
    next = memory;
    check( writewatch_tracker_list( tracker, &next, memory + size, &filter, &range, 1 ) == 1 );
    check( range.start == ((uintptr_t)memory + size / 3) / page_size() * page_size() );
    check( writewatch_poll( memory, size, WRITEWATCH_RESET, &range, 1, &next ) == 1 );
    check( range.end - range.start == page_size() );
    check( cost() - before < MAX_COST_KB );
    printf( "%zu GiB: watched in %.0f us, a tracker opened in %.0f us, %ld kB in all\n", size >> 30,
            watched - start, tracked - watched, cost() - before );
    writewatch_tracker_close( tracker );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_SCAN_UNMARKED, run );
}
