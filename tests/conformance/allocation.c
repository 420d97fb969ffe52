/*
 * Write watch tests: allocating, committing and releasing watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_SIZE (16 * PAGE)


/***********************************************************************
 *           test_commit_later
 *
 * Row 14: reserve with MEM_WRITE_WATCH, commit in pieces.
 */
static void test_commit_later(void)
{
    char *region, *ret;

    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "" );
    check_written( RESET, region, REGION_SIZE, "" );
    reset( region, REGION_SIZE );

    ret = VirtualAlloc( region + 4 * PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    ok( ret == region + 4 * PAGE, "VirtualAlloc returned %p, error %u\n", ret,
        (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "" );
    touch( region, "4,7" );
    check_written( 0, region, REGION_SIZE, "4,7" );

    /* commit around and over what is committed, with and without the flag */
    ret = VirtualAlloc( region, 6 * PAGE, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( ret == region || broken( real_windows ), "VirtualAlloc returned %p, error %u\n", ret,
        (int)GetLastError() );
    if (!ret) VirtualAlloc( region, 6 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    ret = VirtualAlloc( region + 6 * PAGE, 10 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    ok( ret == region + 6 * PAGE, "VirtualAlloc returned %p, error %u\n", ret,
        (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "4,7" );
    touch( region, "0,15" );
    check_written( RESET, region, REGION_SIZE, "0,4,7,15" );
    ret = VirtualAlloc( region, REGION_SIZE, MEM_COMMIT, PAGE_READWRITE );
    ok( ret == region, "VirtualAlloc returned %p, error %u\n", ret, (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "" );
    touch( region, "0-15" );
    check_written( RESET, region, REGION_SIZE, "0-15" );
    free_watched( region );

    /* initial PAGE_NOACCESS */
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_NOACCESS );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    ret = VirtualAlloc( region, REGION_SIZE, MEM_COMMIT, PAGE_NOACCESS );
    ok( ret == region, "VirtualAlloc returned %p, error %u\n", ret, (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "" );
    protect( region, 6 * PAGE, PAGE_READWRITE );
    touch( region, "5" );
    protect( region, 6 * PAGE, PAGE_NOACCESS );
    check_written( 0, region, REGION_SIZE, "5" );
    ret = VirtualAlloc( region, REGION_SIZE, MEM_COMMIT, PAGE_READWRITE );
    ok( ret == region, "VirtualAlloc returned %p, error %u\n", ret, (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "5" );
    touch( region, "6" );
    check_written( RESET, region, REGION_SIZE, "6" );
    free_watched( region );

    /* PAGE_READONLY at first, and PAGE_EXECUTE_READWRITE */
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READONLY );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "" );
    protect( region, REGION_SIZE, PAGE_EXECUTE_READWRITE );
    touch( region, "3" );
    check_written( 0, region, REGION_SIZE, "3" );
    free_watched( region );

    /* PAGE_WRITECOMBINE and PAGE_NOCACHE memory, as graphics programs use it */
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE | PAGE_WRITECOMBINE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    touch( region, "3,9" );
    check_written( RESET, region, REGION_SIZE, "3,9" );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_types
 *
 * Rows 25 to 27b: which allocation types go together with MEM_WRITE_WATCH.
 */
static void test_types(void)
{
    static const DWORD refused[] = { 0x400000 /* MEM_PHYSICAL */, MEM_LARGE_PAGES };
    NTSTATUS status;
    char *region;
    void *base;
    SIZE_T size;
    unsigned int i;

    SetLastError( 0xdeadbeef );
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( !region, "VirtualAlloc succeeded\n" );
    ok( GetLastError() == ERROR_INVALID_PARAMETER, "wrong error %u\n", (int)GetLastError() );
    base = NULL;
    size = REGION_SIZE;
    status = pNtAllocateVirtualMemory( GetCurrentProcess(), &base, 0, &size, MEM_WRITE_WATCH,
                                       PAGE_READWRITE );
    ok( status == STATUS_INVALID_PARAMETER, "NtAllocateVirtualMemory returned %08x\n",
        (int)status );
    status = pNtAllocateVirtualMemory( GetCurrentProcess(), &base, 0, &size,
                                       MEM_WRITE_WATCH | MEM_TOP_DOWN, PAGE_READWRITE );
    ok( status == STATUS_INVALID_PARAMETER, "NtAllocateVirtualMemory returned %08x\n",
        (int)status );

    /* row 26: MEM_COMMIT alone reserves too when there is no address */
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( region != NULL || broken( real_windows ), "VirtualAlloc failed, error %u\n",
        (int)GetLastError() );
    if (region)
    {
        check_written( 0, region, REGION_SIZE, "" );
        touch( region, "2-3" );
        check_written( RESET, region, REGION_SIZE, "2-3" );
        check_written( RESET, region, REGION_SIZE, "" );
        free_watched( region );
    }

    /* row 27 */
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH |
                           MEM_TOP_DOWN,
                           PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    touch( region, "0,15" );
    check_written( RESET, region, REGION_SIZE, "0,15" );
    free_watched( region );

    /* row 27b */
    for (i = 0; i < ARRAY_SIZE( refused ); i++)
    {
        winetest_push_context( "type %#x", (int)refused[i] );
        base = NULL;
        size = 0x200000;
        status = pNtAllocateVirtualMemory( GetCurrentProcess(), &base, 0, &size, MEM_RESERVE |
                                           MEM_COMMIT | MEM_WRITE_WATCH | refused[i],
                                           PAGE_READWRITE );
        ok( status == STATUS_INVALID_PARAMETER || broken( real_windows && status ),
            "NtAllocateVirtualMemory returned %08x\n", (int)status );
        status = pNtAllocateVirtualMemory( GetCurrentProcess(), &base, 0, &size,
                                           MEM_RESERVE | MEM_WRITE_WATCH | refused[i],
                                           PAGE_READWRITE );
        ok( status == STATUS_INVALID_PARAMETER || broken( real_windows && status ),
            "NtAllocateVirtualMemory returned %08x\n", (int)status );
        winetest_pop_context();
    }

    /* wrong protections and sizes are refused as for unwatched memory */
    SetLastError( 0xdeadbeef );
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, 0 );
    ok( !region && GetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %u\n", region,
        (int)GetLastError() );
    SetLastError( 0xdeadbeef );
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_WRITECOPY );
    ok( !region && GetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %u\n", region,
        (int)GetLastError() );
    SetLastError( 0xdeadbeef );
    region = VirtualAlloc( NULL, 0, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( !region && GetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %u\n", region,
        (int)GetLastError() );
}


/***********************************************************************
 *           test_sizes
 *
 * Sizes are rounded up to pages, the base of a reservation down to 64 KiB.
 */
static void test_sizes(void)
{
    ULONG_PTR count = 16;
    ULONG page_size;
    void *results[16];
    char *region, *again;

    region = VirtualAlloc( NULL, 5 * PAGE + 1, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    touch( region, "0,5" );
    check_written( 0, region, 6 * PAGE, "0,5" );
    ok( GetWriteWatch( 0, region, 6 * PAGE + 1, results, &count, &page_size ) == ~0u,
        "GetWriteWatch succeeded past the region\n" );
    free_watched( region );

    again = VirtualAlloc( region + 3 * PAGE + 5, PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                          PAGE_READWRITE );
    ok( again == region, "VirtualAlloc returned %p instead of %p\n", again, region );
    if (again)
    {
        touch( again, "0,4" );
        check_written( RESET, again, 5 * PAGE, "0,4" );
        check_written( RESET, again + 4 * PAGE, PAGE, "" );
        free_watched( again );
    }
    region = VirtualAlloc( NULL, 1, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    region[PAGE - 1] = 1;
    check_written( RESET, region, 1, "0" );
    free_watched( region );
}


/***********************************************************************
 *           test_release
 *
 * Row 32: released memory is unwatched, and the same address starts clean.
 */
static void test_release(void)
{
    ULONG_PTR count = 16;
    ULONG page_size;
    void *results[16];
    char *region, *again;
    unsigned int i;
    UINT ret;

    region = alloc_watched( REGION_SIZE );
    for (i = 0; i < 20; i++)
    {
        touch( region, "1,3-5,15" );
        if (i & 1) check_written( 0, region, REGION_SIZE, "1,3-5,15" );
        if (i & 2) VirtualFree( region + 3 * PAGE, PAGE, MEM_DECOMMIT );
        free_watched( region );

        SetLastError( 0xdeadbeef );
        ret = GetWriteWatch( 0, region, REGION_SIZE, results, &count, &page_size );
        ok( ret == ~0u, "GetWriteWatch returned %#x\n", ret );
        ok( GetLastError() == ERROR_INVALID_PARAMETER, "wrong error %u\n", (int)GetLastError() );
        SetLastError( 0xdeadbeef );
        ret = ResetWriteWatch( region, REGION_SIZE );
        ok( ret == ~0u, "ResetWriteWatch returned %#x\n", ret );
        ok( GetLastError() == ERROR_INVALID_PARAMETER, "wrong error %u\n", (int)GetLastError() );

        if (i % 5 == 4)  /* as plain memory in between */
        {
            again = VirtualAlloc( region, REGION_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
            ok( again == region, "got %p instead of %p\n", again, region );
            touch( again, "0-15" );
            ret = GetWriteWatch( 0, region, REGION_SIZE, results, &count, &page_size );
            ok( ret == ~0u, "GetWriteWatch returned %#x\n", ret );
            VirtualFree( again, 0, MEM_RELEASE );
        }
        again = VirtualAlloc( region, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READWRITE );
        ok( again == region, "got %p instead of %p\n", again, region );
        check_written( 0, region, REGION_SIZE, "" );
        ok( !region[3 * PAGE], "memory is not zero\n" );
        check_written( 0, region, REGION_SIZE, "" );
    }
    free_watched( region );

    /* calls that fail release nothing */
    region = alloc_watched( REGION_SIZE );
    touch( region, "2" );
    SetLastError( 0xdeadbeef );
    ok( !VirtualFree( region, REGION_SIZE, MEM_RELEASE ), "VirtualFree succeeded\n" );
    ok( GetLastError() == ERROR_INVALID_PARAMETER, "wrong error %u\n", (int)GetLastError() );
    ok( !VirtualFree( region + PAGE, 0, MEM_RELEASE ), "VirtualFree succeeded\n" );
    ok( !VirtualFree( region, 0, MEM_RELEASE | MEM_DECOMMIT ), "VirtualFree succeeded\n" );
    ok( !VirtualFree( region, REGION_SIZE + PAGE, MEM_DECOMMIT ), "VirtualFree succeeded\n" );
    ok( !VirtualFree( region, 0, 0 ), "VirtualFree succeeded\n" );
    ok( !VirtualAlloc( region, REGION_SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE ),
        "VirtualAlloc succeeded over a region\n" );
    ok( !VirtualAlloc( region, REGION_SIZE + PAGE, MEM_COMMIT, PAGE_READWRITE ) ||
        broken( real_windows ),
        "VirtualAlloc succeeded past the region\n" );
    touch( region, "4" );
    check_written( RESET, region, REGION_SIZE, "2,4" );
    touch( region, "4" );
    check_written( RESET, region, REGION_SIZE, "4" );
    free_watched( region );
}


/***********************************************************************
 *           test_many_regions
 *
 * As collectors do it: hundreds of regions, freed and allocated again in any order.
 */
static void test_many_regions(void)
{
    enum { regions = 500 };
    static char *region[regions];
    unsigned int i, j, round, number, kept = 0, wrong = 0;
    void *results[16];
    ULONG_PTR count;
    ULONG page_size;
    char *old;

    for (i = 0; i < regions; i++)
    {
        region[i] = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                  PAGE_READWRITE );
        if (!region[i]) break;
    }
    ok( i == regions, "only %u regions, error %u\n", i, (int)GetLastError() );

    for (round = 0; round < 4; round++)
    {
        for (i = 0; i < regions; i++) region[i][i % 16 * PAGE] = region[i][15 * PAGE] = i;
        for (i = round; i < regions; i += 3)  /* the same address again starts clean */
        {
            old = region[i];
            VirtualFree( old, 0, MEM_RELEASE );
            region[i] = VirtualAlloc( i & 1 ? old : NULL, REGION_SIZE,
                                      MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
            ok( region[i] != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
            kept += region[i] == old;
        }
        for (j = 0; j < regions; j++)
        {
            i = (j * 7) % regions;
            number = i >= round && (i - round) % 3 == 0 ? 0 : i % 16 == 15 ? 1 : 2;
            count = 16;
            if (GetWriteWatch( RESET, region[i], REGION_SIZE, results, &count,
                               &page_size )) wrong++;
            else if (count != number) wrong++;
            else if (number && results[number - 1] != region[i] + 15 * PAGE) wrong++;
            else if (number == 2 && results[0] != region[i] + i % 16 * PAGE) wrong++;
        }
        ok( !wrong, "round %u: %u wrong answers\n", round, wrong );
    }
    ok( kept, "no address was used again\n" );
    for (i = 0; i < regions; i += 2) free_watched( region[i] );
    for (i = 1; i < regions; i += 2)
    {
        region[i][5 * PAGE] = 1;
        count = 16;
        if (GetWriteWatch( 0, region[i], REGION_SIZE, results, &count, &page_size ) ||
            count != 1) wrong++;
        VirtualFree( region[i], 0, MEM_RELEASE );
    }
    ok( !wrong, "%u wrong answers\n", wrong );
}


/***********************************************************************
 *           test_large_reserve
 *
 * A reservation far larger than memory, committed in a few places.
 */
static void test_large_reserve(void)
{
    SIZE_T size = (SIZE_T)1 << (sizeof(void *) > 4 ? 36 : 28), step = size / 16;
    void *results[64];
    ULONG_PTR count, i;
    ULONG page_size;
    char *region;

    region = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    if (!region) return;
    for (i = 0; i < 16; i++)
    {
        ok( VirtualAlloc( region + i * step, 16 * PAGE, MEM_COMMIT, PAGE_READWRITE ) != NULL,
            "VirtualAlloc failed, error %u\n", (int)GetLastError() );
        region[i * step + i * PAGE] = 1;
    }
    for (i = 0; i < 16; i++)
    {
        count = 64;
        ok( !GetWriteWatch( i & 1, region + i * step, step, results, &count, &page_size ),
            "GetWriteWatch failed, error %u\n", (int)GetLastError() );
        ok( count == 1 && results[0] == region + i * step + i * PAGE, "piece %u: wrong answer\n",
            (int)i );
    }
    count = 64;
    ok( !GetWriteWatch( RESET, region, size, results, &count, &page_size ),
        "GetWriteWatch failed, error %u\n", (int)GetLastError() );
    ok( count == 8, "wrong count %d\n", (int)count );
    for (i = 0; i < count; i++)
        ok( results[i] == region + 2 * i * step + 2 * i * PAGE, "wrong page %p\n", results[i] );
    free_watched( region );
}


/***********************************************************************
 *           test_high_addresses
 *
 * Addresses above 2 GiB, which a 32-bit program has if it is linked for them, are no negative ones.
 */
static void test_high_addresses(void)
{
    char *region = VirtualAlloc( (void *)(ULONG_PTR)0xc0000000, REGION_SIZE, MEM_RESERVE |
                                 MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );

    if (!region)
    {
        skip( "no addresses above 2 GiB\n" );
        return;
    }
    touch( region, "1,3-4" );
    check_written( 0, region, REGION_SIZE, "1,3-4" );
    check_written_max( RESET, region, REGION_SIZE, 2, "1,3" );
    ok( VirtualFree( region + 2 * PAGE, 3 * PAGE, MEM_DECOMMIT ), "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "4" );
    reset( region, REGION_SIZE );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


START_TEST(allocation)
{
    init_watch();
    test_commit_later();
    test_types();
    test_sizes();
    test_release();
    test_many_regions();
    test_large_reserve();
    test_high_addresses();
}
