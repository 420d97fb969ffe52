/*
 * Write watch tests: results that are stored in watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)


/***********************************************************************
 *           never_lost
 *
 * After a poll with RESET that reported count pages: is this page among them, or in the next poll?
 */
static BOOL never_lost( char *region, void **results, ULONG_PTR count, unsigned int page )
{
    ULONG_PTR i;

    for (i = 0; i < count; i++) if (results[i] == region + page * PAGE) return TRUE;
    return !strcmp( written( 0, region + page * PAGE, PAGE, 1 ), "0" );
}


/***********************************************************************
 *           test_array_in_range
 *
 * Row 33: the array lies in the polled range; its pages are written by the call itself.
 */
static void test_array_in_range(void)
{
    const struct
    {
        unsigned int page, offset;
        const char *written;
        ULONG_PTR count;
    } places[] =
    {
        {  8, 64, "1,3", 16 },              /* behind what is reported */
        {  0, 0, "1,3", 16 },               /* before it */
        {  2, 128, "1,3", 2 },              /* between, and the poll ends at page 3 */
        {  8, 64, "8", 16 },                /* the array's page itself */
        {  8, PAGE - 16, "1-15", 16 },      /* across two pages */
        { 15, PAGE - 128, "0-15", 16 },     /* at the very end */
        {  8, PAGE - 8, "1,3-5", 4 },       /* one entry in the first page */
        { 12, 64, "1,3", 1 },               /* the poll ends before the array */
    };
    unsigned int i, j, flags, last;
    void *copy[REGION_PAGES];
    ULONG_PTR count;
    ULONG page_size;
    char *region, got[128], expect[128];
    void **array;
    UINT ret;

    region = alloc_watched( REGION_SIZE );
    for (i = 0; i < ARRAY_SIZE( places ); i++)
        for (flags = 0; flags <= RESET; flags++)
        {
            winetest_push_context( "place %u, flags %u", i, flags );
            touch( region, "0-15" );
            reset( region, REGION_SIZE );
            touch( region, places[i].written );
            count = places[i].count;
            strcpy( expect, written( 0, region, REGION_SIZE, count ) );
            array = (void **)(region + places[i].page * PAGE + places[i].offset);
            if (i & 1) ret = GetWriteWatch( flags, region, REGION_SIZE, array, &count, &page_size );
            else ret = pNtGetWriteWatch( GetCurrentProcess(), flags, region, REGION_SIZE, array,
                                         &count,
                                         &page_size );
            ok( !ret, "the call returned %08x\n", ret );
            ok( count <= places[i].count, "wrong count %u\n", (int)count );
            memcpy( copy, array, count * sizeof(*copy) );

            /* what the program wrote is reported, perhaps also pages of the array */
            format_pages( got, sizeof(got), region, copy, count );
            for (j = 0; j < REGION_PAGES; j++)
            {
                const char *single = written( 0, region + j * PAGE, PAGE, 1 );
                BOOL in_results = FALSE;
                ULONG_PTR k;

                for (k = 0; k < count; k++) in_results |= copy[k] == region + j * PAGE;
                last = places[i].page;
                if (count) last += (places[i].offset + count * sizeof(void *) - 1) / PAGE;
                if (j >= places[i].page && j <= last) continue;
                if (!flags && in_results)
                    ok( !strcmp( single, "0" ), "page %u was reset, got \"%s\"\n", j, got );
                if (flags && in_results)
                    ok( !*single, "page %u was not reset, got \"%s\"\n", j, got );
            }
            /* stock Wine resets when it has stored the results, and the page of the array with it
             * unless it came by there later; wow64.dll stores them when all is done */
            todo_wine_if( flags && i == 1 && !wine_wow64 )
                ok( never_lost( region, copy, count, places[i].page ),
                    "page %u is lost, got \"%s\"\n",
                    places[i].page, got );
            if (count && (places[i].offset + count * sizeof(void *)) > PAGE)
                ok( never_lost( region, copy, count, places[i].page + 1 ),
                    "page %u is lost, got \"%s\"\n",
                    places[i].page + 1, got );
            if (i != 3) ok( count >= strlen( expect ) / 8, "too few pages\n" );
            winetest_pop_context();
        }

    /* count and granularity in the range */
    for (flags = 0; flags <= RESET; flags++)
    {
        ULONG_PTR *inside_count = (ULONG_PTR *)(region + 3 * PAGE);
        ULONG *inside_size = (ULONG *)(region + 12 * PAGE);

        reset( region, REGION_SIZE );
        touch( region, "0,5" );
        *inside_count = REGION_PAGES;
        *inside_size = 0;
        ret = GetWriteWatch( RESET, region, REGION_SIZE, copy, inside_count, inside_size );
        ok( !ret, "GetWriteWatch returned %#x\n", ret );
        ok( *inside_count == 4 && *inside_size == PAGE, "count %u, granularity %#x\n",
            (int)*inside_count,
            (int)*inside_size );
        check_written( RESET, region, REGION_SIZE, "3,12" );
    }

    /* nothing to report: nothing is stored in the array */
    reset( region, REGION_SIZE );
    count = REGION_PAGES;
    ret = GetWriteWatch( RESET, region, REGION_SIZE, (void **)(region + 64), &count, &page_size );
    ok( !ret && (!count || broken( real_windows )), "got %u pages\n", (int)count );
    free_watched( region );
}


