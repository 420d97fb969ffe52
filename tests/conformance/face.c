/*
 * Write watch tests: the Win32 functions in front of the native calls
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same tests are built twice: with the Win32 functions of the system, and with our own ones
 * from dlls/kernelbase linked into the program. A program of the second kind exports them and has
 * "kernelbase" in its name.
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)


/***********************************************************************
 *           module_of
 */
static HMODULE module_of( const void *func )
{
    HMODULE module = NULL;

    GetModuleHandleExA( GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                        GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                        func, &module );
    return module;
}


/***********************************************************************
 *           check_origin
 */
static void check_origin( const char *name, const void *func, HMODULE self, BOOL own )
{
    HMODULE module = module_of( func );

    winetest_push_context( "%s", name );
    ok( module != NULL, "no module has the function\n" );
    if (own)
    {
        ok( module == self, "calls go to module %p\n", module );
        ok( (void *)GetProcAddress( self, name ) == func, "not exported\n" );
    }
    else
    {
        ok( module != self, "calls go to the program itself\n" );
        ok( !GetProcAddress( self, name ), "the program exports it\n" );
    }
    winetest_pop_context();
}


/***********************************************************************
 *           test_origin
 *
 * The calls of the tests go to the functions that this program is meant to test.
 */
static void test_origin(void)
{
    HMODULE self = GetModuleHandleA( NULL );
    char path[MAX_PATH], *name, *p;
    BOOL own;

    GetModuleFileNameA( NULL, path, MAX_PATH );
    for (name = p = path; *p; p++) if (*p == '\\' || *p == '/') name = p + 1;
    own = strstr( name, "kernelbase" ) != NULL;
    trace( "testing the functions of the %s\n", own ? "program" : "system" );

    /* by statements, as an initializer would hold the address of an import thunk */
#define ORIGIN(name) check_origin( #name, (const void *)name, self, own )
    ORIGIN( GetWriteWatch );
    ORIGIN( ResetWriteWatch );
    ORIGIN( VirtualAlloc );
    ORIGIN( VirtualAllocEx );
    ORIGIN( VirtualFree );
    ORIGIN( VirtualFreeEx );
    ORIGIN( VirtualLock );
    ORIGIN( VirtualProtect );
    ORIGIN( VirtualProtectEx );
    ORIGIN( VirtualQuery );
    ORIGIN( VirtualQueryEx );
    ORIGIN( VirtualUnlock );
#undef ORIGIN
    if (pVirtualAlloc2) ok( (module_of( pVirtualAlloc2 ) == self) == own, "wrong VirtualAlloc2\n" );
}


/***********************************************************************
 *           test_errors
 *
 * Each failure of a native call becomes its last error, and success leaves the last error alone.
 */
static void test_errors(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *region = alloc_watched( REGION_SIZE ), *other;
    void *results[REGION_PAGES];
    ULONG_PTR count;
    ULONG page_size;
    DWORD old;

#define FAILS(call,err) do { SetLastError( 0xdeadbeef ); \
        ok( call, "the call succeeded\n" ); \
        ok( GetLastError() == (err), "wrong error %u\n", (int)GetLastError() ); } while (0)
