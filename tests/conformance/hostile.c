/*
 * Write watch tests: pointers that cannot be written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A call with a bad pointer must fail, change nothing, and leave the process able to go on. Stock
 * Wine keeps a lock then, so each case runs in a process of its own.
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)
#define STOCK_TIME 3000    /* milliseconds, where another thread is known to wait for ever */

static const char before[] = "1,3,5,7,9,11,13,15";

/* what a child reports */
struct report
{
    LONG      finished;
    NTSTATUS  status;           /* of the Nt call */
    ULONG_PTR nt_count;
    char      nt_pages[128];    /* written after the Nt call, as the same thread sees it */
    UINT      ret;              /* of the Win32 call */
    DWORD     error;
    ULONG_PTR win_count;
    char      win_pages[128];
    LONG      alive;            /* another thread allocated memory and polled */
    char      alive_pages[128];
};

/* which pointer is bad, and how */
enum place
{
    NOT_COMMITTED, NOACCESS, READONLY, UNMAPPED, LOW, NON_CANONICAL, KERNEL, WRAPPING, CODE,
    ENDS_EARLY,          /* the array ends before what is to be reported */
    ENDS_LATE,           /* what is to be reported fits, *count entries do not */
    CROSSES_READONLY,    /* the array goes on into a read-only page */
    GUARDED,             /* a guard page */
    GUARDED_LATE,        /* the array goes on into a guard page, which is not come by */
    WATCHED_GUARDED,     /* a guard page of the polled range */
    WATCHED_READONLY,    /* a read-only page of the polled range */
    WATCHED_DECOMMITTED, /* a decommitted page of the polled range */
    WATCHED_CROSSING,    /* begins in a page of the range, goes on into a read-only one */
    OTHER_READONLY,      /* a read-only page of another watched region */
};

enum pointer { ARRAY, COUNT, GRANULARITY };

/* Nothing is touched but what is stored: an array that is too short for *count does not matter. For
 * stock Wine nothing is locked yet when *count is read. */
#define STOCK_FIRST  1  /* as STOCK_STATE, after the first call only */
#define STOCK_SECOND 2
#define STOCK_STATE  3  /* reset, or pages written that are not */
#define STOCK_LOCK   4  /* lock kept, the process hangs */

