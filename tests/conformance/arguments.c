/*
 * Write watch tests: arguments of GetWriteWatch and ResetWriteWatch, and the order of the checks
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define REGION_PAGES 16
#define REGION_SIZE  (REGION_PAGES * PAGE)

static void *results[2 * REGION_PAGES];

/* rows 1-5: what each argument may be */
static const char *base_names[] =
    { "watched", "NULL", "plain", "image", "section view", "stack", "free", "kernel" };
static const ULONG flag_values[] = { 0, WRITE_WATCH_FLAG_RESET, 2, 3, 0xdeadbeef, 0x80000000 };


/***********************************************************************
 *           expected_status
 *
 * The order of the checks: missing pointers to count and granularity, then count and size of zero
 * and unknown flags, then a missing array, then the memory.
 */
static NTSTATUS expected_status( BOOL watched, ULONG flags, SIZE_T size, BOOL array, BOOL count_ptr,
                                 ULONG_PTR count, BOOL granularity )
{
    if (!count_ptr || !granularity) return STATUS_ACCESS_VIOLATION;       /* row 2 */
    if (!count || !size) return STATUS_INVALID_PARAMETER;                 /* rows 3, 5 */
    if (flags & ~WRITE_WATCH_FLAG_RESET) return STATUS_INVALID_PARAMETER; /* row 5 */
    if (!array) return STATUS_ACCESS_VIOLATION;                           /* row 4 */
    if (!watched || size > REGION_SIZE) return STATUS_INVALID_PARAMETER;  /* rows 1, 6 */
    return STATUS_SUCCESS;
}


/***********************************************************************
 *           check_combination
 *
 * One set of arguments, by the Nt and by the Win32 call. A call that fails changes nothing.
 */
static void check_combination( char *region, void *base, ULONG flags, SIZE_T size, BOOL array,
                               BOOL count_ptr, ULONG_PTR count, BOOL granularity )
{
    NTSTATUS expect = expected_status( base == region, flags, size, array, count_ptr, count,
                                       granularity );
    /* which of the two comes first on Windows is not known */
    BOOL either = real_windows && !array && base != region;
    /* wow64.dll leaves the granularity to the call that it makes, and looks at others before */
    BOOL late = wine_wow64 && count_ptr && !granularity &&
                (!count || !size || (flags & ~WRITE_WATCH_FLAG_RESET));
    ULONG_PTR returned;
    ULONG page_size;
    NTSTATUS status;
    UINT ret;

    touch( region, "1,3" );
    returned = count;
    page_size = 0xdeadbeef;
    status = pNtGetWriteWatch( GetCurrentProcess(), flags, base, size, array ? results : NULL,
                               count_ptr ? &returned : NULL, granularity ? &page_size : NULL );
    todo_if( late )
    {
        ok( status == expect || broken( either && status == STATUS_INVALID_PARAMETER ),
            "NtGetWriteWatch returned %08x, expected %08x\n", (int)status, (int)expect );
    }
    if (expect)
    {
        ok( returned == count, "count became %d\n", (int)returned );
        ok( page_size == 0xdeadbeef, "granularity became %#x\n", (int)page_size );
        check_written( 0, region, REGION_SIZE, "1,3" );
    }

    touch( region, "1,3" );
    returned = count;
    page_size = 0xdeadbeef;
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( flags, base, size, array ? results : NULL,
                         count_ptr ? &returned : NULL, granularity ? &page_size : NULL );
    if (expect)
    {
        ok( ret == ~0u, "GetWriteWatch returned %#x\n", ret );
        todo_if( late )
        {
            ok( GetLastError() == error_of_status( expect ) ||
                broken( either && GetLastError() == ERROR_INVALID_PARAMETER ),
                "last error %u, expected %u\n", (int)GetLastError(),
                (int)error_of_status( expect ) );
        }
        ok( returned == count, "count became %d\n", (int)returned );
        ok( page_size == 0xdeadbeef, "granularity became %#x\n", (int)page_size );
        check_written( 0, region, REGION_SIZE, "1,3" );
    }
    else
    {
        ok( !ret, "GetWriteWatch returned %#x, error %u\n", ret, (int)GetLastError() );
        ok( GetLastError() == 0xdeadbeef, "last error became %u\n", (int)GetLastError() );
    }
}


/***********************************************************************
 *           test_combinations
 *
 * Rows 1 to 6: every argument right and wrong, with every other one right and wrong.
 */
