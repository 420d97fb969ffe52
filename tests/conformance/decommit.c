/*
 * Write watch tests: the written state across MEM_DECOMMIT and MEM_RESET
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)


/***********************************************************************
 *           decommit
 */
static void decommit( char *region, unsigned int first, unsigned int pages )
{
    BOOL ret = VirtualFree( region + first * PAGE, pages * PAGE, MEM_DECOMMIT );

    ok( ret, "VirtualFree failed, error %u\n", (int)GetLastError() );
}


/***********************************************************************
 *           commit
 */
static void commit( char *region, unsigned int first, unsigned int pages )
{
    void *ret = VirtualAlloc( region + first * PAGE, pages * PAGE, MEM_COMMIT, PAGE_READWRITE );

    ok( ret == region + first * PAGE, "VirtualAlloc returned %p, error %u\n", ret,
        (int)GetLastError() );
}


/***********************************************************************
 *           reset_contents
 */
static void reset_contents( char *region, unsigned int first, unsigned int pages )
{
    void *ret = VirtualAlloc( region + first * PAGE, pages * PAGE, MEM_RESET, PAGE_READWRITE );

    ok( ret == region + first * PAGE, "VirtualAlloc returned %p, error %u\n", ret,
        (int)GetLastError() );
}


/***********************************************************************
 *           test_failed_decommit
 *
 * A decommit that fails leaves nothing behind: memory that is released after it is watched no more,
 * and what is put in its place was never written. The address is one that Wine keeps reserved.
 */
