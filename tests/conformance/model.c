/*
 * Write watch tests: random operations, compared with a model of what must be answered
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows 8, 10, 11, 13, 14, 15 and 31 in any order and combination. The random numbers are the same
 * at each run; WINETEST_SEED chooses others.
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define MAX_PAGES 1300  /* three page tables or parts of them */

struct page
{
    BOOL committed;
    BOOL writable;
    BOOL written;
    int  value;         /* first byte, -1 when MEM_RESET made it unknown */
};

static struct page model[MAX_PAGES];
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
 *           do_write
 */
static void do_write( unsigned int first, unsigned int count, unsigned int step )
{
    unsigned int i;

    for (i = first; i < first + count; i += step)
    {
        if (!model[i].committed || !model[i].writable) continue;
        model[i].value = random_below( 3 );  /* zero, too */
        model[i].written = TRUE;
        *(volatile char *)(region + i * PAGE) = model[i].value;
    }
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
    BOOL ret = TRUE;
    DWORD old;
    unsigned int i;

    switch (what)
    {
    case 0:
        ret = VirtualAlloc( base, size, MEM_COMMIT, PAGE_READWRITE ) == base;
        break;
    case 1:
        ret = VirtualFree( base, size, MEM_DECOMMIT );
        break;
    case 2:
    case 3:
        for (i = first; i < first + count; i++) if (!model[i].committed) return TRUE;
        ret = VirtualProtect( base, size, what == 2 ? PAGE_READONLY : PAGE_READWRITE, &old );
        break;
    case 4:
        for (i = first; i < first + count; i++) if (!model[i].committed) return TRUE;
        ret = VirtualAlloc( base, size, MEM_RESET, PAGE_READWRITE ) == base;
        break;
    }
    for (i = first; i < first + count; i++)
    {
        switch (what)
        {
        case 0:
            if (!model[i].committed) model[i].value = 0;
            model[i].committed = model[i].writable = TRUE;
            break;
        case 1:
            model[i].committed = FALSE;
            break;
        case 2:
            model[i].writable = FALSE;
            break;
        case 3:
            model[i].writable = TRUE;
            break;
        case 4:
            if (model[i].value) model[i].value = -1;
            break;
        }
    }
    return ret;
}


/***********************************************************************
 *           do_poll
 *
 * Poll, through an array that is often too small, and compare.
 */
static BOOL do_poll( unsigned int first, unsigned int count, DWORD flags )
{
    static void *results[MAX_PAGES];
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
        if (!model[i].written) continue;
        if (pos >= number || results[pos] != region + i * PAGE) return FALSE;
        if (flags) model[i].written = FALSE;
        pos++;
    }
    return pos == number;
}


/***********************************************************************
 *           check_values
 *
 * The memory still holds what was written to it.
 */
static unsigned int check_values( unsigned int first, unsigned int count )
{
    unsigned int i, wrong = 0;

    for (i = first; i < first + count; i++)
    {
        if (!model[i].committed) continue;
        if (model[i].value == -1) continue;
        wrong += *(volatile char *)(region + i * PAGE) != model[i].value;
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
    BOOL good = TRUE;

    region_pages = pages;
    region = VirtualAlloc( NULL, pages * PAGE, MEM_RESERVE | MEM_WRITE_WATCH |
                           (commit ? MEM_COMMIT : 0),
                           PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    if (!region) return FALSE;
    for (i = 0; i < pages; i++)
    {
        model[i].committed = model[i].writable = commit;
        model[i].written = FALSE;
        model[i].value = 0;
    }
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
            for (i = first; i < first + count; i++) model[i].written = FALSE;
        }
        else if (what < 16)
            good = !check_values( first, count );
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
    return good;
}


START_TEST(model)
{
    static const unsigned int sizes[] = { 1, 5, 16, 64, 500, 513, 700, MAX_PAGES };
    const char *env = getenv( "WINETEST_SEED" );
    unsigned int i, round;

    init_watch();
    seed = env ? strtoul( env, NULL, 0 ) : 20260101;
    trace( "WINETEST_SEED=%u\n", seed );
    for (round = 0; round < 12; round++)
        for (i = 0; i < ARRAY_SIZE( sizes ); i++)
            ok( run_model( sizes[i], sizes[i] < 100 ? 1500 : 500, (round + i) & 1 ),
                "%u pages failed\n",
                sizes[i] );
}
