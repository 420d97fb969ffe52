/*
 * Write watch tests: system calls that store something in watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)


/***********************************************************************
 *           find_end
 *
 * An address to which memory can be read and from which on it cannot, with 2 readable pages before
 * it. Free memory is not enough: Wine keeps some of it mapped, and its ReadProcessMemory reads that
 * as zero.
 */
static char *find_end(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *addr = NULL, byte;
    SIZE_T last = 0;

    while (VirtualQuery( addr, &info, sizeof(info) ))
    {
        addr = info.BaseAddress;
        if (info.State == MEM_FREE && last >= 2 * PAGE &&
            !ReadProcessMemory( GetCurrentProcess(), addr, &byte, 1, NULL ) &&
            ReadProcessMemory( GetCurrentProcess(), addr - 2 * PAGE, &byte, 1, NULL ))
            return addr;
        last = info.State == MEM_COMMIT ? info.RegionSize : 0;
        if (addr + info.RegionSize < addr) break;
        addr += info.RegionSize;
    }
    return NULL;
}


/***********************************************************************
 *           test_read_memory
 *
 * Row 30 and ReadProcessMemory that works, into watched memory.
 */
static void test_read_memory(void)
{
    char *region = alloc_watched( REGION_SIZE ), *source, *end;
    const char *got;
    SIZE_T size;
    BOOL ret;

    source = VirtualAlloc( NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    ok( source != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    memset( source, 0x5a, 4 * PAGE );

    ret = ReadProcessMemory( GetCurrentProcess(), source, region + 2 * PAGE, 2 * PAGE, &size );
    ok( ret && size == 2 * PAGE, "ReadProcessMemory failed, error %u\n", (int)GetLastError() );
    ok( region[2 * PAGE] == 0x5a && region[4 * PAGE - 1] == 0x5a, "wrong data\n" );
    check_written( RESET, region, REGION_SIZE, "2-3" );
    ret = ReadProcessMemory( GetCurrentProcess(), source, region + 3 * PAGE - 2, 4, &size );
    ok( ret && size == 4, "ReadProcessMemory failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "2-3" );

    /* watched memory as the source is only read */
    ret = ReadProcessMemory( GetCurrentProcess(), region, source, 4 * PAGE, &size );
    ok( ret && size == 4 * PAGE, "ReadProcessMemory failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "" );

    /* the source ends half-way: how much is copied differs, but Wine marks the whole destination */
    if ((end = find_end()))
    {
        ret = ReadProcessMemory( GetCurrentProcess(), end - 2 * PAGE, region, 4 * PAGE, &size );
        ok( !ret, "ReadProcessMemory succeeded\n" );
        ok( GetLastError() == ERROR_PARTIAL_COPY || GetLastError() == ERROR_NOACCESS,
            "wrong error %u\n",
            (int)GetLastError() );
        got = written( RESET, region, REGION_SIZE, REGION_PAGES );
        ok( !strcmp( got, "0-3" ) || broken( real_windows ), "got pages \"%s\"\n", got );
    }
    else skip( "no memory that ends\n" );

    VirtualFree( source, 0, MEM_RELEASE );
    free_watched( region );
}


/***********************************************************************
 *           test_calls
 *
 * Calls of the system that return something into watched memory. Each starts with a clean page and
 * must both work and be reported.
 */
static void test_calls(void)
{
    char *region = alloc_watched( REGION_SIZE ), buffer[64];
    MEMORY_BASIC_INFORMATION *info;
    LARGE_INTEGER *counter;
    SIZE_T length;
    ATOM atom;
    HANDLE event;
    DWORD old;
    UINT ret;

    touch( region, "0-15" );
    reset( region, REGION_SIZE );

    /* as programs that look for debuggers do it */
    atom = GlobalAddAtomA( "write watch test" );
    ok( atom, "GlobalAddAtom failed, error %u\n", (int)GetLastError() );
    ret = GlobalGetAtomNameA( atom, region + PAGE, 64 );
    ok( ret == 16 && !strcmp( region + PAGE, "write watch test" ), "wrong name\n" );
    check_written( RESET, region, REGION_SIZE, "1" );
    ret = GlobalGetAtomNameA( atom, region + 2 * PAGE - 4, 64 );
    ok( ret == 16 && !strcmp( region + 2 * PAGE - 4, "write watch test" ), "wrong name\n" );
    check_written( RESET, region, REGION_SIZE, "1-2" );
    ret = GlobalGetAtomNameA( atom, NULL, 0 );
    ok( !ret, "GlobalGetAtomName returned %u\n", ret );
    check_written( RESET, region, REGION_SIZE, "" );
    GlobalDeleteAtom( atom );

    counter = (LARGE_INTEGER *)(region + 3 * PAGE);
    counter->QuadPart = 0;
    reset( region, REGION_SIZE );
    ok( QueryPerformanceCounter( counter ) && counter->QuadPart,
        "QueryPerformanceCounter failed\n" );
    check_written( RESET, region, REGION_SIZE, "3" );
    GetSystemTimeAsFileTime( (FILETIME *)(region + 4 * PAGE) );
    check_written( RESET, region, REGION_SIZE, "4" );

    info = (MEMORY_BASIC_INFORMATION *)(region + 5 * PAGE);
    ok( VirtualQuery( region, info, sizeof(*info) ) == sizeof(*info), "VirtualQuery failed\n" );
    ok( info->AllocationBase == region, "wrong base\n" );
    check_written( RESET, region, REGION_SIZE, "5" );
    length = 0;
    ok( !pNtQueryVirtualMemory( GetCurrentProcess(), region, 0, region + 7 * PAGE - 8,
                                sizeof(*info),
                                (SIZE_T *)(region + 8 * PAGE) ), "NtQueryVirtualMemory failed\n" );
    memcpy( &length, region + 8 * PAGE, sizeof(length) );
    ok( length == sizeof(*info), "wrong length\n" );
    check_written( RESET, region, REGION_SIZE, "6-8" );

    old = 0xdeadbeef;
    memcpy( region + 9 * PAGE, &old, sizeof(old) );
    reset( region, REGION_SIZE );
    ok( VirtualProtect( region + 10 * PAGE, PAGE, PAGE_READONLY, (DWORD *)(region + 9 * PAGE) ),
        "VirtualProtect failed, error %u\n", (int)GetLastError() );
    ok( *(DWORD *)(region + 9 * PAGE) == PAGE_READWRITE, "wrong protection\n" );
    check_written( RESET, region, REGION_SIZE, "9" );
    protect( region + 10 * PAGE, PAGE, PAGE_READWRITE );

    event = CreateEventA( NULL, FALSE, FALSE, NULL );
    ok( DuplicateHandle( GetCurrentProcess(), event, GetCurrentProcess(),
                         (HANDLE *)(region + 11 * PAGE), 0,
                         FALSE, DUPLICATE_SAME_ACCESS ), "DuplicateHandle failed\n" );
    check_written( RESET, region, REGION_SIZE, "11" );
    ok( CloseHandle( *(HANDLE *)(region + 11 * PAGE) ), "CloseHandle failed\n" );
    CloseHandle( event );
    check_written( RESET, region, REGION_SIZE, "" );

    ret = GetModuleFileNameA( NULL, region + 12 * PAGE, 64 );
    ok( ret, "GetModuleFileName failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "12" );
    ret = GetEnvironmentVariableA( "write_watch_no_such_variable", region + 13 * PAGE, 64 );
    ok( !ret, "GetEnvironmentVariable returned %u\n", ret );
    SetEnvironmentVariableA( "write_watch_test", "value" );
    ret = GetEnvironmentVariableA( "write_watch_test", region + 13 * PAGE, 64 );
    ok( ret == 5 && !strcmp( region + 13 * PAGE, "value" ), "wrong value\n" );
    check_written( RESET, region, REGION_SIZE, "13" );

    /* a buffer that is asked for and not used */
    ret = GetEnvironmentVariableA( "write_watch_test", buffer, sizeof(buffer) );
    ok( ret == 5, "wrong length %u\n", ret );
    ok( !IsDebuggerPresent(), "a debugger is there\n" );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


START_TEST(calls)
{
    init_watch();
    test_read_memory();
    test_calls();
}
