/*
 * The native memory manager: what its calls answer to bad arguments
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "virtual.h"

static void test_statuses(void)
{
    char *base = VirtualAlloc( NULL, 2 * PART, MEM_RESERVE, PAGE_READWRITE ), *other;
    HANDLE no_process = (HANDLE)0x1234;
    SIZE_T size;
    ULONG old;
    void *addr;

    check( base && !((uintptr_t)base & 0xffff) );

    /* allocating */
    check( allocate( NULL, 0, MEM_RESERVE, PAGE_READWRITE ) == STATUS_INVALID_PARAMETER );
    check( allocate( NULL, PART, 0, PAGE_READWRITE ) == STATUS_INVALID_PARAMETER );
    check( allocate( NULL, PART, MEM_TOP_DOWN, PAGE_READWRITE ) == STATUS_INVALID_PARAMETER );
    check( allocate( NULL, PART, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE ) ==
           STATUS_INVALID_PARAMETER );
    check( allocate( NULL, PART, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS ) ==
           STATUS_INVALID_PARAMETER );
    check( allocate( NULL, PART, MEM_RESERVE, 0 ) == STATUS_INVALID_PAGE_PROTECTION );
    check( allocate( NULL, PART, MEM_RESERVE, PAGE_WRITECOPY ) == STATUS_INVALID_PAGE_PROTECTION );
    check( allocate( NULL, PART, MEM_RESERVE, PAGE_READWRITE | PAGE_READONLY ) ==
           STATUS_INVALID_PAGE_PROTECTION );
    check( allocate( NULL, (SIZE_T)LIMIT + 1, MEM_RESERVE, PAGE_READWRITE ) ==
           STATUS_WORKING_SET_LIMIT_RANGE );
    check( allocate( NULL, (SIZE_T)LIMIT - 0x10000, MEM_RESERVE, PAGE_READWRITE ) == STATUS_NO_MEMORY );
    check( allocate( (void *)0x1000, PART, MEM_RESERVE, PAGE_READWRITE ) ==
           STATUS_INVALID_PARAMETER );
    check( allocate( LIMIT, PART, MEM_RESERVE, PAGE_READWRITE ) == STATUS_INVALID_PARAMETER );
    check( allocate( (void *)~(uintptr_t)0, PART, MEM_RESERVE, PAGE_READWRITE ) ==
           STATUS_INVALID_PARAMETER );
    check( allocate( base, PART, MEM_RESERVE, PAGE_READWRITE ) == STATUS_CONFLICTING_ADDRESSES );
    check( allocate( &old, PART, MEM_RESERVE, PAGE_READWRITE ) == STATUS_CONFLICTING_ADDRESSES );
    check( allocate( base, 2 * PART + 1, MEM_COMMIT, PAGE_READWRITE ) == STATUS_NOT_MAPPED_VIEW );
    check( allocate( &old, PAGE, MEM_COMMIT, PAGE_READWRITE ) == STATUS_NOT_MAPPED_VIEW );
    check( allocate( &old, PAGE, MEM_RESET, PAGE_READWRITE ) == STATUS_NOT_MAPPED_VIEW );
    check( allocate( base, PAGE, MEM_COMMIT, PAGE_EXECUTE_WRITECOPY ) ==
           STATUS_INVALID_PAGE_PROTECTION );
    addr = NULL;
    size = PART;
    check( NtAllocateVirtualMemory( no_process, &addr, 0, &size, MEM_RESERVE, PAGE_NOACCESS ) ==
           STATUS_INVALID_HANDLE );
    check( NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 22, &size, MEM_RESERVE,
               PAGE_NOACCESS ) == STATUS_INVALID_PARAMETER_3 );
    check( NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 33, &size, MEM_RESERVE,
               PAGE_NOACCESS ) == STATUS_INVALID_PARAMETER_3 );
    check( NtAllocateVirtualMemory( NtCurrentProcess(), NULL, 0, &size, MEM_RESERVE,
               PAGE_NOACCESS ) == STATUS_ACCESS_VIOLATION );
    check( NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 0, (void *)8, MEM_RESERVE,
               PAGE_NOACCESS ) == STATUS_ACCESS_VIOLATION );
    check( !addr && size == PART );

    /* protecting */
    check( protect( base, PAGE, PAGE_READONLY ) == STATUS_NOT_COMMITTED );
    check( !allocate( base + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE ) );
    check( protect( base + PAGE, PAGE + 1, PAGE_READONLY ) == STATUS_NOT_COMMITTED );
    check( protect( base + PAGE, PAGE, 0 ) == STATUS_INVALID_PAGE_PROTECTION );
    check( protect( base + PAGE, 0, PAGE_READONLY ) == STATUS_INVALID_PARAMETER );
    check( protect( base + PART, 2 * PART, PAGE_READONLY ) == STATUS_INVALID_PARAMETER );
    check( protect( &old, 1, PAGE_READONLY ) == STATUS_INVALID_PARAMETER );
    addr = base + PAGE;
    size = 1;
    check( NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, PAGE_READONLY, NULL ) ==
           STATUS_ACCESS_VIOLATION );
    check( NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, PAGE_READONLY, (void *)8 ) ==
           STATUS_ACCESS_VIOLATION );
    check( NtProtectVirtualMemory( no_process, &addr, &size, PAGE_READONLY, &old ) ==
           STATUS_INVALID_HANDLE );
    addr = base + PAGE + 7;
    check( !NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, PAGE_READONLY, &old ) );
    check( addr == base + PAGE && size == PAGE && old == PAGE_READWRITE );

    /* freeing */
    check( release( NULL, 0, MEM_RELEASE ) == STATUS_INVALID_PARAMETER );
    check( release( &old, 0, MEM_RELEASE ) == STATUS_MEMORY_NOT_ALLOCATED );
    check( release( base + PAGE, 0, MEM_RELEASE ) == STATUS_FREE_VM_NOT_AT_BASE );
    check( release( base + PAGE, 2 * PART, MEM_DECOMMIT ) == STATUS_UNABLE_TO_FREE_VM );
    check( release( base, ~(SIZE_T)0, MEM_DECOMMIT ) == STATUS_UNABLE_TO_FREE_VM );
    /* sizes that wrap around to the page of the address */
    check( release( base + PAGE + 7, ~(SIZE_T)0, MEM_DECOMMIT ) == STATUS_UNABLE_TO_FREE_VM );
    check( protect( base + PAGE + 7, ~(SIZE_T)0, PAGE_READONLY ) == STATUS_INVALID_PARAMETER );
    check( !VirtualLock( base + PAGE + 7, ~(SIZE_T)0 ) );
    check( GetLastError() == ERROR_INVALID_PARAMETER );
    check( release( base, 0, 0 ) == STATUS_INVALID_PARAMETER );
    check( release( base, 0, MEM_RELEASE | MEM_DECOMMIT ) == STATUS_INVALID_PARAMETER );
    check( release( base, PART, MEM_COALESCE_PLACEHOLDERS ) == STATUS_INVALID_PARAMETER_4 );
    check( release( base, 0, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ) ==
           STATUS_INVALID_PARAMETER_3 );
    check( release( base, PART, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER ) ==
           STATUS_CONFLICTING_ADDRESSES );
    check( release( base, 2 * PART, MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS ) ==
           STATUS_CONFLICTING_ADDRESSES );

    /* a part of it (row 37), and the rest in two steps */
    check( !release( base + PART, PAGE, MEM_RELEASE ) );
    check( release( base + PART, 0, MEM_RELEASE ) == STATUS_MEMORY_NOT_ALLOCATED );
    check_info( base + 2 * PAGE, base, PART - 2 * PAGE, MEM_RESERVE, 0 );
    check( query( base + PART ).State == MEM_FREE );
    check_info( base + PART + PAGE, base + PART + PAGE, PART - PAGE, MEM_RESERVE, 0 );
    check( !release( base, 0, MEM_RELEASE ) );
    check( !release( base + PART + PAGE, 0, MEM_RELEASE ) );
    check( release( base, 0, MEM_RELEASE ) == STATUS_MEMORY_NOT_ALLOCATED );

    /* what the addresses and sizes become */
    addr = base + PAGE + 5;
    size = PAGE;
    check( !NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 0, &size, MEM_RESERVE,
               PAGE_NOACCESS ) );
    check( addr == base && size == 3 * PAGE );
    addr = base + PAGE + 5;
    size = PAGE;
    check( !NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 0, &size, MEM_COMMIT,
               PAGE_NOACCESS ) );
    check( addr == base + PAGE && size == 2 * PAGE );
    addr = base;
    size = 0;
    check( !NtFreeVirtualMemory( NtCurrentProcess(), &addr, &size, MEM_RELEASE ) );
    check( addr == base && size == 3 * PAGE );

    /* errors of Windows */
    SetLastError( 7 );
    other = VirtualAlloc( NULL, PAGE, MEM_COMMIT, PAGE_READWRITE );
    check( other && GetLastError() == 7 );
    check( !VirtualFree( other, PAGE, MEM_RELEASE ) && GetLastError() == ERROR_INVALID_PARAMETER );
    check( !VirtualAllocEx( no_process, NULL, PAGE, MEM_COMMIT, PAGE_READWRITE ) &&
           GetLastError() == ERROR_INVALID_HANDLE );
    check( VirtualFreeEx( GetCurrentProcess(), other, 0, MEM_RELEASE ) );
    check( !VirtualFree( other, 0, MEM_RELEASE ) && GetLastError() == ERROR_INVALID_ADDRESS );
}

int main(void)
{
    test_statuses();
    return unit_result();
}
