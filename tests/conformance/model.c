/*
 * Write watch tests: random operations, compared with the rules of tests/model
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows 8, 10, 11, 13, 14, 15 and 31 in any order and combination. The random numbers are the same
 * at each run; WINETEST_SEED chooses others.
 */

#include "watch.h"
#include "../model/model.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define MOST_PAGES 1300  /* three page tables or parts of them */

static struct space model;
static char *region;
static unsigned int region_pages, seed;


/***********************************************************************
 *           random_below
 */
static unsigned int random_below( unsigned int limit )
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 10) % limit;
}


/***********************************************************************
 *           pick_range
 *
 * Mostly short ranges, sometimes long ones, sometimes everything.
 */
static void pick_range( unsigned int *first, unsigned int *count )
{
    unsigned int limit = random_below( 4 ) ? 20 : region_pages;

    *first = random_below( region_pages );
    *count = 1 + random_below( limit );
    if (!random_below( 10 ))
    {
        *first = 0;
        *count = region_pages;
    }
    if (*count > region_pages - *first) *count = region_pages - *first;
}


/***********************************************************************
 *           write_page
 *
 * One byte; after MEM_RESET all of them, so that the contents are known again.
 */
static void write_page( unsigned int index )
{
    unsigned char data[PAGE];
    volatile char *page = region + index * PAGE;
    SIZE_T i, size = model.page[index].contents == KNOWN ? 1 : PAGE;

    memset( data, random_below( 3 ), size );  /* zero, too */
    for (i = 0; i < size; i++) page[i] = data[i];
    model_write( &model, index * PAGE, data, size );
}


/***********************************************************************
 *           do_write
 */
static void do_write( unsigned int first, unsigned int count, unsigned int step )
{
    unsigned int i;

    for (i = first; i < first + count; i += step)
        if (is_writable( &model.page[i] )) write_page( i );
}


/***********************************************************************
 *           do_protect
 *
 * Fails if a page is not committed.
 */
static BOOL do_protect( char *base, SIZE_T size, DWORD prot )
{
    uint64_t addr = base - region, bytes = size;
    uint32_t expected = 0;
    NTSTATUS status = model_protect( &model, &addr, &bytes, prot, &expected );
    DWORD old = 0;

    if (status) return !VirtualProtect( base, size, prot, &old );
    return VirtualProtect( base, size, prot, &old ) && old == expected;
}


/***********************************************************************
 *           do_change
 *
 * Commit, decommit, protect or reset the contents.
 */
static BOOL do_change( unsigned int what, unsigned int first, unsigned int count )
{
    char *base = region + first * PAGE;
    SIZE_T size = count * PAGE;
    uint64_t addr = first * PAGE, bytes = size;
    unsigned int i;

    switch (what)
    {
    case 0:
        return !model_allocate( &model, &addr, &bytes, MEM_COMMIT, PAGE_READWRITE, 0 ) &&
               VirtualAlloc( base, size, MEM_COMMIT, PAGE_READWRITE ) == base;
    case 1:
        return !model_free( &model, &addr, &bytes, MEM_DECOMMIT ) &&
               VirtualFree( base, size, MEM_DECOMMIT );
    case 2:
        return do_protect( base, size, PAGE_READONLY );
    case 3:
        return do_protect( base, size, PAGE_READWRITE );
    default:
        for (i = first; i < first + count; i++) if (!model.page[i].committed) return TRUE;
        return !model_allocate( &model, &addr, &bytes, MEM_RESET, PAGE_READWRITE, 0 ) &&
               VirtualAlloc( base, size, MEM_RESET, PAGE_READWRITE ) == base;
    }
}


/***********************************************************************
 *           do_poll
 *
 * Poll, through an array that is often too small, and compare.
 */
