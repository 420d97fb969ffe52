/*
 * Write watch tests: which pages a poll reports, and what a reset resets
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define BLOCK (512 * PAGE)  /* what one page table of x86 spans */
#define REGION_PAGES 64
#define REGION_SIZE  (REGION_PAGES * PAGE)

#define RESET WRITE_WATCH_FLAG_RESET

/* for writes over the border of two pages: the compiler may not take it for aligned */
struct __attribute__((packed)) unaligned
{
    DWORD value;
};


/***********************************************************************
 *           test_fresh
 *
 * Row 11: memory that was never written is not reported, also after it was read.
 */
static void test_fresh(void)
{
    volatile char *p;
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i, sum = 0;

    check_written( 0, region, REGION_SIZE, "" );
    check_written( RESET, region, REGION_SIZE, "" );
    p = region;
    for (i = 0; i < REGION_PAGES; i++) sum += p[i * PAGE + i];
    ok( !sum, "fresh memory is not zero\n" );
    check_written( 0, region, REGION_SIZE, "" );

    /* a first write to memory that was read, and to memory that was not: zero counts as well */
    region[5 * PAGE] = 0;
    region[6 * PAGE + 7] = 1;
    check_written( 0, region, REGION_SIZE, "5-6" );
    for (i = 0; i < REGION_PAGES; i++) sum += p[i * PAGE + i];
    check_written( RESET, region, REGION_SIZE, "5-6" );
    for (i = 0; i < REGION_PAGES; i++) sum += p[i * PAGE + i];
    check_written( 0, region, REGION_SIZE, "" );

    /* the value does not matter, a write of what is there already is a write */
    p[6 * PAGE + 7] = p[6 * PAGE + 7];
    p[5 * PAGE] = 0;
    check_written( RESET, region, REGION_SIZE, "5-6" );
    free_watched( region );

    region = alloc_watched( REGION_SIZE );
    region[3 * PAGE] = 0;
    check_written( RESET, region, REGION_SIZE, "3" );
    reset( region, REGION_SIZE );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_writes
 *
 * Row 12 and ways to write: straddling, interlocked, by string instructions.
 */
static void test_writes(void)
{
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i;
    char data[64];

    ((struct unaligned *)(region + 2 * PAGE - 2))->value = 0xdeadbeef;
    check_written( RESET, region, REGION_SIZE, "1-2" );
    ((struct unaligned *)(region + 2 * PAGE - 2))->value = 0xdeadbeef;
    check_written( RESET, region + 2 * PAGE, PAGE, "0" );
    check_written( RESET, region, REGION_SIZE, "1" );

    memset( data, 0x55, sizeof(data) );
    memcpy( region + 5 * PAGE - 32, data, sizeof(data) );
    check_written( RESET, region, REGION_SIZE, "4-5" );
    memset( region + 7 * PAGE + 1, 0x11, 3 * PAGE );
    check_written( RESET, region, REGION_SIZE, "7-10" );
    memmove( region + 20 * PAGE, region + 7 * PAGE, 2 * PAGE );
    check_written( RESET, region, REGION_SIZE, "20-21" );

    InterlockedIncrement( (LONG *)(region + 30 * PAGE) );
    InterlockedCompareExchange( (LONG *)(region + 32 * PAGE), 5, 0 );
    check_written( RESET, region, REGION_SIZE, "30,32" );
    ok( *(LONG *)(region + 32 * PAGE) == 5, "wrong value\n" );

    /* first and last byte of each page */
    for (i = 0; i < 8; i++) region[i * 4 * PAGE + (i & 1 ? PAGE - 1 : 0)] = 1;
    check_written( RESET, region, REGION_SIZE, "0,4,8,12,16,20,24,28" );
    check_written( 0, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_repeated
 *
 * Row 10: a poll without RESET changes nothing; with RESET it starts over.
 */
static void test_repeated(void)
{
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i;

    touch( region, "0,5-9,63" );
    for (i = 0; i < 4; i++) check_written( 0, region, REGION_SIZE, "0,5-9,63" );
    touch( region, "7,11" );
    for (i = 0; i < 4; i++) check_written( 0, region, REGION_SIZE, "0,5-9,11,63" );
    check_written( RESET, region, REGION_SIZE, "0,5-9,11,63" );
    for (i = 0; i < 4; i++) check_written( i & 1, region, REGION_SIZE, "" );

    for (i = 0; i < 200; i++)
    {
        char expect[16];

        region[i % REGION_PAGES * PAGE] = i;
        sprintf( expect, "%d", i % REGION_PAGES );
        check_written( RESET, region, REGION_SIZE, expect );
    }

    /* the two-step way of .NET */
    touch( region, "1-3,40" );
    check_written( 0, region, REGION_SIZE, "1-3,40" );
    reset( region + PAGE, PAGE );
    check_written( 0, region, REGION_SIZE, "2-3,40" );
    reset( region, 3 * PAGE );
    check_written( 0, region, REGION_SIZE, "3,40" );
    reset( region + 4 * PAGE, 36 * PAGE );
    check_written( 0, region, REGION_SIZE, "3,40" );
    reset( region, REGION_SIZE );
    check_written( 0, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_ranges
 *
 * Row 10: only pages of the range are reported and reset.
 */
static void test_ranges(void)
{
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i;

    touch( region, "0-9,20,30-39" );
    check_written( 0, region + 3 * PAGE, 2 * PAGE, "0-1" );
    check_written( 0, region + 9 * PAGE, 2 * PAGE, "0" );
    check_written( 0, region + 10 * PAGE, 10 * PAGE, "" );
    check_written( 0, region + 10 * PAGE, 11 * PAGE, "10" );
    check_written( RESET, region + 8 * PAGE, 25 * PAGE, "0-1,12,22-24" );
    check_written( 0, region, REGION_SIZE, "0-7,33-39" );
    touch( region, "8" );
    check_written( RESET, region + 7 * PAGE, PAGE, "0" );
    check_written( 0, region, REGION_SIZE, "0-6,8,33-39" );
    check_written( RESET, region, 7 * PAGE, "0-6" );
    check_written( RESET, region + 9 * PAGE, REGION_SIZE - 9 * PAGE, "24-30" );
    check_written( RESET, region, REGION_SIZE, "8" );

    /* page by page */
    touch( region, "0,2,4,6,8-11" );
    for (i = 0; i < 12; i++)
        check_written_max( RESET, region + i * PAGE, PAGE, 1, i < 8 && (i & 1) ? "" : "0" );
    check_written( 0, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           expand_list
 *
 * The page numbers of a list such as "0-3,7". Returns how many there are.
 */
static unsigned int expand_list( const char *list, unsigned int *pages )
{
    unsigned int count = 0;
    char *end;

    while (*list)
    {
        unsigned int first = strtoul( list, &end, 10 ), last = first;

        if (*end == '-') last = strtoul( end + 1, &end, 10 );
        while (first <= last) pages[count++] = first++;
        list = *end ? end + 1 : end;
    }
    return count;
}


/***********************************************************************
 *           test_truncation
 *
 * Row 10: with an array that is too small the first pages are reported, exactly these are reset,
 * and polls can be continued. Every array size from one entry on, over runs and single pages.
 */
static void test_truncation(void)
{
    static const char *patterns[] =
    {
        "0-63", "0", "63", "0,63", "0-1,3-4,6-7,9-10,60-63", "1,3,5,7,9,11,13,15,17,19,21",
        "0-7,9,11,13-20,22,24-40,50,63", "10-29", "0,2-9,11,20-22,24,26,40-63",
    };
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i, j, pages[REGION_PAGES], total;
    ULONG_PTR max, take;
    void *list[REGION_PAGES];
    char expect[1024];

    for (i = 0; i < ARRAY_SIZE( patterns ); i++)
    {
        total = expand_list( patterns[i], pages );
        for (j = 0; j < total; j++) list[j] = region + pages[j] * PAGE;

        for (max = 1; max <= total + 2; max++)
        {
            winetest_push_context( "pattern %u, %u entries", i, (int)max );
            touch( region, patterns[i] );

            take = min( max, total );
            format_pages( expect, sizeof(expect), region, list, take );
            check_written_max( 0, region, REGION_SIZE, max, expect );
            check_written_max( 0, region, REGION_SIZE, max, expect );
            check_written( 0, region, REGION_SIZE, patterns[i] );

            for (j = 0; j <= total; j += max)
            {
                take = min( max, total - j );
                format_pages( expect, sizeof(expect), region, list + j, take );
                check_written_max( RESET, region, REGION_SIZE, max, expect );
                format_pages( expect, sizeof(expect), region, list + j + take, total - j - take );
                check_written( 0, region, REGION_SIZE, expect );
            }
            check_written( RESET, region, REGION_SIZE, "" );
            winetest_pop_context();
        }
    }

    /* pages written between continued polls, before and behind where the last one ended */
    touch( region, "10-19" );
    check_written_max( RESET, region, REGION_SIZE, 4, "10-13" );
    touch( region, "0,12,15,30" );
    check_written_max( RESET, region, REGION_SIZE, 4, "0,12,14-15" );
    check_written_max( RESET, region, REGION_SIZE, 4, "16-19" );
    check_written_max( RESET, region, REGION_SIZE, 4, "30" );
    check_written_max( RESET, region, REGION_SIZE, 4, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_blocks
 *
 * Ranges and pages around the borders of page tables, and whole blocks written.
 */
static void test_blocks(void)
{
    char *region = alloc_watched( 4 * BLOCK + 5 * PAGE ), *block;
    unsigned int first, i;
    char expect[32];

    /* the first block border inside; region itself is aligned to 64 KiB only */
    block = (char *)(((ULONG_PTR)region + BLOCK) & ~(ULONG_PTR)(BLOCK - 1));
    first = (block - region) / PAGE;

    block[-1] = 1;
    block[0] = 1;
    block[BLOCK - 1] = 1;
    block[BLOCK] = 1;
    check_written( 0, block - PAGE, 2 * PAGE, "0-1" );
    check_written( 0, block, BLOCK, "0,511" );
    check_written( 0, block - 3 * PAGE, BLOCK + 5 * PAGE, "2-3,514-515" );
    check_written( 0, block + BLOCK, PAGE, "0" );
    check_written_max( RESET, block - PAGE, BLOCK + 2 * PAGE, 3, "0-1,512" );
    check_written( 0, block - PAGE, BLOCK + 2 * PAGE, "513" );
    reset( block + BLOCK - PAGE, 2 * PAGE );
    check_written( 0, region, 4 * BLOCK + 5 * PAGE, "" );

    /* a straddling write across the border */
    ((struct unaligned *)(block + BLOCK - 2))->value = 1;
    check_written( RESET, block, 2 * BLOCK, "511-512" );

    /* whole blocks, taken in different pieces */
    memset( region, 1, 4 * BLOCK + 5 * PAGE );
    check_written( 0, block, BLOCK, "0-511" );
    check_written( 0, region, 4 * BLOCK + 5 * PAGE, "0-2052" );
    check_written( RESET, block, BLOCK, "0-511" );
    check_written( 0, block, BLOCK, "" );
    check_written( 0, block - PAGE, BLOCK + 2 * PAGE, "0,513" );
    check_written( RESET, block + BLOCK, BLOCK, "0-511" );
    block[100 * PAGE] = 2;
    block[BLOCK + 511 * PAGE] = 0;
    check_written( 0, block, 2 * BLOCK, "100,1023" );
    check_written( RESET, block + 64 * PAGE, BLOCK, "36" );
    check_written( RESET, block + BLOCK, BLOCK, "511" );
    check_written( 0, block, 2 * BLOCK, "" );
    sprintf( expect, first > 1 ? "0-%u" : "0", first - 1 );
    check_written( RESET, region, block - region, expect );
    reset( region, 4 * BLOCK + 5 * PAGE );
    check_written( RESET, region, 4 * BLOCK + 5 * PAGE, "" );

    /* a whole block through a small array, 100 pages a poll */
    memset( block, 3, BLOCK );
    for (i = 0; i < 5; i++)
    {
        sprintf( expect, "%u-%u", i * 100, i * 100 + 99 );
        check_written_max( RESET, block, BLOCK, 100, expect );
    }
    check_written_max( RESET, block, BLOCK, 100, "500-511" );
    check_written_max( RESET, block, BLOCK, 100, "" );

    /* every other page, more single runs than a small vector of ranges holds */
    for (i = 0; i < 2048; i += 2) region[i * PAGE] = i;
    for (i = 0; i < 2048; i += 2)
    {
        sprintf( expect, "%u", i );
        if (i % 512 == 100) check_written_max( RESET, region, 4 * BLOCK, 1, expect );
        else check_written_max( RESET, region + i * PAGE, min( BLOCK, 4 * BLOCK - i * PAGE ), 1,
                                "0" );
    }
    check_written( 0, region, 4 * BLOCK, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_single_runs
 *
 * Thousands of single pages in one answer: ascending, none twice.
 */
static void test_single_runs(void)
{
    enum { pages = 6000 };
    static void *results[pages];
    char *region = alloc_watched( pages * PAGE );
    ULONG_PTR count, i;
    ULONG page_size;
    unsigned int flags, step, wrong;

    for (step = 2; step <= 3; step++)
    {
        for (i = 0; i < pages; i += step) region[i * PAGE + i % PAGE] = i;
        for (flags = 0; flags <= RESET; flags++)
        {
            count = pages;
            ok( !GetWriteWatch( flags, region, pages * PAGE, results, &count, &page_size ),
                "GetWriteWatch failed, error %u\n", (int)GetLastError() );
            ok( count == pages / step, "step %u: wrong count %d\n", step, (int)count );
            for (i = wrong = 0; i < count; i++) wrong += results[i] != region + i * step * PAGE;
            ok( !wrong, "step %u: %u wrong pages\n", step, wrong );
        }
        check_written( 0, region, pages * PAGE, "" );
    }
    free_watched( region );
}


START_TEST(results)
{
    init_watch();
    test_fresh();
    test_writes();
    test_repeated();
    test_ranges();
    test_truncation();
    test_blocks();
    test_single_runs();
}