static const struct
{
    const char  *name;
    enum pointer pointer;
    enum place   place;
    DWORD        flags;
    unsigned int stock;
} tests[] =
{
    { "array not committed", ARRAY, NOT_COMMITTED, RESET, STOCK_LOCK },
    { "array not committed, kept", ARRAY, NOT_COMMITTED, 0, STOCK_LOCK },
    { "array inaccessible", ARRAY, NOACCESS, RESET, STOCK_LOCK },
    { "array read-only", ARRAY, READONLY, RESET, STOCK_LOCK },
    { "array unmapped", ARRAY, UNMAPPED, RESET, STOCK_LOCK },
    { "array at a low address", ARRAY, LOW, RESET, STOCK_LOCK },
    { "array non-canonical", ARRAY, NON_CANONICAL, RESET, STOCK_LOCK },
    { "array in kernel space", ARRAY, KERNEL, RESET, STOCK_LOCK },
    { "array wraps around", ARRAY, WRAPPING, RESET, STOCK_LOCK },
    { "array in code", ARRAY, CODE, RESET, STOCK_LOCK },
    { "array ends early", ARRAY, ENDS_EARLY, RESET, STOCK_LOCK },
    { "array ends early, kept", ARRAY, ENDS_EARLY, 0, STOCK_LOCK },
    { "array shorter than count", ARRAY, ENDS_LATE, RESET, 0 },
    { "array shorter than count, kept", ARRAY, ENDS_LATE, 0, 0 },
    { "array goes on read-only", ARRAY, CROSSES_READONLY, RESET, 0 },
    { "array goes on into a guard page", ARRAY, GUARDED_LATE, RESET, 0 },
    { "array in a guard page", ARRAY, GUARDED, RESET, STOCK_LOCK },
    { "array in a guard page of the range", ARRAY, WATCHED_GUARDED, RESET,
      STOCK_LOCK | STOCK_SECOND },
    { "array in a read-only page of the range", ARRAY, WATCHED_READONLY, RESET,
      STOCK_LOCK | STOCK_STATE },
    { "array in decommitted page of the range", ARRAY, WATCHED_DECOMMITTED, RESET,
      STOCK_LOCK | STOCK_STATE },
    { "array across pages of the range", ARRAY, WATCHED_CROSSING, RESET, STOCK_STATE },
    { "array in read-only page of other region", ARRAY, OTHER_READONLY, RESET, STOCK_LOCK },
    { "count not committed", COUNT, NOT_COMMITTED, RESET, 0 },
    { "count read-only", COUNT, READONLY, RESET, STOCK_LOCK | STOCK_STATE },
    { "count in a guard page", COUNT, GUARDED, RESET, 0 },
    { "count unmapped", COUNT, UNMAPPED, RESET, 0 },
    { "count at a low address", COUNT, LOW, RESET, 0 },
    { "count non-canonical", COUNT, NON_CANONICAL, RESET, 0 },
    { "count in kernel space", COUNT, KERNEL, RESET, 0 },
    { "granularity not committed", GRANULARITY, NOT_COMMITTED, RESET, STOCK_LOCK | STOCK_STATE },
    { "granularity read-only", GRANULARITY, READONLY, RESET, STOCK_LOCK | STOCK_STATE },
    { "granularity in a guard page", GRANULARITY, GUARDED, RESET, STOCK_LOCK | STOCK_FIRST },
    { "granularity unmapped", GRANULARITY, UNMAPPED, RESET, STOCK_LOCK | STOCK_STATE },
    { "granularity low", GRANULARITY, LOW, RESET, STOCK_LOCK | STOCK_STATE },
    { "granularity in kernel space", GRANULARITY, KERNEL, RESET, STOCK_LOCK | STOCK_STATE },
    { "granularity in code", GRANULARITY, CODE, RESET, STOCK_LOCK | STOCK_STATE },
};


/***********************************************************************
 *           make_pointer
 *
 * A bad pointer. The region is the one that will be polled.
 */
static void *make_pointer( enum place place, char *region )
{
    char *mem = VirtualAlloc( NULL, 2 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE ), *other;
    DWORD old;

    /* *count is read before anything is written */
    *(ULONG_PTR *)mem = REGION_PAGES;

    switch (place)
    {
    case NOT_COMMITTED:
        VirtualFree( mem, 2 * PAGE, MEM_DECOMMIT );
        return mem;
    case NOACCESS:
        VirtualProtect( mem, 2 * PAGE, PAGE_NOACCESS, &old );
        return mem;
    case READONLY:
        VirtualProtect( mem, 2 * PAGE, PAGE_READONLY, &old );
        return mem;
    case UNMAPPED:
        VirtualFree( mem, 0, MEM_RELEASE );
        return mem;
    case LOW:
        return (void *)8;
    case NON_CANONICAL:
        return (void *)((ULONG_PTR)1 << (8 * sizeof(void *) - 2));
    case KERNEL:
        return (void *)-(ULONG_PTR)(sizeof(void *) == 8 ? 0x80000000 : 0x1000);
    case WRAPPING:
        return (void *)(~(ULONG_PTR)0 - 15);
    case CODE:
        return (void *)(((ULONG_PTR)make_pointer & ~(ULONG_PTR)7) + 8);
    case ENDS_EARLY:
        VirtualFree( mem + PAGE, PAGE, MEM_DECOMMIT );
        return mem + PAGE - 5 * sizeof(void *);
    case ENDS_LATE:
        VirtualFree( mem + PAGE, PAGE, MEM_DECOMMIT );
        return mem + PAGE - 10 * sizeof(void *);
    case CROSSES_READONLY:
        VirtualProtect( mem + PAGE, PAGE, PAGE_READONLY, &old );
        return mem + PAGE - 10 * sizeof(void *);
    case GUARDED:
        VirtualProtect( mem, PAGE, PAGE_READWRITE | PAGE_GUARD, &old );
        return mem;
    case GUARDED_LATE:
        VirtualProtect( mem + PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, &old );
        return mem + PAGE - 10 * sizeof(void *);
    case WATCHED_GUARDED:
        VirtualProtect( region + 8 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD, &old );
        return region + 8 * PAGE + 64;
    case WATCHED_READONLY:
        VirtualProtect( region + 8 * PAGE, PAGE, PAGE_READONLY, &old );
        return region + 8 * PAGE + 64;
    case WATCHED_DECOMMITTED:
        VirtualFree( region + 8 * PAGE, PAGE, MEM_DECOMMIT );
        return region + 8 * PAGE + 64;
    case WATCHED_CROSSING:
        VirtualProtect( region + 8 * PAGE, PAGE, PAGE_READONLY, &old );
        return region + 8 * PAGE - 10 * sizeof(void *);
    case OTHER_READONLY:
        other = VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READONLY );
        return other + 64;
    }
    return NULL;
}


