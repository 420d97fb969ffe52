/*
 * The benchmark over the calls of Windows: those of Wine, or natively those of libwritewatch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifdef _WIN32
#include <windows.h>
#else
#include "writewatch.h"
#endif

#include "bench.h"
#include "target.h"

void target_open(void)
{
}

static void *alloc( size_t size, DWORD type )
{
    void *base = VirtualAlloc( NULL, size, type, PAGE_READWRITE );

    if (!base) fail( "VirtualAlloc" );
    return base;
}

void *alloc_watched( size_t size )
{
    return alloc( size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH );
}

void *reserve_watched( size_t size )
{
    return alloc( size, MEM_RESERVE | MEM_WRITE_WATCH );
}

void *alloc_plain( size_t size )
{
    return alloc( size, MEM_RESERVE | MEM_COMMIT );
}

void commit_pages( void *base, size_t size )
{
    if (!VirtualAlloc( base, size, MEM_COMMIT, PAGE_READWRITE )) fail( "VirtualAlloc" );
}

void decommit_pages( void *base, size_t size )
{
    if (!VirtualFree( base, size, MEM_DECOMMIT )) fail( "VirtualFree" );
}

void free_memory( void *base, size_t size )
{
    (void)size;
    if (!VirtualFree( base, 0, MEM_RELEASE )) fail( "VirtualFree" );
}

size_t poll_pages( void *base, size_t size, int reset, enum contents contents,
                   void **addresses, size_t max )
{
    ULONG_PTR count = max;
    DWORD granularity;

    (void)contents;
    if (GetWriteWatch( reset ? WRITE_WATCH_FLAG_RESET : 0, base, size, addresses, &count,
                       &granularity )) fail( "GetWriteWatch" );
    return count;
}

void reset_pages( void *base, size_t size, enum contents contents )
{
    (void)contents;
    if (ResetWriteWatch( base, size )) fail( "ResetWriteWatch" );
}

/***********************************************************************
 *           empty_call
 *
 * On x86 there is nothing to flush: Wine enters its side of the system, and comes back.
 */
int empty_call(void)
{
#ifdef _WIN32
    if (!FlushInstructionCache( GetCurrentProcess(), NULL, 0 )) fail( "FlushInstructionCache" );
    return 1;
#else
    return 0;
#endif
}