static void test_failed_decommit(void)
{
    char *wanted = (char *)0x30000000, *region, *plain;
    void *addresses[REGION_PAGES];
    ULONG_PTR count = REGION_PAGES;
    ULONG granularity;
    UINT failed;

    region = VirtualAlloc( wanted, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    if (!region) return;
    touch( region, "1-2,5,9" );
    ok( !VirtualFree( region, REGION_SIZE + PAGE, MEM_DECOMMIT ), "too much was decommitted\n" );
    ok( !VirtualFree( region + PAGE, 0, MEM_DECOMMIT ), "size 0 inside was decommitted\n" );
    check_written( 0, region, REGION_SIZE, "1-2,5,9" );
    free_watched( region );

    plain = VirtualAlloc( wanted, REGION_SIZE, MEM_RESERVE, PAGE_READWRITE );
    ok( plain == wanted, "VirtualAlloc returned %p, error %u\n", plain, (int)GetLastError() );
    if (plain != wanted) return;
    commit( plain, 0, REGION_PAGES );
    failed = GetWriteWatch( 0, plain, REGION_SIZE, addresses, &count, &granularity );
    ok( failed && GetLastError() == ERROR_INVALID_PARAMETER,
        "memory that is not watched: %u, error %u\n", failed, (int)GetLastError() );
    free_watched( plain );
}


/***********************************************************************
 *           test_decommit
 *
 * Row 15: decommitted pages are still reported until they are reset, recommitted or not, and
 * recommitted memory is zero.
 */
static void test_decommit(void)
{
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i, sum;

    touch( region, "1-2,5,9" );
    decommit( region, 2, 4 );
    check_written( 0, region, REGION_SIZE, "1-2,5,9" );
    check_written( 0, region, REGION_SIZE, "1-2,5,9" );
    check_written( 0, region + 2 * PAGE, 4 * PAGE, "0,3" );

    /* recommit keeps it */
    commit( region, 2, 2 );
    check_written( 0, region, REGION_SIZE, "1-2,5,9" );
    for (i = sum = 0; i < 2 * PAGE; i++) sum += region[2 * PAGE + i];
    ok( !sum, "recommitted memory is not zero\n" );
    check_written( 0, region, REGION_SIZE, "1-2,5,9" );
    touch( region, "3" );
    check_written( 0, region, REGION_SIZE, "1-3,5,9" );

    /* reset while decommitted, reset after recommit */
    check_written( RESET, region + 5 * PAGE, PAGE, "0" );
    check_written( 0, region, REGION_SIZE, "1-3,9" );
    reset( region + 2 * PAGE, PAGE );
    check_written( 0, region, REGION_SIZE, "1,3,9" );
    commit( region, 4, 2 );
    check_written( RESET, region, REGION_SIZE, "1,3,9" );
    check_written( 0, region, REGION_SIZE, "" );
    touch( region, "2,4-5" );
    check_written( RESET, region, REGION_SIZE, "2,4-5" );

    /* clean pages that are decommitted stay clean: written and reset, read, and never touched */
    sum = ((volatile char *)region)[7 * PAGE];
    decommit( region, 1, 12 );
    check_written( 0, region, REGION_SIZE, "" );
    commit( region, 0, REGION_PAGES );
    check_written( 0, region, REGION_SIZE, "" );
    for (i = 0; i < REGION_PAGES; i++) sum += ((volatile char *)region)[i * PAGE];
    check_written( 0, region, REGION_SIZE, "" );

    /* the whole region at once, by size 0, twice */
    touch( region, "0,7-8,15" );
    ok( VirtualFree( region, 0, MEM_DECOMMIT ), "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "0,7-8,15" );
    ok( VirtualFree( region, 0, MEM_DECOMMIT ), "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "0,7-8,15" );
    check_written_max( RESET, region, REGION_SIZE, 2, "0,7" );
    commit( region, 0, REGION_PAGES );
    for (i = sum = 0; i < REGION_SIZE; i++) sum += region[i];
    ok( !sum, "recommitted memory is not zero\n" );
    check_written( RESET, region, REGION_SIZE, "8,15" );
    check_written( 0, region, REGION_SIZE, "" );

    /* rounded outward, by one byte in each page */
    touch( region, "3-5" );
    ok( VirtualFree( region + 4 * PAGE - 1, 2, MEM_DECOMMIT ), "VirtualFree failed\n" );
    check_written( RESET, region, REGION_SIZE, "3-5" );
    commit( region, 3, 2 );
    free_watched( region );
}


/***********************************************************************
 *           test_cycles
 *
 * Row 15: decommit, recommit and write again and again, with and without polls.
 */
static void test_cycles(void)
{
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i;

    for (i = 0; i < 64; i++)
    {
        winetest_push_context( "%u", i );
        touch( region, "2,4-6" );
        if (i & 1) check_written( RESET, region, REGION_SIZE, "2,4-6" );
        decommit( region, 4, 4 );
        if (i & 2) check_written( 0, region, REGION_SIZE, i & 1 ? "" : "2,4-6" );
        if (i & 4) decommit( region, 3, 2 );
        commit( region, 0, REGION_PAGES );
        if (i & 8) touch( region, "5,7" );
        if (i & 16) decommit( region, 5, 1 );
        check_written( i & 32 ? RESET : 0, region, REGION_SIZE,
                       i & 1 ? (i & 8 ? "5,7" : "") : (i & 8 ? "2,4-7" : "2,4-6") );
        commit( region, 5, 1 );
        reset( region, REGION_SIZE );
        check_written( 0, region, REGION_SIZE, "" );
        winetest_pop_context();
    }
    free_watched( region );
}


/***********************************************************************
 *           test_truncation
 *
 * Rows 10 and 15: pages known to be written from before a decommit stand between pages written
 * since. Every array size takes the lowest pages of both kinds, in ascending order, and resets just
 * these.
 */
static void test_truncation(void)
{
    static const struct { const char *decommitted, *fresh; } tests[] =
    {
        { "0,2,4,6,8,10,12,14", "1,3,5,7,9,11,13,15" },
        { "1,3,5,7,9,11,13,15", "0,2,4,6,8,10,12,14" },
        { "0-7", "8-15" },
        { "8-15", "0-7" },
        { "0-3,8-11", "4-5,13" },
        { "2,6,10,14", "0-1,12-13" },
        { "0-15", "" },
        { "5,7", "6" },
        { "15", "0" },
    };
    unsigned int i, j, max, recommit, total, take;
    void *pages[REGION_PAGES];
    char *region, expect[256];

    for (i = 0; i < ARRAY_SIZE( tests ); i++)
        for (recommit = 0; recommit < 2; recommit++)
            for (max = 1; max <= REGION_PAGES + 1; max++)
            {
                BYTE state[REGION_PAGES] = { 0 };
                const char *p;
                char *end;

                region = alloc_watched( REGION_SIZE );
                winetest_push_context( "test %u, %u entries%s", i, max,
                                       recommit ? ", recommit" : "" );
                touch( region, tests[i].decommitted );
                for (p = tests[i].decommitted; *p; p = *end ? end + 1 : end)
                {
                    unsigned int first = strtoul( p, &end, 10 ), last = first;
                    if (*end == '-') last = strtoul( end + 1, &end, 10 );
                    decommit( region, first, last - first + 1 );
                    if (recommit) commit( region, first, last - first + 1 );
                    for (; first <= last; first++) state[first] = 1;
                }
                touch( region, tests[i].fresh );
                for (p = tests[i].fresh; *p; p = *end ? end + 1 : end)
                {
                    unsigned int first = strtoul( p, &end, 10 ), last = first;
                    if (*end == '-') last = strtoul( end + 1, &end, 10 );
                    for (; first <= last; first++) state[first] = 1;
                }
                for (j = total = 0; j < REGION_PAGES; j++)
                    if (state[j]) pages[total++] = region + j * PAGE;

                for (j = 0; j <= total; j += take)
                {
                    take = min( max, total - j );
                    format_pages( expect, sizeof(expect), region, pages + j, take );
                    check_written_max( 0, region, REGION_SIZE, max, expect );
                    check_written_max( RESET, region, REGION_SIZE, max, expect );
                    format_pages( expect, sizeof(expect), region, pages + j + take,
                                  total - j - take );
                    check_written( 0, region, REGION_SIZE, expect );
                    if (!take) break;
                }
                free_watched( region );
                winetest_pop_context();
            }
}


/***********************************************************************
 *           test_partial_ranges
 *
 * Row 15: polls and resets of parts of what was decommitted.
 */
static void test_partial_ranges(void)
{
    char *region = alloc_watched( REGION_SIZE );

    touch( region, "0-15" );
    decommit( region, 4, 8 );
    check_written( 0, region + 3 * PAGE, 3 * PAGE, "0-2" );
    check_written( RESET, region + 3 * PAGE, 3 * PAGE, "0-2" );
    check_written( 0, region, REGION_SIZE, "0-2,6-15" );
    reset( region + 10 * PAGE, 3 * PAGE );
    check_written( 0, region, REGION_SIZE, "0-2,6-9,13-15" );
    commit( region, 4, 8 );
    touch( region, "5,10" );
    check_written( 0, region, REGION_SIZE, "0-2,5-10,13-15" );
    decommit( region, 0, 7 );
    check_written( 0, region, REGION_SIZE, "0-2,5-10,13-15" );
    check_written( RESET, region, 6 * PAGE, "0-2,5" );
    check_written( RESET, region, REGION_SIZE, "6-10,13-15" );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_reset_contents
 *
 * Row 31: MEM_RESET gives up the contents, not the written state.
 */
static void test_reset_contents(void)
{
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i;

    memset( region + 2 * PAGE, 0x55, 4 * PAGE );
    reset_contents( region, 3, 2 );
    check_written( 0, region, REGION_SIZE, "2-5" );
    ok( region[2 * PAGE + 5] == 0x55 && region[5 * PAGE] == 0x55,
        "contents of other pages are lost\n" );
    ok( region[3 * PAGE] == 0x55 || !region[3 * PAGE], "wrong contents %#x\n", region[3 * PAGE] );
    check_written( 0, region, REGION_SIZE, "2-5" );
    check_written( RESET, region, REGION_SIZE, "2-5" );

    /* clean pages stay clean, and are watched */
    reset_contents( region, 0, REGION_PAGES );
    check_written( 0, region, REGION_SIZE, "" );
    for (i = 0; i < REGION_PAGES; i++)
        ok( region[i * PAGE] == 0x55 || !region[i * PAGE], "wrong contents %#x\n",
            region[i * PAGE] );
    check_written( 0, region, REGION_SIZE, "" );
    touch( region, "4,8" );
    check_written( 0, region, REGION_SIZE, "4,8" );

    /* between decommits and fresh writes */
    reset_contents( region, 8, 1 );
    decommit( region, 4, 1 );
    touch( region, "2,6,9" );
    reset_contents( region, 6, 3 );
    check_written_max( 0, region, REGION_SIZE, 3, "2,4,6" );
    check_written_max( RESET, region, REGION_SIZE, 3, "2,4,6" );
    check_written( 0, region, REGION_SIZE, "8-9" );
    commit( region, 4, 1 );
    reset_contents( region, 4, 6 );
    decommit( region, 9, 1 );
    commit( region, 9, 1 );
    reset_contents( region, 9, 1 );
    touch( region, "9" );
    reset_contents( region, 9, 1 );
    check_written( RESET, region, REGION_SIZE, "8-9" );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_blocks
 *
 * Rows 15 and 31 with blocks of 2 MiB that are all written, and ranges across their borders.
 */
static void test_blocks(void)
{
    enum { block = 512 };
    char *region = alloc_watched( 3 * block * PAGE ), *base;

    base = (char *)(((ULONG_PTR)region + block * PAGE - 1) & ~(ULONG_PTR)(block * PAGE - 1));
    memset( base, 1, 2 * block * PAGE );
    check_written( 0, base, 2 * block * PAGE, "0-1023" );
    decommit( base, 510, 4 );
    check_written( 0, base, 2 * block * PAGE, "0-1023" );
    check_written( RESET, base, block * PAGE, "0-511" );
    check_written( 0, base, 2 * block * PAGE, "512-1023" );
    commit( base, 510, 4 );
    check_written( RESET, base, 2 * block * PAGE, "512-1023" );
    ok( !base[511 * PAGE], "recommitted memory is not zero\n" );
    check_written( 0, base, 2 * block * PAGE, "" );

    memset( base, 1, block * PAGE );
    check_written( RESET, base, block * PAGE, "0-511" );
    memset( base, 1, block * PAGE );
    reset_contents( base, 0, block );
    check_written( 0, base, block * PAGE, "0-511" );
    ok( base[7 * PAGE] == 1 || !base[7 * PAGE], "wrong contents\n" );
    check_written( RESET, base, block * PAGE, "0-511" );
    check_written( 0, base, block * PAGE, "" );
    decommit( base, 0, 2 * block );
    commit( base, 0, 2 * block );
    check_written( 0, base, 2 * block * PAGE, "" );
    base[block * PAGE - 1] = 1;
    base[block * PAGE] = 1;
    check_written( 0, base, 2 * block * PAGE, "511-512" );
    ok( VirtualFree( region, 0, MEM_DECOMMIT ), "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    check_written( RESET, base, 2 * block * PAGE, "511-512" );
    check_written( 0, base, 2 * block * PAGE, "" );
    free_watched( region );
}


START_TEST(decommit)
{
    init_watch();
    test_decommit();
    test_failed_decommit();
    test_cycles();
    test_truncation();
    test_partial_ranges();
    test_reset_contents();
    test_blocks();
}