/***********************************************************************
 *           alive_thread
 *
 * What another thread can do after the calls.
 */
static DWORD CALLBACK alive_thread( void *arg )
{
    void **args = arg;
    struct report *report = args[0];
    char *region = args[1], *mem;

    mem = VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    if (!mem) return 1;
    mem[5] = 1;
    if (strcmp( written( RESET, mem, PAGE, 1 ), "0" )) return 1;
    VirtualFree( mem, 0, MEM_RELEASE );
    strcpy( report->alive_pages, written( 0, region, REGION_SIZE, REGION_PAGES ) );
    InterlockedExchange( &report->alive, 1 );
    return 0;
}


/***********************************************************************
 *           child
 *
 * One test. Checks are left to the parent, as this process may not come to an end.
 */
static void child( unsigned int test, HANDLE mapping )
{
    static void *args[2];
    struct report *report = MapViewOfFile( mapping, FILE_MAP_WRITE, 0, 0, 0 );
    void *results[REGION_PAGES], **array = results, *bad;
    ULONG_PTR number, *count = &number;
    ULONG page_size, *granularity = &page_size;
    char *region;
    HANDLE thread;

    report += test;
    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    touch( region, "0-15" );
    ResetWriteWatch( region, REGION_SIZE );
    touch( region, before );

    bad = make_pointer( tests[test].place, region );
    switch (tests[test].pointer)
    {
    case ARRAY:       array = bad; break;
    case COUNT:       count = bad; break;
    case GRANULARITY: granularity = bad; break;
    }

    number = REGION_PAGES;
    report->status = pNtGetWriteWatch( GetCurrentProcess(), tests[test].flags, region, REGION_SIZE,
                                       array,
                                       count, granularity );
    report->nt_count = number;
    strcpy( report->nt_pages, written( 0, region, REGION_SIZE, REGION_PAGES ) );
    number = REGION_PAGES;
    SetLastError( 0xdeadbeef );
    report->ret = GetWriteWatch( tests[test].flags, region, REGION_SIZE, array, count,
                                 granularity );
    report->error = GetLastError();
    report->win_count = number;
    strcpy( report->win_pages, written( 0, region, REGION_SIZE, REGION_PAGES ) );
    InterlockedExchange( &report->finished, 1 );

    args[0] = report;
    args[1] = region;
    thread = CreateThread( NULL, 0, alive_thread, args, 0, NULL );
    WaitForSingleObject( thread, winetest_platform_is_wine() && (tests[test].stock & STOCK_LOCK)
                                 ? STOCK_TIME : HANG_TIME );
    TerminateProcess( GetCurrentProcess(), 0 );
}