static void test_combinations(void)
{
    const SIZE_T sizes[] = { 0, REGION_SIZE, 2 * REGION_SIZE };
    static const ULONG_PTR counts[] = { 0, 1, REGION_PAGES };
    unsigned int b, f, s, c, pointers;
    char on_stack[2 * REGION_SIZE + 2], *region, *plain, *view, *freed;
    HANDLE mapping;
    void *bases[ARRAY_SIZE( base_names )];

    region = alloc_watched( REGION_SIZE );
    plain = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    ok( plain != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    mapping = CreateFileMappingA( INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, REGION_SIZE,
                                  NULL );
    ok( mapping != NULL, "CreateFileMapping failed, error %u\n", (int)GetLastError() );
    view = MapViewOfFile( mapping, FILE_MAP_WRITE, 0, 0, 0 );
    ok( view != NULL, "MapViewOfFile failed, error %u\n", (int)GetLastError() );
    freed = alloc_watched( REGION_SIZE );
    touch( freed, "0-15" );
    free_watched( freed );

    bases[0] = region;
    bases[1] = NULL;
    bases[2] = plain;
    bases[3] = GetModuleHandleA( NULL );
    bases[4] = view;
    /* a range of any of the sizes does not reach the end of addresses */
    bases[5] = on_stack + 1;
    bases[6] = freed;
    bases[7] = (void *)((ULONG_PTR)1 << (8 * sizeof(void *) - 1));

    for (b = 0; b < ARRAY_SIZE( bases ); b++)
        for (f = 0; f < ARRAY_SIZE( flag_values ); f++)
            for (s = 0; s < ARRAY_SIZE( sizes ); s++)
                for (c = 0; c < ARRAY_SIZE( counts ); c++)
                    for (pointers = 0; pointers < 8; pointers++)
                    {
                        /* a stack address is not aligned, so a size of 0 is not 0 after rounding */
                        if (bases[b] == on_stack + 1 && !sizes[s]) continue;
                        winetest_push_context( "%s, flags %#x, size %#x, count %d%s%s%s",
                                               base_names[b],
                                               (int)flag_values[f], (int)sizes[s], (int)counts[c],
                                               pointers & 1 ? ", no count" : "",
                                               pointers & 2 ? ", no granularity" : "",
                                               pointers & 4 ? ", no array" : "" );
                        check_combination( region, bases[b], flag_values[f], sizes[s],
                                           !(pointers & 4),
                                           !(pointers & 1), counts[c], !(pointers & 2) );
                        winetest_pop_context();
                    }

    UnmapViewOfFile( view );
    CloseHandle( mapping );
    VirtualFree( plain, 0, MEM_RELEASE );
    free_watched( region );
}


/***********************************************************************
 *           check_range
 *
 * A range that must be refused by both calls of both faces, with nothing reset.
 */
#define check_range( base, size ) check_range_( __LINE__, base, size )
static void check_range_( int line, void *base, SIZE_T size )
{
    ULONG_PTR count = REGION_PAGES;
    ULONG page_size;
    NTSTATUS status;
    UINT ret;

    status = pNtGetWriteWatch( GetCurrentProcess(), WRITE_WATCH_FLAG_RESET, base, size, results,
                               &count,
                               &page_size );
    ok_( __FILE__, line )( status == STATUS_INVALID_PARAMETER, "NtGetWriteWatch returned %08x\n",
                           (int)status );
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, size, results, &count, &page_size );
    ok_( __FILE__, line )( ret == ~0u && GetLastError() == ERROR_INVALID_PARAMETER,
                           "GetWriteWatch returned %#x, error %u\n", ret, (int)GetLastError() );
    ok_( __FILE__, line )( count == REGION_PAGES, "count became %d\n", (int)count );

    status = pNtResetWriteWatch( GetCurrentProcess(), base, size );
    ok_( __FILE__, line )( status == STATUS_INVALID_PARAMETER, "NtResetWriteWatch returned %08x\n",
                           (int)status );
    SetLastError( 0xdeadbeef );
    ret = ResetWriteWatch( base, size );
    ok_( __FILE__, line )( ret == ~0u && GetLastError() == ERROR_INVALID_PARAMETER,
                           "ResetWriteWatch returned %#x, error %u\n", ret, (int)GetLastError() );
}


/***********************************************************************
 *           test_ranges
 *
 * Rows 6 and 7: a range lies in one region.
 */