static BOOL do_poll( unsigned int first, unsigned int count, DWORD flags )
{
    static void *results[MOST_PAGES];
    unsigned int i, pos = 0, skew = random_below( 4 ) ? 0 : 1 + random_below( PAGE - 1 );
    ULONG_PTR number = random_below( 3 ) ? region_pages : 1 + random_below( 12 ), max = number;
    char *base = region + first * PAGE + skew;
    SIZE_T size = count * PAGE - skew;
    ULONG page_size = 0;
    UINT ret;

    if (random_below( 2 )) ret = GetWriteWatch( flags, base, size, results, &number, &page_size );
    else ret = pNtGetWriteWatch( GetCurrentProcess(), flags, base, size, results, &number,
                                 &page_size );
    if (ret || page_size != PAGE) return FALSE;

    for (i = first; i < first + count && pos < max; i++)
    {
        if (model.page[i].written == NOT_WRITTEN) continue;
        if (pos >= number || results[pos] != region + i * PAGE) return FALSE;
        if (flags) model.page[i].written = NOT_WRITTEN;
        pos++;
    }
    return pos == number;
}


/***********************************************************************
 *           check_contents
 *
 * The memory still holds what was written to it; after MEM_RESET that is left open.
 */
static unsigned int check_contents( unsigned int first, unsigned int count )
{
    unsigned int i, wrong = 0;

    for (i = first; i < first + count; i++)
    {
        if (!model.page[i].committed || model.page[i].contents != KNOWN) continue;
        wrong += !!memcmp( region + i * PAGE, model.copy + i * PAGE, PAGE );
    }
    return wrong;
}


/***********************************************************************
 *           run_model
 *
 * Returns whether all answers were right.
 */
static BOOL run_model( unsigned int pages, unsigned int steps, BOOL commit )
{
    unsigned int i, step, first, count, what, start = seed;
    uint64_t addr = 0, size = 0;
    BOOL good = TRUE;

    region_pages = pages;
    region = VirtualAlloc( NULL, pages * PAGE, MEM_RESERVE | MEM_WRITE_WATCH |
                           (commit ? MEM_COMMIT : 0),
                           PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    if (!region) return FALSE;
    model.base = region;
    model_reserve( &model, 0, pages, MEM_RESERVE | MEM_WRITE_WATCH | (commit ? MEM_COMMIT : 0),
                   PAGE_READWRITE );
    for (step = 0; good && step < steps; step++)
    {
        pick_range( &first, &count );
        what = random_below( 20 );
        if (what < 7)
            do_write( first, count, 1 + random_below( 4 ) );
        else if (what < 9)
            good = do_poll( first, count, 0 );
        else if (what < 14)
            good = do_poll( first, count, RESET );
        else if (what < 15)
        {
            good = !ResetWriteWatch( region + first * PAGE, count * PAGE );
            for (i = first; i < first + count; i++) model.page[i].written = NOT_WRITTEN;
        }
        else if (what < 16)
            good = !check_contents( first, count );
        else
            good = do_change( random_below( 5 ), first, count );
        if (!good)
            ok( 0, "%u pages, start %u: step %u (kind %u, pages %u-%u) went wrong\n", pages, start,
                step, what,
                first, first + count - 1 );
    }
    if (good)
    {
        good = do_poll( 0, pages, 0 );
        if (!good) ok( 0, "%u pages, start %u: end is wrong\n", pages, start );
    }
    VirtualFree( region, 0, MEM_RELEASE );
    model_free( &model, &addr, &size, MEM_RELEASE );
    return good;
}


START_TEST(model)
{
    static const unsigned int sizes[] = { 1, 5, 16, 64, 500, 513, 700, MOST_PAGES };
    const char *env = getenv( "WINETEST_SEED" );
    unsigned int i, round;

    init_watch();
    model_init_space( &model, NULL, MOST_PAGES );
    seed = env ? strtoul( env, NULL, 0 ) : 20260101;
    trace( "WINETEST_SEED=%u\n", seed );
    for (round = 0; round < 12; round++)
        for (i = 0; i < ARRAY_SIZE( sizes ); i++)
            ok( run_model( sizes[i], sizes[i] < 100 ? 1500 : 500, (round + i) & 1 ),
                "%u pages failed\n",
                sizes[i] );
}