/***********************************************************************
 *           expected_status
 *
 * Row 34b: a guard page is one only for the first of the two calls.
 */
static NTSTATUS expected_status( unsigned int test, BOOL second )
{
    switch (tests[test].place)
    {
    case ENDS_LATE:
    case CROSSES_READONLY:
    case WATCHED_CROSSING:
    case GUARDED_LATE:
        return STATUS_SUCCESS;
    case GUARDED:
    case WATCHED_GUARDED:
        return second ? STATUS_SUCCESS : STATUS_GUARD_PAGE_VIOLATION;
    default:
        return STATUS_ACCESS_VIOLATION;
    }
}


/***********************************************************************
 *           expected_pages
 *
 * What is written after one of the two calls. An array in the range is written by the call.
 */
static const char *expected_pages( unsigned int test, BOOL second )
{
    if (expected_status( test, second ) || !(tests[test].flags & RESET)) return before;
    if (tests[test].place == WATCHED_CROSSING) return "7";
    return tests[test].place == WATCHED_GUARDED ? "8" : "";
}


/***********************************************************************
 *           lost_by_wow64
 *
 * Whether Wine's wow64.dll loses what was written: its own query is done, with a reset, when it
 * cannot copy the answer. The second call then finds nothing, and has nothing to store in the
 * array.
 */
static BOOL lost_by_wow64( unsigned int test )
{
    if (!wine_wow64 || !(tests[test].flags & RESET) || !expected_status( test, FALSE )) return FALSE;
    return tests[test].pointer == ARRAY ||
           (tests[test].pointer == COUNT && tests[test].place == READONLY);
}


/***********************************************************************
 *           check_report
 */
static void check_report( unsigned int test, const struct report *report )
{
    NTSTATUS nt_status = expected_status( test, FALSE ), win_status = expected_status( test, TRUE );
    BOOL lost = lost_by_wow64( test ), second = lost && *expected_pages( test, TRUE );
    BOOL succeeds = lost && win_status && tests[test].pointer == ARRAY;
    unsigned int stock = tests[test].stock;

    if (wine_wow64 && tests[test].pointer != GRANULARITY) stock = 0;
    second |= (stock & STOCK_SECOND) && winetest_platform_is_wine();
    /* for stock Wine a page was written when a store to it failed: there is something to store */
    if (winetest_platform_is_wine() && (tests[test].place == WATCHED_READONLY ||
                                        tests[test].place == WATCHED_DECOMMITTED)) succeeds = FALSE;

    winetest_push_context( "%s", tests[test].name );
    ok( report->finished, "the call did not return\n" );
    if (!report->finished)
    {
        winetest_pop_context();
        return;
    }
    ok( report->status == nt_status, "NtGetWriteWatch returned %08x\n", (int)report->status );
    todo_if( succeeds )
    {
        ok( report->ret == (win_status ? ~0u : 0), "GetWriteWatch returned %#x\n", report->ret );
        ok( report->error == (win_status ? ERROR_NOACCESS : 0xdeadbeef), "wrong error %u\n",
            (int)report->error );
    }
    todo_if( lost || ((stock & STOCK_FIRST) && winetest_platform_is_wine()) )
    {
        ok( !strcmp( report->nt_pages, expected_pages( test, FALSE ) ),
            "got pages \"%s\" after the Nt call\n", report->nt_pages );
    }
    todo_if( second )
    {
        ok( !strcmp( report->win_pages, expected_pages( test, TRUE ) ),
            "got pages \"%s\" after the Win32 call\n", report->win_pages );
    }
    todo_wine_if( stock & STOCK_LOCK )
    {
        ok( report->alive, "no other thread can go on\n" );
    }
    if (report->alive)
        todo_if( second )
            ok( !strcmp( report->alive_pages, report->win_pages ) &&
                !strcmp( report->win_pages, expected_pages( test, TRUE ) ),
                "another thread got pages \"%s\"\n", report->alive_pages );
    winetest_pop_context();
}


