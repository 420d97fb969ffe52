/*
 * Restores a snapshot lazily, runs a function on it, and lists exactly the pages that it wrote
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc lazy_restore.c $(pkg-config --cflags --libs writewatch)
 *
 * The snapshot has 256 MiB, or the size in MiB that the argument gives. Only the pages that the
 * function touches are read from it.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <writewatch.h>

static size_t page_bytes, pages;

static void fail( const char *what, int err )
{
    fprintf( stderr, "%s: %s\n", what, strerror( -err ));
    exit( 1 );
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* The saved memory: each page begins with a number derived from the page number. */
static uint64_t number( size_t page )
{
    return (page + 1) * 0x9e3779b97f4a7c15ull;
}

static int make_snapshot(void)
{
    const char *dir = getenv( "TMPDIR" );
    char name[4096], *block = calloc( 16, page_bytes );
    size_t i;
    int fd;

    if (!block) exit( 1 );
    snprintf( name, sizeof(name), "%s/snapshot-XXXXXX", dir ? dir : "/tmp" );
    if ((fd = mkstemp( name )) == -1)
    {
        perror( name );
        exit( 1 );
    }
    unlink( name );
    for (i = 0; i < pages; i++)
    {
        uint64_t value = number( i );

        memcpy( block + i % 16 * page_bytes, &value, sizeof(value) );
        if (i % 16 == 15 && write( fd, block, 16 * page_bytes ) != (ssize_t)(16 * page_bytes))
        {
            fprintf( stderr, "no room for the snapshot in %s\n", dir ? dir : "/tmp" );
            exit( 1 );
        }
    }
    free( block );
    return fd;
}

/* Returns whether the function writes to a page; it touches every fifth. */
static int is_written( size_t page )
{
    return page % 5 == 0 && (page * 2654435761u >> 7) % 3 == 0;
}

/* The function: reads many pages and writes some, without recording which. It writes some without
 * reading them, and others with the value that it has read. Returns how many pages it found
 * wrong. */
static size_t work( char *memory )
{
    size_t i, wrong = 0;

    for (i = 0; i < pages; i += 5)
    {
        volatile uint64_t *word = (uint64_t *)(memory + i * page_bytes);

        if (!is_written( i )) wrong += *word != number( i );
        else if (i & 1) word[1] = i;
        else
        {
            uint64_t value = *word;

            *word = value;
        }
    }
    return wrong;
}

/* lists the written pages and compares them with is_written(); returns how many differ */
static size_t compare( char *memory, size_t *found )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[512];
    const void *next = memory;
    size_t i, page = 0, wrong = 0;
    ssize_t n, count;

    *found = 0;
    while ((const char *)next < memory + pages * page_bytes)
    {
        count = writewatch_list( next, memory + pages * page_bytes - (const char *)next, &filter, ranges,
                                 512, &next );
        if (count < 0) fail( "writewatch_list", count );
        for (n = 0; n < count; n++)
        {
            size_t first = (ranges[n].start - (uintptr_t)memory) / page_bytes;
            size_t last = (ranges[n].end - (uintptr_t)memory) / page_bytes;

            for (; page < first; page++) wrong += is_written( page );
            for (; page < last; page++) wrong += !is_written( page );
            *found += last - first;
        }
    }
    for (i = page; i < pages; i++) wrong += is_written( i );
    return wrong;
}

int main( int argc, char *argv[] )
{
    struct writewatch_restore *restore;
    size_t i, found, differ, wrong, again;
    double start, end;
    char *memory;
    int fd, err;

    page_bytes = sysconf( _SC_PAGESIZE );
    pages = (argc > 1 ? strtoul( argv[1], NULL, 10 ) : 256) * (1048576 / page_bytes);
    if (!pages)
    {
        fprintf( stderr, "Usage: lazy_restore [MIB]\n" );
        return 2;
    }
    fd = make_snapshot();

    memory = mmap( NULL, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (memory == MAP_FAILED) return 1;
    if ((err = writewatch_open( "scan" )))
    {
        fprintf( stderr, "%s\n", writewatch_reason() );
        return 77;   /* no other backend can restore lazily */
    }
    if ((err = writewatch_watch( memory, pages * page_bytes ))) fail( "writewatch_watch", err );
    start = seconds();
    if ((err = writewatch_restore_start( &restore, memory, pages * page_bytes, fd, 0 )))
        fail( "writewatch_restore_start", err );
    close( fd );
    end = seconds();
    printf( "%zu MiB are restored lazily, ready after %.0f us\n", pages * page_bytes >> 20,
            (end - start) * 1e6 );

    start = seconds();
    wrong = work( memory );
    end = seconds();
    printf( "the function touched %zu pages in %.0f ms; %zu differed from the snapshot\n",
            (pages + 4) / 5, (end - start) * 1e3, wrong );

    start = seconds();
    differ = compare( memory, &found );
    end = seconds();
    printf( "it wrote %zu pages, listed in %.1f ms; %zu missed or false\n", found,
            (end - start) * 1e3,
            differ );

    /* reading the rest loads it from the file, and none of it counts as written */
    for (i = 0; i < pages; i++)
        if (*(volatile uint64_t *)(memory + i * page_bytes) != number( i )) wrong++;
    compare( memory, &again );
    printf( "after reading all of it: %zu wrong, %zu written\n", wrong, again );

    writewatch_restore_stop( restore );
    writewatch_unwatch( memory, pages * page_bytes );
    munmap( memory, pages * page_bytes );
    return differ || wrong || again;
}
