/*
 * What the tests of the native memory manager share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_VIRTUAL_H
#define WRITEWATCH_UNIT_VIRTUAL_H

#include <string.h>

#include "../common/page.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGE ((SIZE_T)page_size())
#define PART (16 * PAGE)
#define LIMIT ((char *)address_limit())

static inline NTSTATUS allocate( void *addr, SIZE_T size, ULONG type, ULONG protect )
{
    return NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 0, &size, type, protect );
}

static inline NTSTATUS release( void *addr, SIZE_T size, ULONG type )
{
    return NtFreeVirtualMemory( NtCurrentProcess(), &addr, &size, type );
}

static inline NTSTATUS protect( void *addr, SIZE_T size, ULONG prot )
{
    ULONG old;

    return NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, prot, &old );
}

static inline MEMORY_BASIC_INFORMATION query( const void *addr )
{
    MEMORY_BASIC_INFORMATION info;

    memset( &info, 0xcc, sizeof(info) );
    check( VirtualQuery( addr, &info, sizeof(info) ) == sizeof(info) );
    check( info.BaseAddress == (void *)((uintptr_t)addr & ~(PAGE - 1)) );
    return info;
}

#define check_info( addr, alloc, size, state, prot ) \
    do \
    { \
        MEMORY_BASIC_INFORMATION info_ = query( addr ); \
        check( info_.AllocationBase == (void *)(alloc) ); \
        check( info_.RegionSize == (size) ); \
        check( info_.State == (state) ); \
        check( info_.Protect == (prot) ); \
    } while (0)

#endif /* WRITEWATCH_UNIT_VIRTUAL_H */
