/*
 * The mprotect backend where pages cannot be protected one by one: there are only so many mappings
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/watch.h"
#include "fault/backends.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define SIZE ((size_t)300 << 20)

static char *memory;
static size_t pages;
static void **addresses;
static unsigned char *expected;   /* one byte a page */

static size_t count_mappings(void)
{
    FILE *file = fopen( "/proc/self/maps", "r" );
    size_t count = 0;
    int c;

    check( file != NULL );
    while (file && (c = getc( file )) != EOF) count += c == '\n';
    if (file) fclose( file );
    return count;
}

static void write_page( size_t index )
{
    *(volatile char *)(memory + (index << page_shift)) = 1;
    expected[index] = 1;
}

/* every page that was written is reported; returns how many others are */
static size_t take( size_t *count )
{
    ULONG_PTR found = pages;
    ULONG granularity;
    size_t i, index, missing = 0, others = 0;

    check( !get_write_watch( WRITE_WATCH_FLAG_RESET, memory, SIZE, addresses, &found,
                             &granularity ));
    for (i = 0; i < found; i++)
    {
        index = ((char *)addresses[i] - memory) >> page_shift;
        if (!expected[index]) others++;
        expected[index] = 0;
    }
    for (i = 0; i < pages; i++) missing += expected[i];
    check( !missing );
    memset( expected, 0, pages );
    *count = found;
    return others;
}

/* the program itself has all the mappings that there may be: more is reported than was written */
static void test_none_left( size_t limit )
{
    char *filler = mmap( NULL, (limit + 2) << page_shift, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    size_t i, round, count, filled;

    check( filler != MAP_FAILED );
    for (filled = 1; filled < limit; filled += 2)
        if (mprotect( filler + (filled << page_shift), 1 << page_shift, PROT_NONE )) break;
    check( filled < limit );
    for (round = 0; round < 3; round++)
    {
        for (i = 0; i < pages; i += 100 + round) write_page( i );
        take( &count );
        check( count >= pages / (100 + round) );
    }
    munmap( filler, (limit + 2) << page_shift );
    /* what could not be armed is reported once more */
    take( &count );
    take( &count );
    for (i = 0; i < pages; i += 1000) write_page( i );
    check( !take( &count ) && count == (pages + 999) / 1000 );
}

/* what the kernel allows */
static size_t read_limit(void)
{
    FILE *file = fopen( "/proc/sys/vm/max_map_count", "r" );
    size_t limit = 65530;

    if (file && fscanf( file, "%zu", &limit ) != 1) limit = 65530;
    if (file) fclose( file );
    return limit;
}

/* with the limit of the kernel, or one that the backend is made to believe in */
static int run_with( size_t limit, int forced )
{
    size_t i, round, count, others, mappings, step;
    char reason[160];
    void *more;

    if (forced) mprotect_map_limit = limit;
    if (watch_open( "mprotect", reason, sizeof(reason) ))
        return unit_skip( "mprotect", reason );
    pages = SIZE >> page_shift;
    if (limit > pages - 1000)
    {
        printf( "a process may have %zu mappings here, too many for this test\n", limit );
        return SKIP;
    }
    memory = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    addresses = malloc( pages * sizeof(*addresses) );
    expected = calloc( pages, 1 );
    check( memory != MAP_FAILED && addresses && expected );
    check( !watch_add( memory, SIZE ));

    for (round = 0; round < 2; round++)
    {
        for (i = round; i < pages; i += 2) write_page( i );
        mappings = count_mappings();
        printf( "round %zu: %zu mappings of %zu\n", round, mappings, limit );
        check( mappings > 1000 && mappings < limit / 2 + 1000 );

        /* the program can go on to map memory */
        more = mmap( NULL, 1 << page_shift, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
        check( more != MAP_FAILED );
        munmap( more, 1 << page_shift );

        others = take( &count );
        printf( "  %zu pages written, %zu reported\n", pages / 2, count );
        check( others > 0 );
        check( !take( &count ) && !count );
    }

    /* after that it is exact again */
    for (i = 0; i < pages; i += 1000) write_page( i );
    check( !take( &count ) && count == (pages + 999) / 1000 );

    /* arming pages one by one, in memory that was written as a whole */
    for (i = 0; i < pages; i++) write_page( i );
    for (i = 0; i < pages; i += 2)
    {
        ULONG_PTR one = 1;
        ULONG granularity;

        check( !get_write_watch( WRITE_WATCH_FLAG_RESET, memory + (i << page_shift), 1, addresses,
                                 &one, &granularity ));
        check( one == 1 );
        expected[i] = 0;
    }
    mappings = count_mappings();
    printf( "armed: %zu mappings\n", mappings );
    check( mappings > 1000 && mappings < limit / 2 + 1000 );
    for (i = 0; i < pages; i += 4) write_page( i );
    others = take( &count );
    printf( "  %zu pages reported that were not written\n", others );
    check( !take( &count ) && !count );

    /* what was let go does not count any more */
    for (i = 0; i < pages; i += 8) write_page( i );
    watch_remove( memory, SIZE );
    munmap( memory, SIZE );
    memory = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( !watch_add( memory, SIZE ));
    memset( expected, 0, pages );
    step = limit / 4 > pages / 16 ? 16 : 256;
    for (i = 0; i < pages; i += step) write_page( i );
    check( !take( &count ) && count == pages / step );

    /* changes of protection do not lose count of the mappings */
    for (i = 0; i < 20; i++)
    {
        check( !watch_protect( memory, SIZE, PROT_READ ));
        check( !watch_protect( memory, SIZE, PROT_READ | PROT_WRITE ));
        for (count = i; count < pages; count += 32) write_page( count );
    }
    take( &count );
    for (i = 0; i < pages; i += 2) write_page( i );
    mappings = count_mappings();
    printf( "after changes of protection: %zu mappings\n", mappings );
    check( mappings > 1000 && mappings < limit / 2 + 1000 );
    check( take( &count ) > 0 );
    if (!forced) test_none_left( limit );
    return unit_result();
}

static int run_forced( const char *name )
{
    (void)name;
    return run_with( 4000, 1 );
}

static int run_kernel( const char *name )
{
    (void)name;
    return run_with( read_limit(), 0 );
}

int main(void)
{
    int forced = unit_in_child( "a limit of the test's own", run_forced );

    if (forced == FAIL) return FAIL;
    return unit_both( forced, unit_in_child( "the kernel's limit", run_kernel ));
}