static void test_ranges(void)
{
    char *region, *space, *first, *second;

    region = alloc_watched( REGION_SIZE );
    touch( region, "0,15" );

    check_range( region, 2 * REGION_SIZE );
    check_range( region, REGION_SIZE + 1 );
    check_range( region + REGION_SIZE - PAGE, PAGE + 1 );
    check_range( region + REGION_SIZE - 1, 2 );
    check_range( region + REGION_SIZE, 1 );
    check_range( region + REGION_SIZE, PAGE );
    check_range( region - 1, 1 );
    check_range( region - 1, 2 );
    check_range( region - PAGE, 2 * PAGE );
    /* ends that wrap around */
    check_range( region, ~(SIZE_T)0 );
    check_range( region, ~(SIZE_T)0 - (ULONG_PTR)region );
    check_range( region, (SIZE_T)0 - (ULONG_PTR)region );
    check_range( region, (SIZE_T)0 - (ULONG_PTR)region + PAGE );
    check_range( region + PAGE, ~(SIZE_T)0 - 2 * PAGE );
    check_range( region, (SIZE_T)1 << (8 * sizeof(void *) - 1) );
    check_written( 0, region, REGION_SIZE, "0,15" );
    free_watched( region );

    /* two regions side by side */
    space = VirtualAlloc( NULL, 2 * REGION_SIZE, MEM_RESERVE, PAGE_NOACCESS );
    ok( space != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    VirtualFree( space, 0, MEM_RELEASE );
    first = VirtualAlloc( space, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                          PAGE_READWRITE );
    second = VirtualAlloc( space + REGION_SIZE, REGION_SIZE,
                           MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    ok( first == space && second == space + REGION_SIZE, "got %p and %p instead of %p\n", first,
        second, space );
    touch( space, "14-17" );
    check_range( first, 2 * REGION_SIZE );
    check_range( first, REGION_SIZE + 1 );
    check_range( first + REGION_SIZE - PAGE, 2 * PAGE );
    check_range( first + REGION_SIZE - 1, 2 );
    check_written( 0, first, REGION_SIZE, "14-15" );
    check_written( WRITE_WATCH_FLAG_RESET, second, REGION_SIZE, "0-1" );
    check_written( 0, first, REGION_SIZE, "14-15" );
    reset( first, REGION_SIZE );
    check_written( 0, first, REGION_SIZE, "" );
    touch( space, "15-16" );
    reset( first, REGION_SIZE );
    check_written( 0, second, REGION_SIZE, "0" );
    free_watched( first );
    check_range( first, REGION_SIZE );
    check_range( first + REGION_SIZE - PAGE, 2 * PAGE );
    check_written( 0, second, REGION_SIZE, "0" );
    free_watched( second );
    check_range( second, REGION_SIZE );
}


/***********************************************************************
 *           test_unwatched
 *
 * Rows 1 and 7: memory without write watches is refused, clients then take everything as written.
 */
static void test_unwatched(void)
{
    char *region, *plain, *heap;
    int on_stack = 0;

    plain = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    heap = HeapAlloc( GetProcessHeap(), 0, 64 );
    region = alloc_watched( REGION_SIZE );
    touch( plain, "0-15" );

    check_range( NULL, PAGE );
    check_range( NULL, REGION_SIZE );
    check_range( plain, PAGE );
    check_range( plain, REGION_SIZE );
    check_range( plain + 3 * PAGE, PAGE );
    check_range( heap, 64 );
    check_range( GetModuleHandleA( NULL ), PAGE );
    check_range( GetModuleHandleA( "ntdll.dll" ), PAGE );
    check_range( (void *)0x7ffe0000, PAGE );
    check_range( &on_stack, 1 );
    check_range( results, sizeof(results) );
    check_range( (void *)1, 1 );
    check_range( (void *)~(ULONG_PTR)0, 1 );
    check_range( region, 0 );

    /* VirtualAlloc in plain memory does not turn it into watched memory */
    VirtualAlloc( plain, REGION_SIZE, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check_range( plain, REGION_SIZE );

    HeapFree( GetProcessHeap(), 0, heap );
    VirtualFree( plain, 0, MEM_RELEASE );
    free_watched( region );
}


/***********************************************************************
 *           test_rounding
 *
 * Row 8: base and size are rounded outward to pages.
 */
static void test_rounding(void)
{
    char *region = alloc_watched( REGION_SIZE );

    touch( region, "0-15" );
    check_written( 0, region + 5, 1, "0" );
    check_written( 0, region + PAGE - 1, 1, "0" );
    check_written( 0, region + PAGE - 1, 2, "0-1" );
    check_written( 0, region + PAGE + 8, PAGE, "0-1" );
    check_written( 0, region + 3 * PAGE, 1, "0" );
    check_written( 0, region + 3 * PAGE, PAGE + 1, "0-1" );
    check_written( 0, region + 7, REGION_SIZE - 7, "0-15" );
    check_written( 0, region + REGION_SIZE - 1, 1, "0" );
    check_written( 0, region, REGION_SIZE - 1, "0-15" );

    check_written( WRITE_WATCH_FLAG_RESET, region + 2 * PAGE + 100, 1, "0" );
    check_written( 0, region, REGION_SIZE, "0-1,3-15" );
    check_written( WRITE_WATCH_FLAG_RESET, region + 4 * PAGE - 1, 2, "0-1" );
    check_written( 0, region, REGION_SIZE, "0-1,5-15" );
    reset( region + 6 * PAGE - 1, 2 );
    check_written( 0, region, REGION_SIZE, "0-1,7-15" );
    reset( region + 9, 1 );
    check_written( 0, region, REGION_SIZE, "1,7-15" );
    reset( region + REGION_SIZE - 1, 1 );
    check_written( 0, region, REGION_SIZE, "1,7-14" );
    reset( region + 1, REGION_SIZE - 2 );
    check_written( 0, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_process_handle
 *
 * Row 9: Wine answers for the caller, whatever the handle. remote.c does the same with a real
 * process.
 */
static void test_process_handle(void)
{
    HANDLE handles[3];
    char *region = alloc_watched( REGION_SIZE );
    ULONG_PTR count;
    ULONG page_size;
    NTSTATUS status;
    unsigned int i;

    handles[0] = NULL;
    handles[1] = (HANDLE)(ULONG_PTR)0xdeadbee0;
    handles[2] = GetCurrentThread();
    for (i = 0; i < ARRAY_SIZE( handles ); i++)
    {
        winetest_push_context( "handle %p", handles[i] );
        touch( region, "2" );
        count = REGION_PAGES;
        status = pNtGetWriteWatch( handles[i], 0, region, REGION_SIZE, results, &count,
                                   &page_size );
        ok( !status || broken( real_windows ), "NtGetWriteWatch returned %08x\n", (int)status );
        if (!status) ok( count == 1 && results[0] == region + 2 * PAGE, "got %d pages\n",
                         (int)count );
        status = pNtResetWriteWatch( handles[i], region, REGION_SIZE );
        ok( !status || broken( real_windows ), "NtResetWriteWatch returned %08x\n", (int)status );
        if (!status) check_written( 0, region, REGION_SIZE, "" );
        winetest_pop_context();
    }
    free_watched( region );
}


/***********************************************************************
 *           test_probing
 *
 * How programs ask whether there are write watches, and for the granularity (rows 3, 10, 35).
 */
static void test_probing(void)
{
    /* the second one times the size of an entry is one entry */
    static const ULONG_PTR huge[] = { ~(ULONG_PTR)0, (~(ULONG_PTR)0 / sizeof(void *)) + 2 };
    char *region = alloc_watched( REGION_SIZE );
    ULONG_PTR count = 0;
    ULONG page_size = 0xdeadbeef;
    unsigned int i;
    UINT ret;

    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( 0, region, REGION_SIZE, NULL, &count, &page_size );
    ok( ret == ~0u, "GetWriteWatch returned %#x\n", ret );
    ok( GetLastError() == ERROR_INVALID_PARAMETER, "wrong error %u\n", (int)GetLastError() );
    ok( page_size == 0xdeadbeef, "granularity became %#x\n", (int)page_size );

    count = 1;
    ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, region, REGION_SIZE, results, &count, &page_size );
    ok( !ret, "GetWriteWatch failed, error %u\n", (int)GetLastError() );
    ok( !count, "wrong count %d\n", (int)count );
    ok( page_size == PAGE, "granularity is %#x\n", (int)page_size );

    /* more entries than pages */
    touch( region, "0-15" );
    count = 17;
    ret = GetWriteWatch( 0, region, REGION_SIZE, results, &count, &page_size );
    ok( !ret, "GetWriteWatch failed, error %u\n", (int)GetLastError() );
    ok( count == REGION_PAGES, "wrong count %d\n", (int)count );

    /* more than any array could hold: either the array counts as too short (row 34), or it is
     * enough that there is room for each page */
    for (i = 0; i < ARRAY_SIZE( huge ); i++)
    {
        count = huge[i];
        SetLastError( 0xdeadbeef );
        ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, region, REGION_SIZE, results, &count,
                             &page_size );
        ok( !ret || GetLastError() == ERROR_NOACCESS, "wrong error %u\n", (int)GetLastError() );
        ok( count == (ret ? huge[i] : REGION_PAGES), "wrong count %d\n", (int)count );
        check_written( 0, region, REGION_SIZE, ret ? "0-15" : "" );
        touch( region, "0-15" );
    }
    free_watched( region );
}


START_TEST(arguments)
{
    init_watch();
    test_combinations();
    test_ranges();
    test_unwatched();
    test_rounding();
    test_process_handle();
    test_probing();
}