/***********************************************************************
 *           test_array_elsewhere
 *
 * The array lies in another watched region, or where writing it needs a fault to be handled.
 */
static void test_array_elsewhere(void)
{
    char *region = alloc_watched( REGION_SIZE ), *other = alloc_watched( REGION_SIZE );
    void **array;
    ULONG_PTR count;
    ULONG page_size;
    UINT ret;

    /* never touched, then clean after a reset, then across two pages */
    touch( region, "2,4" );
    array = (void **)(other + 3 * PAGE);
    count = REGION_PAGES;
    ret = GetWriteWatch( 0, region, REGION_SIZE, array, &count, &page_size );
    ok( !ret && count == 2, "GetWriteWatch returned %#x, count %u\n", ret, (int)count );
    ok( array[0] == region + 2 * PAGE && array[1] == region + 4 * PAGE, "wrong pages\n" );
    check_written( RESET, other, REGION_SIZE, "3" );
    count = REGION_PAGES;
    ret = pNtGetWriteWatch( GetCurrentProcess(), RESET, region, REGION_SIZE, array, &count,
                            &page_size );
    ok( !ret && count == 2, "NtGetWriteWatch returned %08x, count %u\n", ret, (int)count );
    check_written( RESET, other, REGION_SIZE, "3" );
    check_written( RESET, region, REGION_SIZE, "" );
    touch( region, "7,9" );
    array = (void **)(other + 6 * PAGE) - 1;
    count = 2;
    ret = GetWriteWatch( RESET, region, REGION_SIZE, array, &count, &page_size );
    ok( !ret && count == 2, "GetWriteWatch returned %#x, count %u\n", ret, (int)count );
    ok( array[0] == region + 7 * PAGE && array[1] == region + 9 * PAGE, "wrong pages\n" );
    check_written( RESET, other, REGION_SIZE, "5-6" );

    /* a fresh page of plain memory, and an array that is not aligned */
    array = VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    touch( region, "1" );
    count = REGION_PAGES;
    ret = GetWriteWatch( 0, region, REGION_SIZE, array, &count, &page_size );
    ok( !ret && count == 1 && array[0] == region + PAGE, "GetWriteWatch returned %#x\n", ret );
    count = REGION_PAGES;
    ret = GetWriteWatch( RESET, region, REGION_SIZE, (void **)((char *)array + 3), &count,
                         &page_size );
    ok( !ret || broken( real_windows ), "GetWriteWatch returned %#x, error %u\n", ret,
        (int)GetLastError() );
    if (!ret) ok( count == 1 && !memcmp( (char *)array + 3, array, 3 ), "wrong count %u\n",
                  (int)count );

    /* an array with room for each page of the range, but not for *count entries: either is
     * allowed */
    touch( region, "6" );
    array = (void **)((char *)array + PAGE) - 2;
    count = 1000;
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( RESET, region + 6 * PAGE, 2 * PAGE, array, &count, &page_size );
    ok( !ret || GetLastError() == ERROR_NOACCESS, "wrong error %u\n", (int)GetLastError() );
    ok( count == (ret ? 1000 : 1), "wrong count %u\n", (int)count );
    if (!ret) ok( array[0] == region + 6 * PAGE, "wrong page %p\n", array[0] );
    check_written( 0, region, REGION_SIZE, ret ? "6" : "" );
    VirtualFree( (void *)((ULONG_PTR)array & ~(ULONG_PTR)(PAGE - 1)), 0, MEM_RELEASE );
    free_watched( other );
    free_watched( region );
}


START_TEST(overlap)
{
    init_watch();
    test_array_in_range();
    test_array_elsewhere();
}
