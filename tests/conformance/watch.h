/*
 * Helpers shared by the write watch tests
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row numbers in the tests are those of docs/windows-rules.md.
 * Formats of messages use plain int and pointers only, so that the tests mean the same wherever
 * long has 32 or 64 bits.
 */

#ifndef WRITEWATCH_TESTS_WATCH_H
#define WRITEWATCH_TESTS_WATCH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/nt.h"
#include "../common/page.h"
#include "../common/wow64.h"
#include "wine/test.h"

#define MAYBE_UNUSED __attribute__((unused))
#define PAGE page_bytes()  /* the granularity of write watches, row 35 */

static NTSTATUS (WINAPI *pNtGetWriteWatch)( HANDLE, ULONG, void *, SIZE_T, void **, ULONG_PTR *,
                                            ULONG * );
static NTSTATUS (WINAPI *pNtResetWriteWatch)( HANDLE, void *, SIZE_T );
static NTSTATUS (WINAPI *pNtAllocateVirtualMemory)( HANDLE, void **, ULONG_PTR, SIZE_T *, ULONG,
                                                    ULONG );
static NTSTATUS (WINAPI *pNtFreeVirtualMemory)( HANDLE, void **, SIZE_T *, ULONG );
static NTSTATUS (WINAPI *pNtWriteVirtualMemory)( HANDLE, void *, const void *, SIZE_T, SIZE_T * );
static NTSTATUS (WINAPI *pNtQueryVirtualMemory)( HANDLE, const void *, int, void *, SIZE_T,
                                                 SIZE_T * );
static NTSTATUS (WINAPI *pNtAllocateVirtualMemoryEx)( HANDLE, void **, SIZE_T *, ULONG, ULONG,
                                                     void *, ULONG );
static void * (WINAPI *pVirtualAlloc2)( HANDLE, void *, SIZE_T, ULONG, ULONG, void *, ULONG );

/* Milliseconds after which something counts as hanging: no machine is that slow. */
#define HANG_TIME 600000

/* TRUE on Windows itself. WINETEST_PLATFORM cannot tell: a Wine whose write watches are expected to
 * be right is tested with "windows". broken( real_windows && ... ) accepts what only Windows may
 * do. */
static BOOL real_windows;
static int wine_major;  /* 8 for Wine 8.0, 0 on Windows */

/* What goes wrong in Wine's wow64.dll does so with any write watches: todo_if( wine_wow64 ). */
static BOOL wine_wow64;


/***********************************************************************
 *           init_watch
 *
 * To be called first by each test.
 */
static void init_watch(void)
{
    HMODULE ntdll = GetModuleHandleA( "ntdll.dll" );
    const char * (CDECL *version)(void) = (void *)GetProcAddress( ntdll, "wine_get_version" );

    real_windows = !version;
    wine_major = version ? atoi( version() ) : 0;
    wine_wow64 = is_wine_wow64();

#define LOAD(name) p##name = (void *)GetProcAddress( ntdll, #name )
    LOAD( NtGetWriteWatch );
    LOAD( NtResetWriteWatch );
    LOAD( NtAllocateVirtualMemory );
    LOAD( NtFreeVirtualMemory );
    LOAD( NtWriteVirtualMemory );
    LOAD( NtQueryVirtualMemory );
    LOAD( NtAllocateVirtualMemoryEx );
#undef LOAD
    /* a test program that brings its own Win32 face exports it */
    pVirtualAlloc2 = (void *)GetProcAddress( GetModuleHandleA( NULL ), "VirtualAlloc2" );
    if (!pVirtualAlloc2)
        pVirtualAlloc2 = (void *)GetProcAddress( GetModuleHandleA( "kernelbase.dll" ),
                                                 "VirtualAlloc2" );
}


/***********************************************************************
 *           alloc_watched
 */
static inline char *alloc_watched( SIZE_T size )
{
    char *ret = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READWRITE );

    ok( ret != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    if (!ret) exit( 1 );
    return ret;
}


/***********************************************************************
 *           free_watched
 */
static inline void free_watched( void *base )
{
    BOOL ret = VirtualFree( base, 0, MEM_RELEASE );

    ok( ret, "VirtualFree failed, error %u\n", (int)GetLastError() );
}


/***********************************************************************
 *           protect
 */
static inline DWORD protect( void *base, SIZE_T size, DWORD prot )
{
    DWORD old = 0;
    BOOL ret = VirtualProtect( base, size, prot, &old );

    ok( ret, "VirtualProtect to %#x failed, error %u\n", (int)prot, (int)GetLastError() );
    return old;
}


/***********************************************************************
 *           touch
 *
 * Write one byte to each page of a list such as "0-3,7". The page numbers count from base.
 */
static inline void touch( void *base, const char *list )
{
    static unsigned char value;
    char *end;

    while (*list)
    {
        unsigned int first = strtoul( list, &end, 10 ), last = first;

        if (*end == '-') last = strtoul( end + 1, &end, 10 );
        for (; first <= last; first++, value++)
            ((volatile char *)base)[(SIZE_T)first * PAGE + (value & 63) * 64] = value | 1;
        list = *end ? end + 1 : end;
    }
}


