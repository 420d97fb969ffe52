/*
 * Write watch tests: protections, guard pages, code, locked memory, and what queries show
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)

static volatile LONG guard_faults, access_faults;
static char *fault_page;  /* made writable by the handler at an access violation */


/***********************************************************************
 *           fault_handler
 *
 * Counts faults and lets the instruction run again.
 */
static LONG CALLBACK fault_handler( EXCEPTION_POINTERS *ptrs )
{
    DWORD old;

    switch (ptrs->ExceptionRecord->ExceptionCode)
    {
    case STATUS_GUARD_PAGE_VIOLATION:
        InterlockedIncrement( &guard_faults );
        return EXCEPTION_CONTINUE_EXECUTION;
    case EXCEPTION_ACCESS_VIOLATION:
        if (!fault_page || access_faults > 100) break;
        InterlockedIncrement( &access_faults );
        VirtualProtect( fault_page, PAGE, PAGE_READWRITE, &old );
        return EXCEPTION_CONTINUE_EXECUTION;
    }
    return EXCEPTION_CONTINUE_SEARCH;
}


/***********************************************************************
 *           test_protections
 *
 * Row 13: a change of protection neither sets nor clears the written state.
 */
static void test_protections(void)
{
    static const DWORD prots[] =
    {
        PAGE_READONLY, PAGE_NOACCESS, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
        PAGE_READWRITE,
    };
    char *region = alloc_watched( REGION_SIZE );
    unsigned int i, j;

    for (i = 0; i < ARRAY_SIZE( prots ); i++)
    {
        winetest_push_context( "protection %#x", (int)prots[i] );
        touch( region, "0-1,8-9,15" );
        check_written( RESET, region, PAGE, "0" );
        check_written( 0, region, REGION_SIZE, "1,8-9,15" );
        ok( protect( region, 10 * PAGE, prots[i] ) == PAGE_READWRITE, "wrong old protection\n" );
        check_written( 0, region, REGION_SIZE, "1,8-9,15" );
        ok( protect( region, 10 * PAGE, PAGE_READWRITE ) == prots[i], "wrong old protection\n" );
        check_written( 0, region, REGION_SIZE, "1,8-9,15" );

        /* polls with RESET and ResetWriteWatch while protected */
        protect( region, 9 * PAGE, prots[i] );
        check_written_max( RESET, region, REGION_SIZE, 2, "1,8" );
        check_written( 0, region, REGION_SIZE, "9,15" );
        protect( region, 9 * PAGE, PAGE_READWRITE );
        check_written( 0, region, REGION_SIZE, "9,15" );
        touch( region, "8" );
        protect( region, REGION_SIZE, prots[i] );
        reset( region + 9 * PAGE, PAGE );
        check_written( 0, region, REGION_SIZE, "8,15" );
        protect( region, REGION_SIZE, PAGE_READWRITE );
        check_written( RESET, region, REGION_SIZE, "8,15" );

        /* clean pages stay clean through the same changes */
        for (j = 0; j < ARRAY_SIZE( prots ); j++)
        {
            protect( region, REGION_SIZE, prots[i] );
            protect( region + 2 * PAGE, 3 * PAGE, prots[j] );
        }
        protect( region, REGION_SIZE, PAGE_READWRITE );
        check_written( 0, region, REGION_SIZE, "" );
        winetest_pop_context();
    }

    /* page by page, through each protection in turn */
    touch( region, "0,2,4,6,8,10,12,14" );
    for (i = 0; i < 10; i++)
        for (j = 0; j < REGION_PAGES; j++)
            protect( region + j * PAGE, PAGE, prots[(i + j) % ARRAY_SIZE( prots )] );
    check_written( 0, region, REGION_SIZE, "0,2,4,6,8,10,12,14" );
    protect( region, REGION_SIZE, PAGE_READWRITE );
    touch( region, "1,3" );
    check_written( RESET, region, REGION_SIZE, "0-4,6,8,10,12,14" );

    /* a change that fails */
    touch( region, "3" );
    SetLastError( 0xdeadbeef );
    ok( !VirtualProtect( region, PAGE, 0, (DWORD *)&i ), "VirtualProtect succeeded\n" );
    ok( GetLastError() == ERROR_INVALID_PARAMETER, "wrong error %u\n", (int)GetLastError() );
    SetLastError( 0xdeadbeef );
    ok( !VirtualProtect( region, PAGE, PAGE_READONLY, NULL ), "VirtualProtect succeeded\n" );
    ok( GetLastError() == ERROR_NOACCESS, "wrong error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "3" );
    free_watched( region );
}


/***********************************************************************
 *           test_readonly_fault
 *
 * A write to a page that the program itself protected faults as ever, watched or not: page
 * protections of a collector live in the same memory.
 */
static void test_readonly_fault(void)
{
    char *region = alloc_watched( REGION_SIZE );

    fault_page = region + 3 * PAGE;
    touch( region, "2-4" );
    check_written( RESET, region, REGION_SIZE, "2-4" );
    protect( region, REGION_SIZE, PAGE_READONLY );
    access_faults = 0;
    fault_page[5] = 1;
    ok( access_faults == 1, "%d faults\n", (int)access_faults );
    ok( fault_page[5] == 1, "the write is lost\n" );
    check_written( 0, region, REGION_SIZE, "3" );
    fault_page[6] = 1;
    ok( access_faults == 1, "%d faults\n", (int)access_faults );

    protect( region, REGION_SIZE, PAGE_NOACCESS );
    access_faults = 0;
    ok( fault_page[5] == 1, "the write is lost\n" );  /* a read faults too */
    ok( access_faults == 1, "%d faults\n", (int)access_faults );
    check_written( RESET, region, REGION_SIZE, "3" );
    fault_page = NULL;
    free_watched( region );
}


/***********************************************************************
 *           test_guard
 *
 * Row 22: a guard page fires once, and then the write is watched as any other.
 */
static void test_guard(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *region = alloc_watched( REGION_SIZE );
    volatile char *p = region;

    touch( region, "1,4" );
    reset( region, REGION_SIZE );
    touch( region, "1" );
    protect( region + 3 * PAGE, 3 * PAGE, PAGE_READWRITE | PAGE_GUARD );
    check_written( 0, region, REGION_SIZE, "1" );

    guard_faults = 0;
    p[4 * PAGE] = 7;
    ok( guard_faults == 1, "%d faults\n", (int)guard_faults );
    ok( p[4 * PAGE] == 7, "the write is lost\n" );
    check_written( 0, region, REGION_SIZE, "1,4" );
    p[4 * PAGE + 1] = 7;
    ok( guard_faults == 1, "%d faults\n", (int)guard_faults );

    /* a read fires the guard too and writes nothing */
    guard_faults = 0;
    ok( !p[3 * PAGE], "wrong value\n" );
    ok( guard_faults == 1, "%d faults\n", (int)guard_faults );
    check_written( RESET, region, REGION_SIZE, "1,4" );
    p[3 * PAGE] = 1;
    ok( guard_faults == 1, "%d faults\n", (int)guard_faults );
    check_written( RESET, region, REGION_SIZE, "3" );

    /* a poll leaves the guard alone */
    VirtualQuery( region + 5 * PAGE, &info, sizeof(info) );
    ok( info.Protect == (PAGE_READWRITE | PAGE_GUARD), "wrong protection %#x\n",
        (int)info.Protect );
    guard_faults = 0;
    p[5 * PAGE] = 1;
    ok( guard_faults == 1, "%d faults\n", (int)guard_faults );
    VirtualQuery( region + 5 * PAGE, &info, sizeof(info) );
    ok( info.Protect == PAGE_READWRITE, "wrong protection %#x\n", (int)info.Protect );

    /* written state under a guard that is set and taken away again */
    protect( region, REGION_SIZE, PAGE_READWRITE | PAGE_GUARD );
    check_written( 0, region, REGION_SIZE, "5" );
    protect( region, REGION_SIZE, PAGE_READWRITE );
    check_written( RESET, region, REGION_SIZE, "5" );
    free_watched( region );
}


/* A function that returns a number from 0 to 127, and the change of that number in its code, which
 * is one store. */
#ifdef __aarch64__
static const unsigned int code[] = { 0x52800000, 0xd65f03c0 };   /* mov w0, #value; ret */

static void set_value( char *func, unsigned int value )
{
    *(volatile unsigned int *)func = code[0] | value << 5;
}
#else
static const unsigned char code[] = { 0xb8, 0, 0, 0, 0, 0xc3 };  /* mov eax, value; ret */

static void set_value( char *func, unsigned int value )
{
    *(volatile char *)(func + 1) = value;
}
#endif


/***********************************************************************
 *           test_code
 *
 * Row 24: watched memory may hold code; running it is not writing.
 */
static void test_code(void)
{
    static const DWORD prots[] = { PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_READ };
    int (*func)(void);
    unsigned int i, j;
    char *region;

    region = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_EXECUTE_READWRITE );
    ok( region != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    for (i = 0; i < 6; i++)
    {
        winetest_push_context( "%u", i );
        protect( region, REGION_SIZE, PAGE_EXECUTE_READWRITE );
        for (j = 2; j < 5; j++)
        {
            memcpy( region + j * PAGE, code, sizeof(code) );
            set_value( region + j * PAGE, i + j );
        }
        FlushInstructionCache( GetCurrentProcess(), region, REGION_SIZE );
        if (i) check_written( RESET, region, REGION_SIZE, "2-4" );
        protect( region, REGION_SIZE, prots[i % 2] );
        for (j = 2; j < 5; j++)
        {
            func = (void *)(region + j * PAGE);
            ok( func() == (int)(i + j), "wrong value\n" );
        }
        check_written( RESET, region, REGION_SIZE, i ? "" : "2-4" );
        winetest_pop_context();
    }

    /* changing code between two calls */
    protect( region, REGION_SIZE, PAGE_EXECUTE_READWRITE );
    func = (void *)(region + 3 * PAGE);
    set_value( region + 3 * PAGE, 99 );
    FlushInstructionCache( GetCurrentProcess(), region, REGION_SIZE );
    ok( func() == 99, "wrong value\n" );
    check_written( RESET, region, REGION_SIZE, "3" );
    ok( func() == 99, "wrong value\n" );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_lock
 *
 * Row 23: VirtualLock writes nothing. Some versions of Windows report the locked pages.
 */
static void test_lock(void)
{
    char *region = alloc_watched( REGION_SIZE );
    const char *got;
    BOOL ret;

    touch( region, "0-3" );
    reset( region, 3 * PAGE );  /* 0-2 clean, 3 written, the others never touched */
    ret = VirtualLock( region, 8 * PAGE );
    if (!ret)
    {
        skip( "VirtualLock failed, error %u\n", (int)GetLastError() );
        free_watched( region );
        return;
    }
    got = written( 0, region, REGION_SIZE, REGION_PAGES );
    ok( !strcmp( got, "3" ) || broken( real_windows && !strcmp( got, "0-7" )), "got pages \"%s\"\n",
        got );
    reset( region, REGION_SIZE );
    touch( region, "1,5,9" );
    check_written( 0, region, REGION_SIZE, "1,5,9" );
    protect( region, 8 * PAGE, PAGE_READONLY );
    protect( region, 8 * PAGE, PAGE_READWRITE );
    check_written( 0, region, REGION_SIZE, "1,5,9" );
    ret = VirtualUnlock( region, 8 * PAGE );
    ok( ret, "VirtualUnlock failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "1,5,9" );

    /* locked, and reset or decommitted then */
    touch( region, "1" );
    ret = VirtualLock( region + PAGE, 2 * PAGE );
    ok( ret, "VirtualLock failed, error %u\n", (int)GetLastError() );
    got = written( RESET, region, REGION_SIZE, REGION_PAGES );
    ok( !strcmp( got, "1" ) || broken( real_windows && !strcmp( got, "1-2" )), "got pages \"%s\"\n",
        got );
    touch( region, "2" );
    VirtualAlloc( region + PAGE, 2 * PAGE, MEM_RESET, PAGE_READWRITE );
    check_written( 0, region, REGION_SIZE, "2" );
    ret = VirtualFree( region + PAGE, 2 * PAGE, MEM_DECOMMIT );
    ok( ret, "VirtualFree failed, error %u\n", (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "2" );
    VirtualUnlock( region + PAGE, 2 * PAGE );
    ok( VirtualAlloc( region, REGION_SIZE, MEM_COMMIT, PAGE_READWRITE ) != NULL,
        "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    ok( !region[2 * PAGE + 64] && !region[2 * PAGE], "recommitted memory is not zero\n" );
    touch( region, "1" );
    check_written( RESET, region, REGION_SIZE, "1-2" );
    free_watched( region );
}


/***********************************************************************
 *           check_same_info
 *
 * VirtualQuery says the same of a watched and of a plain page.
 */
#define check_same_info( watched, plain, offset ) \
    check_same_info_( __LINE__, watched, plain, offset )
static void check_same_info_( int line, char *watched, char *plain, SIZE_T offset )
{
    MEMORY_BASIC_INFORMATION info, other;

    memset( &info, 0, sizeof(info) );
    memset( &other, 0, sizeof(other) );
    ok_( __FILE__, line )( VirtualQuery( watched + offset, &info, sizeof(info) ) == sizeof(info),
                           "VirtualQuery failed, error %u\n", (int)GetLastError() );
    ok_( __FILE__, line )( VirtualQuery( plain + offset, &other, sizeof(other) ) == sizeof(other),
                           "VirtualQuery failed, error %u\n", (int)GetLastError() );
    ok_( __FILE__, line )( info.AllocationBase == watched, "AllocationBase is %p\n",
                           info.AllocationBase );
    ok_( __FILE__, line )( (char *)info.BaseAddress - watched == (char *)other.BaseAddress - plain,
                           "BaseAddress is %p\n", info.BaseAddress );
    ok_( __FILE__, line )( info.RegionSize == other.RegionSize, "RegionSize is %#x, expected %#x\n",
                           (int)info.RegionSize, (int)other.RegionSize );
    ok_( __FILE__, line )( info.State == other.State && info.Protect == other.Protect &&
                           info.Type == other.Type &&
                           info.AllocationProtect == other.AllocationProtect,
                           "State %#x, Protect %#x, Type %#x, AllocationProtect %#x\n",
                           (int)info.State,
                           (int)info.Protect, (int)info.Type, (int)info.AllocationProtect );
}


/***********************************************************************
 *           check_same_working_set
 *
 * The working set query says the same too.
 */
#define check_same_working_set( watched, plain, page ) \
    check_same_working_set_( __LINE__, watched, plain, page )
static void check_same_working_set_( int line, char *watched, char *plain, unsigned int page )
{
    struct { void *addr; ULONG_PTR attributes; } info[2];
    NTSTATUS status;

    info[0].addr = watched + page * PAGE;
    info[1].addr = plain + page * PAGE;
    info[0].attributes = info[1].attributes = 0;
    status = pNtQueryVirtualMemory( GetCurrentProcess(), NULL,
                                    4 /* MemoryWorkingSetExInformation */, info,
                                    sizeof(info), NULL );
    ok_( __FILE__, line )( !status, "NtQueryVirtualMemory returned %08x\n", (int)status );
    ok_( __FILE__, line )( (info[0].attributes & 1) == (info[1].attributes & 1) &&
                           (info[0].attributes & 0x7fff) == (info[1].attributes & 0x7fff),
                           "page %u: attributes %#x, expected %#x\n", page, (int)info[0].attributes,
                           (int)info[1].attributes );
}


/***********************************************************************
 *           test_queries
 *
 * Row 36: MEM_WRITE_WATCH shows in no query, whatever is written.
 */
static void test_queries(void)
{
    char *watched, *plain, *both[2];
    unsigned int i, page;

    watched = alloc_watched( REGION_SIZE );
    plain = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    ok( plain != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    both[0] = watched;
    both[1] = plain;

    check_same_info( watched, plain, 0 );
    for (i = 0; i < 2; i++)
    {
        touch( both[i], "0-4,7,9" );
        ok( !((volatile char *)both[i])[6 * PAGE], "memory is not zero\n" );
    }
    for (page = 0; page < REGION_PAGES; page++)
    {
        check_same_info( watched, plain, page * PAGE + page );
        check_same_working_set( watched, plain, page );
    }
    check_written( RESET, watched, REGION_SIZE, "0-4,7,9" );
    touch( watched, "3" );
    touch( plain, "3" );
    for (i = 0; i < 2; i++)
    {
        ok( VirtualFree( both[i] + PAGE, PAGE, MEM_DECOMMIT ), "VirtualFree failed\n" );
        protect( both[i] + 3 * PAGE, 2 * PAGE, PAGE_READONLY );
        protect( both[i] + 9 * PAGE, 2 * PAGE, PAGE_EXECUTE_READWRITE );
        protect( both[i] + 12 * PAGE, PAGE, PAGE_NOACCESS );
        protect( both[i] + 13 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD );
    }
    for (page = 0; page < REGION_PAGES; page++)
    {
        check_same_info( watched, plain, page * PAGE );
        if (page != 12 && page != 13) check_same_working_set( watched, plain, page );
    }
    check_written( 0, watched, REGION_SIZE, "3" );
    for (page = 0; page < REGION_PAGES; page++) check_same_info( watched, plain, page * PAGE );
    VirtualFree( plain, 0, MEM_RELEASE );
    free_watched( watched );

    watched = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_NOACCESS );
    plain = VirtualAlloc( NULL, REGION_SIZE, MEM_RESERVE, PAGE_NOACCESS );
    check_same_info( watched, plain, 0 );
    VirtualAlloc( watched + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE );
    VirtualAlloc( plain + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE );
    for (page = 0; page < 4; page++) check_same_info( watched, plain, page * PAGE );
    VirtualFree( plain, 0, MEM_RELEASE );
    free_watched( watched );
}


START_TEST(protection)
{
    void *handler;

    init_watch();
    handler = AddVectoredExceptionHandler( TRUE, fault_handler );
    test_protections();
    test_readonly_fault();
    test_guard();
    test_code();
    test_lock();
    test_queries();
    RemoveVectoredExceptionHandler( handler );
}
