/*
 * Write watch tests: VirtualAlloc2, placeholders, and the release of a part of a region
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define PART (16 * PAGE)


/***********************************************************************
 *           check_unwatched
 */
#define check_unwatched( base, size ) check_unwatched_( __LINE__, base, size )
static void check_unwatched_( int line, void *base, SIZE_T size )
{
    const char *got = written( 0, base, size, 256 );

    ok_( __FILE__, line )( !strcmp( got, "error 87" ) || !strcmp( got, "status c000000d" ),
                           "got \"%s\"\n", got );
}


/***********************************************************************
 *           test_alloc2
 *
 * VirtualAlloc2 without placeholders does what VirtualAlloc does.
 */
static void test_alloc2(void)
{
    MEM_ADDRESS_REQUIREMENTS req;
    MEM_EXTENDED_PARAMETER param;
    NTSTATUS status;
    char *region, *ret;
    void *base;
    SIZE_T size;

    region = pVirtualAlloc2( NULL, NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE,
                             NULL, 0 );
    ok( region != NULL, "VirtualAlloc2 failed, error %u\n", (int)GetLastError() );
    touch( region, "1,15" );
    check_written( RESET, region, PART, "1,15" );
    check_written( RESET, region, PART, "" );
    free_watched( region );

    /* as emulators do it */
    region = pVirtualAlloc2( GetCurrentProcess(), NULL, PART, MEM_RESERVE | MEM_WRITE_WATCH,
                             PAGE_NOACCESS,
                             NULL, 0 );
    ok( region != NULL, "VirtualAlloc2 failed, error %u\n", (int)GetLastError() );
    check_written( 0, region, PART, "" );
    ret = pVirtualAlloc2( NULL, region + PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE, NULL, 0 );
    ok( ret == region + PAGE, "VirtualAlloc2 returned %p, error %u\n", ret, (int)GetLastError() );
    touch( region, "1,4" );
    check_written( 0, region, PART, "1,4" );
    ok( VirtualFree( region, 0, MEM_DECOMMIT ), "VirtualFree failed\n" );
    check_written( RESET, region, PART, "1,4" );
    free_watched( region );

    memset( &req, 0, sizeof(req) );
    memset( &param, 0, sizeof(param) );
    req.Alignment = 0x200000;
    param.Type = MemExtendedParameterAddressRequirements;
    param.Pointer = &req;
    region = pVirtualAlloc2( NULL, NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE,
                             &param, 1 );
    ok( region != NULL, "VirtualAlloc2 failed, error %u\n", (int)GetLastError() );
    if (region)
    {
        ok( !((ULONG_PTR)region & 0x1fffff), "got %p\n", region );
        touch( region, "3" );
        check_written( RESET, region, PART, "3" );
        free_watched( region );
    }
    SetLastError( 0xdeadbeef );
    req.Alignment = 3;
    region = pVirtualAlloc2( NULL, NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE,
                             &param, 1 );
    ok( !region && GetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %u\n", region,
        (int)GetLastError() );
    SetLastError( 0xdeadbeef );
    region = pVirtualAlloc2( NULL, NULL, PART, MEM_WRITE_WATCH, PAGE_READWRITE, NULL, 0 );
    /* since 10.0 at the latest wow64.dll adds MEM_RESERVE where no address is given */
    todo_if( wine_wow64 && wine_major > 8 )
    {
        ok( !region && GetLastError() == ERROR_INVALID_PARAMETER, "got %p, error %u\n", region,
            (int)GetLastError() );
    }

    if (!pNtAllocateVirtualMemoryEx) return;
    base = NULL;
    size = PART - 1;
    status = pNtAllocateVirtualMemoryEx( GetCurrentProcess(), &base, &size,
                                         MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE,
                                         NULL, 0 );
    ok( !status && size == PART, "NtAllocateVirtualMemoryEx returned %08x\n", (int)status );
    touch( base, "5" );
    check_written( RESET, base, PART, "5" );
    free_watched( base );
}


/***********************************************************************
 *           replace
 *
 * Put memory in the place of a placeholder.
 */
static char *replace( char *base, SIZE_T size, DWORD type, DWORD prot )
{
    char *ret = pVirtualAlloc2( NULL, base, size, MEM_RESERVE | MEM_REPLACE_PLACEHOLDER | type,
                                prot, NULL, 0 );

    ok( ret == base, "VirtualAlloc2 returned %p, error %u\n", ret, (int)GetLastError() );
    return ret;
}