/***********************************************************************
 *           test_pointers
 *
 * Row 34, and the same for the other two pointers. All children run at the same time, as on stock
 * Wine most of them wait for a lock that is never released.
 */
static void test_pointers( char **argv )
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    PROCESS_INFORMATION info[ARRAY_SIZE( tests )];
    char cmdline[MAX_PATH + 64];
    struct report *reports;
    HANDLE mapping;
    DWORD start, now;
    unsigned int i;
    BOOL ret;

    mapping = CreateFileMappingA( INVALID_HANDLE_VALUE, &attr, PAGE_READWRITE, 0,
                                  ARRAY_SIZE( tests ) * sizeof(*reports), NULL );
    reports = MapViewOfFile( mapping, FILE_MAP_WRITE, 0, 0, 0 );
    ok( reports != NULL, "MapViewOfFile failed, error %u\n", (int)GetLastError() );

    for (i = 0; i < ARRAY_SIZE( tests ); i++)
    {
        STARTUPINFOA startup = { .cb = sizeof(startup) };

        sprintf( cmdline, "\"%s\" hostile child %u %x", argv[0], i, (int)(ULONG_PTR)mapping );
        ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info[i] );
        ok( ret, "CreateProcess failed, error %u\n", (int)GetLastError() );
        CloseHandle( info[i].hThread );
    }
    start = GetTickCount();
    for (i = 0; i < ARRAY_SIZE( tests ); i++)
    {
        now = GetTickCount();
        now = min( now - start, HANG_TIME );
        if (WaitForSingleObject( info[i].hProcess, HANG_TIME - now ))
            TerminateProcess( info[i].hProcess, 1 );
        CloseHandle( info[i].hProcess );
        check_report( i, &reports[i] );
    }
    UnmapViewOfFile( reports );
    CloseHandle( mapping );
}


/***********************************************************************
 *           test_order
 *
 * Bad pointers and memory that is not watched, at once: some error, and no crash. Which one comes
 * first is left open.
 */
static void test_order(void)
{
    char *region = alloc_watched( REGION_SIZE ), *plain;
    void *bad = (void *)8, *results[REGION_PAGES];
    ULONG_PTR count = REGION_PAGES;
    ULONG page_size;
    NTSTATUS status;

    touch( region, "4" );
    plain = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    status = pNtGetWriteWatch( GetCurrentProcess(), 0, plain, REGION_SIZE, bad, &count,
                               &page_size );
    ok( status == STATUS_INVALID_PARAMETER || status == STATUS_ACCESS_VIOLATION, "got %08x\n",
        (int)status );
    status = pNtGetWriteWatch( GetCurrentProcess(), 0, plain, REGION_SIZE, results, &count, bad );
    ok( status == STATUS_INVALID_PARAMETER || status == STATUS_ACCESS_VIOLATION, "got %08x\n",
        (int)status );
    status = pNtGetWriteWatch( GetCurrentProcess(), 4, region, REGION_SIZE, bad, &count, bad );
    ok( status == STATUS_INVALID_PARAMETER || status == STATUS_ACCESS_VIOLATION, "got %08x\n",
        (int)status );
    status = pNtGetWriteWatch( GetCurrentProcess(), 4, region, 0, bad, bad, &page_size );
    ok( status == STATUS_INVALID_PARAMETER || status == STATUS_ACCESS_VIOLATION, "got %08x\n",
        (int)status );
    ok( count == REGION_PAGES, "count became %u\n", (int)count );
    check_written( RESET, region, REGION_SIZE, "4" );
    VirtualFree( plain, 0, MEM_RELEASE );
    free_watched( region );
}


START_TEST(hostile)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );

    init_watch();
    if (argc >= 5 && !strcmp( argv[2], "child" ))
    {
        child( atoi( argv[3] ), (HANDLE)(ULONG_PTR)strtoul( argv[4], NULL, 16 ) );
        return;
    }
    test_order();
    test_pointers( argv );
}