/***********************************************************************
 *           format_pages
 *
 * Make a list such as "0-3,7" of page addresses in the order in which they stand.
 */
static inline void format_pages( char *buffer, SIZE_T size, void *base, void **pages,
                                 ULONG_PTR count )
{
    ULONG_PTR i, run;
    SIZE_T pos = 0;

    buffer[0] = 0;
    for (i = 0; i < count && pos + 64 < size; i += run)
    {
        ULONG_PTR first = ((char *)pages[i] - (char *)base) / PAGE;

        for (run = 1; i + run < count; run++)
            if ((char *)pages[i + run] != (char *)pages[i] + run * PAGE) break;
        if (((ULONG_PTR)pages[i] - (ULONG_PTR)base) % PAGE)
            pos += sprintf( buffer + pos, "%s%p", i ? "," : "", pages[i] );
        else if (run == 1)
            pos += sprintf( buffer + pos, "%s%d", i ? "," : "", (int)first );
        else
            pos += sprintf( buffer + pos, "%s%d-%d", i ? "," : "", (int)first,
                            (int)(first + run - 1) );
    }
}


/***********************************************************************
 *           written
 *
 * What a poll with an array of max entries (at most 8192) reports, as a list of pages counted from
 * base rounded down; anything amiss in the answer shows as text in the list. Calls of the Win32 and
 * of the Nt function alternate. The string lives until the next call but three.
 */
static inline const char *written( DWORD flags, void *base, SIZE_T size, ULONG_PTR max )
{
    static char buffers[4][16384];
    static void *results[8192 + 1];
    static unsigned int calls;
    char *buffer = buffers[calls % 4];
    void *start = (void *)((ULONG_PTR)base & ~(ULONG_PTR)(PAGE - 1));
    void *sentinel = (void *)(ULONG_PTR)0xdeadbeef;
    ULONG_PTR i, count = max;
    ULONG granularity = 0xdeadbeef;
    char *p;

    for (i = 0; i <= max; i++) results[i] = sentinel;

    if (calls++ & 1)
    {
        NTSTATUS status = pNtGetWriteWatch( GetCurrentProcess(), flags, base, size, results, &count,
                                            &granularity );
        if (status)
        {
            sprintf( buffer, "status %08x", (int)status );
            return buffer;
        }
    }
    else
    {
        SetLastError( 0xdeadbeef );
        if (GetWriteWatch( flags, base, size, results, &count, &granularity ))
        {
            sprintf( buffer, "error %u", (int)GetLastError() );
            return buffer;
        }
    }
    if (count > max)
    {
        sprintf( buffer, "count %d", (int)count );
        return buffer;
    }
    format_pages( buffer, sizeof(buffers[0]), start, results, count );
    p = buffer + strlen( buffer );
    for (i = 1; i < count; i++) if (results[i] <= results[i - 1]) break;
    if (i < count) p += sprintf( p, "; not ascending" );
    if (results[max] != sentinel) p += sprintf( p, "; wrote past the array" );
    if (granularity != PAGE) p += sprintf( p, "; granularity %d", (int)granularity );
    return buffer;
}


/***********************************************************************
 *           check_written
 *
 * One check, so that todo_wine can stand before it: a poll with room for everything (check_written)
 * or for max pages (check_written_max) reports exactly these pages.
 */
#define check_written( flags, base, size, expect ) \
    check_written_( __FILE__, __LINE__, flags, base, size, 8192, expect )
#define check_written_max( flags, base, size, max, expect ) \
    check_written_( __FILE__, __LINE__, flags, base, size, max, expect )

static inline void check_written_( const char *file, int line, DWORD flags, void *base, SIZE_T size,
                                   ULONG_PTR max, const char *expect )
{
    const char *got = written( flags, base, size, max );

    ok_( file, line )( !strcmp( got, expect ), "got pages \"%s\", expected \"%s\"\n", got, expect );
}


/***********************************************************************
 *           reset
 *
 * Reset a range which is expected to be all watched. The Win32 and the Nt function alternate.
 */
static inline void reset( void *base, SIZE_T size )
{
    static unsigned int calls;

    if (calls++ & 1)
    {
        NTSTATUS status = pNtResetWriteWatch( GetCurrentProcess(), base, size );
        ok( !status, "NtResetWriteWatch failed, status %08x\n", (int)status );
    }
    else
    {
        UINT ret = ResetWriteWatch( base, size );
        ok( !ret, "ResetWriteWatch returned %#x, error %u\n", ret, (int)GetLastError() );
    }
}


/***********************************************************************
 *           error_of_status
 *
 * The last error that the Win32 functions set for a status.
 */
static inline DWORD error_of_status( NTSTATUS status )
{
    switch (status)
    {
    case STATUS_INVALID_PARAMETER: return ERROR_INVALID_PARAMETER;
    case STATUS_ACCESS_VIOLATION:  return ERROR_NOACCESS;
    default:                       return 0;
    }
}

#endif  /* WRITEWATCH_TESTS_WATCH_H */