/***********************************************************************
 *           test_placeholders
 *
 * Row 28.
 */
static void test_placeholders(void)
{
    char *base, *hole;

    base = pVirtualAlloc2( NULL, NULL, 4 * PART, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
                           PAGE_NOACCESS, NULL, 0 );
    if (!base)
    {
        skip( "there are no placeholders, error %u\n", (int)GetLastError() );
        return;
    }
    check_unwatched( base, PART );
    ok( VirtualFree( base, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ),
        "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    ok( VirtualFree( base + PART, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ),
        "VirtualFree failed, error %u\n", (int)GetLastError() );

    replace( base, PART, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check_written( 0, base, PART, "" );
    touch( base, "0,3,15" );
    check_written( 0, base, PART, "0,3,15" );
    check_unwatched( base, 2 * PART );
    check_unwatched( base + PART, PART );
    reset( base, 2 * PAGE );
    check_written( 0, base, PART, "3,15" );

    /* a second region beside the first one, reserved at first */
    replace( base + PART, PART, MEM_WRITE_WATCH, PAGE_NOACCESS );
    check_written( 0, base + PART, PART, "" );
    ok( VirtualAlloc( base + PART, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE ) != NULL,
        "VirtualAlloc failed\n" );
    touch( base + PART, "0-1" );
    check_written( 0, base + PART, PART, "0-1" );
    check_unwatched( base, 2 * PART );
    check_written( 0, base, PART, "3,15" );

    /* memory without watches in the rest */
    replace( base + 2 * PART, 2 * PART, MEM_COMMIT, PAGE_READWRITE );
    touch( base + 2 * PART, "0-15" );
    check_unwatched( base + 2 * PART, PART );

    /* decommit, and back to a placeholder: unwatched, and clean when it is replaced again */
    ok( VirtualFree( base + 2 * PAGE, 3 * PAGE, MEM_DECOMMIT ), "VirtualFree failed\n" );
    check_written( 0, base, PART, "3,15" );
    ok( VirtualFree( base, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ),
        "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    check_unwatched( base, PART );
    check_written( 0, base + PART, PART, "0-1" );
    replace( base, PART, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check_written( 0, base, PART, "" );
    ok( !base[3 * PAGE], "memory is not zero\n" );
    touch( base, "2" );
    check_written( RESET, base, PART, "2" );

    /* replaced without the flag it is unwatched */
    ok( VirtualFree( base, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ), "VirtualFree failed\n" );
    replace( base, PART, MEM_COMMIT, PAGE_READWRITE );
    touch( base, "2" );
    check_unwatched( base, PART );

    /* two placeholders made one */
    ok( VirtualFree( base, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ), "VirtualFree failed\n" );
    ok( VirtualFree( base + PART, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ),
        "VirtualFree failed\n" );
    ok( VirtualFree( base, 2 * PART, MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS ),
        "VirtualFree failed, error %u\n",
        (int)GetLastError() );
    check_unwatched( base, PART );
    replace( base, 2 * PART, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    touch( base, "15-16" );
    check_written( 0, base, 2 * PART, "15-16" );

    /* a placeholder out of the middle of a region */
    ok( VirtualFree( base + 4 * PAGE, 4 * PAGE, MEM_DECOMMIT ), "VirtualFree failed\n" );
    hole = base + 8 * PAGE;
    if (VirtualFree( hole, 4 * PAGE, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ))
    {
        check_unwatched( base, 2 * PART );
        check_unwatched( hole, PAGE );
        touch( base, "1,12" );
        check_written( RESET, base, 8 * PAGE, "1" );
        check_written( RESET, hole + 4 * PAGE, 2 * PART - 12 * PAGE, "0,3-4" );
        replace( hole, 4 * PAGE, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
        check_written( 0, hole, 4 * PAGE, "" );
        touch( hole, "3" );
        check_written( 0, hole, 4 * PAGE, "3" );
        free_watched( hole );
        free_watched( hole + 4 * PAGE );
    }
    else skip( "no placeholder in the middle of a region, error %u\n", (int)GetLastError() );
    free_watched( base );
    VirtualFree( base + 2 * PART, 0, MEM_RELEASE );
}


/***********************************************************************
 *           release_part
 */
static NTSTATUS release_part( void *base, SIZE_T size )
{
    return pNtFreeVirtualMemory( GetCurrentProcess(), &base, &size, MEM_RELEASE );
}


/***********************************************************************
 *           test_partial_release
 *
 * Row 37: what remains of a region is watched as before.
 */
static void test_partial_release(void)
{
    NTSTATUS status;
    char *region, *ret;

    region = alloc_watched( 3 * PART );
    touch( region, "0,15-16,31-32,47" );
    ok( VirtualFree( region + 15 * PAGE, 2 * PAGE, MEM_DECOMMIT ), "VirtualFree failed\n" );
    ok( VirtualFree( region + 31 * PAGE, 2 * PAGE, MEM_DECOMMIT ), "VirtualFree failed\n" );

    status = release_part( region + PART, PART );
    if (status)
    {
        ok( status == STATUS_INVALID_PARAMETER || status == STATUS_UNABLE_TO_FREE_VM,
            "NtFreeVirtualMemory returned %08x\n", (int)status );
        skip( "a part of a region cannot be released\n" );
        check_written( RESET, region, 3 * PART, "0,15-16,31-32,47" );
        free_watched( region );
        return;
    }
    check_written( 0, region, PART, "0,15" );
    check_written( 0, region + 2 * PART, PART, "0,15" );
    check_unwatched( region + PART, PART );
    check_unwatched( region, 3 * PART );
    check_unwatched( region, PART + 1 );
    check_unwatched( region + 2 * PART - PAGE, 2 * PAGE );

    /* both parts go on */
    touch( region, "3,40" );
    check_written( RESET, region, PART, "0,3,15" );
    check_written( 0, region + 2 * PART, PART, "0,8,15" );
    check_written_max( RESET, region + 2 * PART, PART, 1, "0" );
    ok( VirtualFree( region + 2 * PART, PART, MEM_DECOMMIT ), "VirtualFree failed\n" );
    check_written( 0, region + 2 * PART, PART, "8,15" );
    ok( VirtualAlloc( region, PART, MEM_COMMIT, PAGE_READWRITE ) != NULL, "VirtualAlloc failed\n" );
    touch( region, "15" );
    check_written( RESET, region, PART, "15" );

    /* a new region in the gap */
    ret = VirtualAlloc( region + PART, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                        PAGE_READWRITE );
    ok( ret == region + PART, "VirtualAlloc returned %p, error %u\n", ret, (int)GetLastError() );
    check_written( 0, ret, PART, "" );
    touch( ret, "0,15" );
    check_written( 0, ret, PART, "0,15" );
    check_unwatched( region, 2 * PART );
    check_unwatched( region, 3 * PART );
    free_watched( ret );
    check_written( 0, region + 2 * PART, PART, "8,15" );
    check_written( 0, region, PART, "" );

    /* the first and the last pages of what is left */
    touch( region, "0,5,7,14" );
    ok( !release_part( region, 2 * PAGE ), "NtFreeVirtualMemory failed\n" );
    ok( !release_part( region + 12 * PAGE, 4 * PAGE ), "NtFreeVirtualMemory failed\n" );
    check_unwatched( region, PART );
    check_unwatched( region + 12 * PAGE, PAGE );
    check_written( RESET, region + 2 * PAGE, 10 * PAGE, "3,5" );
    touch( region, "2,11" );
    check_written( RESET, region + 2 * PAGE, 10 * PAGE, "0,9" );

    ok( release_part( region + 2 * PAGE, 11 * PAGE ),
        "NtFreeVirtualMemory succeeded past the end\n" );
    touch( region, "4" );
    check_written( RESET, region + 2 * PAGE, 10 * PAGE, "2" );
    ok( !release_part( region + 2 * PAGE, 0 ), "NtFreeVirtualMemory failed\n" );
    check_unwatched( region + 2 * PAGE, 10 * PAGE );
    ok( !release_part( region + 2 * PART, PART ), "NtFreeVirtualMemory failed\n" );
    check_unwatched( region + 2 * PART, PART );
}


START_TEST(placeholder)
{
    init_watch();
    if (pVirtualAlloc2)
    {
        test_alloc2();
        test_placeholders();
    }
    else win_skip( "VirtualAlloc2 is missing\n" );
    test_partial_release();
}