#define WORKS(call) do { SetLastError( 0xdeadbeef ); \
        ok( call, "the call failed\n" ); \
        ok( GetLastError() == 0xdeadbeef || broken( real_windows ), "last error became %u\n", \
            (int)GetLastError() ); } while (0)

    count = REGION_PAGES;
    WORKS( GetWriteWatch( 0, region, REGION_SIZE, results, &count, &page_size ) == 0 );
    WORKS( ResetWriteWatch( region, REGION_SIZE ) == 0 );
    FAILS( GetWriteWatch( 8, region, REGION_SIZE, results, &count, &page_size ) == ~0u,
           ERROR_INVALID_PARAMETER );
    count = REGION_PAGES;
    FAILS( GetWriteWatch( 0, region, REGION_SIZE, NULL, &count, &page_size ) == ~0u,
           ERROR_NOACCESS );
    FAILS( GetWriteWatch( 0, region, REGION_SIZE, results, NULL, &page_size ) == ~0u,
           ERROR_NOACCESS );
    FAILS( GetWriteWatch( 0, NULL, REGION_SIZE, results, &count, &page_size ) == ~0u,
           ERROR_INVALID_PARAMETER );
    FAILS( ResetWriteWatch( region, 0 ) == ~0u, ERROR_INVALID_PARAMETER );
    FAILS( ResetWriteWatch( NULL, PAGE ) == ~0u, ERROR_INVALID_PARAMETER );

    WORKS( (other = VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                  PAGE_READWRITE )) != NULL );
    WORKS( VirtualQuery( other, &info, sizeof(info) ) == sizeof(info) );
    ok( info.AllocationBase == other && info.RegionSize == PAGE, "wrong information\n" );
    WORKS( VirtualProtect( other, PAGE, PAGE_READONLY, &old ) );
    ok( old == PAGE_READWRITE, "wrong protection %#x\n", (int)old );
    WORKS( VirtualProtectEx( GetCurrentProcess(), other, PAGE, PAGE_READWRITE, &old ) );
    ok( old == PAGE_READONLY, "wrong protection %#x\n", (int)old );
    WORKS( VirtualQueryEx( GetCurrentProcess(), other, &info, sizeof(info) ) == sizeof(info) );
    ok( info.Protect == PAGE_READWRITE, "wrong protection %#x\n", (int)info.Protect );
    WORKS( VirtualFree( other, PAGE, MEM_DECOMMIT ) );
    WORKS( VirtualFreeEx( GetCurrentProcess(), other, 0, MEM_RELEASE ) );
    WORKS( (other = VirtualAllocEx( GetCurrentProcess(), NULL, PAGE,
                                    MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                    PAGE_READWRITE )) != NULL );
    touch( other, "0" );
    check_written( RESET, other, PAGE, "0" );

    FAILS( !VirtualAlloc( NULL, 0, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE ),
           ERROR_INVALID_PARAMETER );
    FAILS( !VirtualAlloc( NULL, PAGE, MEM_WRITE_WATCH, PAGE_READWRITE ), ERROR_INVALID_PARAMETER );
    FAILS( !VirtualAlloc( region, PAGE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE ),
           ERROR_INVALID_ADDRESS );
    FAILS( !VirtualAlloc( (void *)(ULONG_PTR)PAGE, PAGE, MEM_RESERVE | MEM_WRITE_WATCH,
                          PAGE_READWRITE ),
           ERROR_INVALID_PARAMETER );
    FAILS( !VirtualAllocEx( (HANDLE)(ULONG_PTR)0xdeadbee0, NULL, PAGE, MEM_RESERVE |
                            MEM_WRITE_WATCH,
                            PAGE_READWRITE ), ERROR_INVALID_HANDLE );
    FAILS( !VirtualFree( region, REGION_SIZE, MEM_RELEASE ), ERROR_INVALID_PARAMETER );
    FAILS( !VirtualFree( region + PAGE, 0, MEM_RELEASE ), ERROR_INVALID_ADDRESS );
    FAILS( !VirtualFree( region, 0, MEM_RELEASE | MEM_DECOMMIT ), ERROR_INVALID_PARAMETER );
    FAILS( !VirtualFreeEx( (HANDLE)(ULONG_PTR)0xdeadbee0, region, 0, MEM_RELEASE ),
           ERROR_INVALID_HANDLE );
    FAILS( !VirtualProtect( region, PAGE, 0xdead, &old ), ERROR_INVALID_PARAMETER );
    FAILS( !VirtualProtect( region, PAGE, PAGE_READONLY, NULL ), ERROR_NOACCESS );
    FAILS( !VirtualProtectEx( (HANDLE)(ULONG_PTR)0xdeadbee0, region, PAGE, PAGE_READONLY, &old ),
           ERROR_INVALID_HANDLE );
    FAILS( !VirtualQuery( region, &info, 4 ), ERROR_BAD_LENGTH );
    FAILS( !VirtualQueryEx( (HANDLE)(ULONG_PTR)0xdeadbee0, region, &info, sizeof(info) ),
           ERROR_INVALID_HANDLE );
    if (VirtualLock( region, PAGE ))
    {
        WORKS( VirtualUnlock( region, PAGE ) );
        WORKS( VirtualLock( region, 2 * PAGE ) );
        WORKS( VirtualUnlock( region, 2 * PAGE ) );
    }
    else skip( "VirtualLock failed, error %u\n", (int)GetLastError() );
#undef FAILS
#undef WORKS

    check_written( 0, region, REGION_SIZE, "" );
    touch( region, "3" );
    check_written( RESET, region, REGION_SIZE, "3" );
    free_watched( other );
    free_watched( region );
}


/***********************************************************************
 *           test_width
 *
 * Sizes and counts are as wide as pointers.
 */
static void test_width(void)
{
    char *region = alloc_watched( REGION_SIZE );
    void *results[REGION_PAGES];
    SIZE_T wide = (SIZE_T)1 << (4 * sizeof(void *));
    ULONG_PTR count;
    ULONG page_size[2] = { 0, 0xdeadbeef };
    UINT ret;

    touch( region, "1,3" );
    SetLastError( 0xdeadbeef );
    count = REGION_PAGES;
    ret = GetWriteWatch( 0, region, wide + PAGE, results, &count, page_size );
    ok( ret == ~0u && GetLastError() == ERROR_INVALID_PARAMETER, "got %#x, error %u\n", ret,
        (int)GetLastError() );
    ret = ResetWriteWatch( region, wide + 2 * PAGE );
    ok( ret == ~0u && GetLastError() == ERROR_INVALID_PARAMETER, "got %#x, error %u\n", ret,
        (int)GetLastError() );
    count = wide;  /* 0 in the lower half; the array may count as too short for that */
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( 0, region, REGION_SIZE, results, &count, page_size );
    ok( !ret || GetLastError() == ERROR_NOACCESS, "wrong error %u\n", (int)GetLastError() );
    ok( count == (ret ? wide : 2), "wrong count %d\n", (int)count );
    count = REGION_PAGES;
    ret = GetWriteWatch( 0, region, REGION_SIZE, results, &count, page_size );
    ok( !ret && count == 2, "GetWriteWatch failed, error %u\n", (int)GetLastError() );
    ok( page_size[1] == 0xdeadbeef, "the granularity is stored with 64 bits\n" );
    check_written( RESET, region, REGION_SIZE, "1,3" );
    free_watched( region );
}


START_TEST(face)
{
    init_watch();
    test_origin();
    test_errors();
    test_width();
}
