/*
 * The native memory manager: protections, locking and queries
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/watch.h"
#include "native/process.h"
#include "native/virtual_internal.h"
#include "sys/address_space.h"
#include "sys/pagemap.h"

/***********************************************************************
 *             NtProtectVirtualMemory
 *
 * All pages must be committed and in one view. Returns the old protection of the first one.
 */
NTSTATUS NTAPI NtProtectVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG protect,
                                       ULONG *old_protect )
{
    uintptr_t addr_value, size_value;
    uintptr_t start, end;
    sigset_t sigset;
    unsigned char state, old = 0;
    NTSTATUS status;

    process_init();
    if (!old_protect) return STATUS_ACCESS_VIOLATION;
    if ((status = user_probe_write( old_protect, 2, 3 ))) return status;
    status = get_range_arguments( process, addr, size, &addr_value, &size_value );
    if (status) return status;
    start = round_down( addr_value );
    end = round_up( addr_value + size_value );
    if (end < addr_value || addr_value + size_value < addr_value) return STATUS_INVALID_PARAMETER;

    virtual_lock( &sigset );
    if (start == end || !view_find( start, end )) status = STATUS_INVALID_PARAMETER;
    else if (!((old = page_state( start )) & PAGE_STATE_COMMITTED) ||
             page_state_end( start, end, PAGE_STATE_COMMITTED ) < end)
        status = STATUS_NOT_COMMITTED;
    else if (!(status = state_from_protection( protect, &state )))
        status = set_pages( start, end, state | PAGE_STATE_COMMITTED );
    virtual_unlock( &sigset );

    if (status) return status;
    if ((status = user_store32( old_protect, protection_from_state( old )))) return status;
    return put_range_arguments( addr, size, start, end );
}

/***********************************************************************
 *           is_accessible
 *
 * Whether the pages of a range in a view are committed and can be read. The lock is held.
 */
static int is_accessible( uintptr_t start, uintptr_t end )
{
    for (; start < end; start = page_state_end( start, end, 0xff ))
        if (!unix_protection( page_state( start ))) return 0;
    return 1;
}

/***********************************************************************
 *           lock_memory
 *
 * Row 23: locking does not mark pages as written. Whether memory that is not ours can be locked is
 * for the kernel to say.
 */
static NTSTATUS lock_memory( HANDLE process, void **addr, SIZE_T *size, int lock )
{
    uintptr_t addr_value, size_value;
    uintptr_t start, end;
    struct view *view;
    sigset_t sigset;
    NTSTATUS status;
    int ret;

    process_init();
    status = get_range_arguments( process, addr, size, &addr_value, &size_value );
    if (status) return status;
    start = round_down( addr_value );
    end = round_up( addr_value + size_value );
    if (end <= start || addr_value + size_value < addr_value) return STATUS_INVALID_PARAMETER;

    virtual_lock( &sigset );
    view = view_find( start, end );
    if (!lock) ret = munlock( (void *)start, end - start );
    else if (view && !is_accessible( start, end )) ret = -EACCES;
    else ret = watch_mlock( (void *)start, end - start );
    virtual_unlock( &sigset );

    return ret ? STATUS_ACCESS_DENIED : put_range_arguments( addr, size, start, end );
}

NTSTATUS NTAPI NtLockVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG type )
{
    (void)type;
    return lock_memory( process, addr, size, 1 );
}

NTSTATUS NTAPI NtUnlockVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG type )
{
    (void)type;
    return lock_memory( process, addr, size, 0 );
}

/***********************************************************************
 *           describe_view
 *
 * Row 36: that a view is watched does not show. The lock is held.
 */
static void describe_view( const struct view *view, MEMORY_BASIC_INFORMATION *info )
{
    uintptr_t start = (uintptr_t)info->BaseAddress;
    unsigned char state = page_state( start );

    info->AllocationBase    = (void *)view->base;
    info->AllocationProtect = protection_from_state( view->protect );
    info->RegionSize        = page_state_end( start, view->end, 0xff ) - start;
    info->Type              = MEM_PRIVATE;
    info->State             = state & PAGE_STATE_COMMITTED ? MEM_COMMIT : MEM_RESERVE;
    info->Protect           = state & PAGE_STATE_COMMITTED ? protection_from_state( state ) : 0;
}

/***********************************************************************
 *           describe_mapping
 *
 * Memory that the program has mapped by other means.
 */
static void describe_mapping( const struct mapping *mapping, MEMORY_BASIC_INFORMATION *info )
{
    static const ULONG protects[] =
    {
        PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_READWRITE,
        PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_READWRITE,
    };
    ULONG protect = protects[mapping->prot & (PROT_READ | PROT_WRITE | PROT_EXEC)];

    if (mapping->file && !mapping->shared)
    {
        if (protect == PAGE_READWRITE) protect = PAGE_WRITECOPY;
        if (protect == PAGE_EXECUTE_READWRITE) protect = PAGE_EXECUTE_WRITECOPY;
    }
    info->State             = mapping->prot ? MEM_COMMIT : MEM_RESERVE;
    info->Protect           = mapping->prot ? protect : 0;
    info->AllocationProtect = protect;
    info->Type              = mapping->file || mapping->shared ? MEM_MAPPED : MEM_PRIVATE;
}

/***********************************************************************
 *           describe_page
 *
 * What MemoryBasicInformation reports for the page of an address. The lock is held.
 */
static NTSTATUS describe_page( uintptr_t addr, MEMORY_BASIC_INFORMATION *info )
{
    uintptr_t start = round_down( addr ), low = 0, end = USER_SPACE_LIMIT;
    struct mapping mapping;
    struct view *view;
    int ret;

    if (start >= USER_SPACE_LIMIT) return STATUS_INVALID_PARAMETER;
    memset( info, 0, sizeof(*info) );
    info->BaseAddress = (void *)start;

    if ((view = view_find( start, start + page_size() )))
    {
        describe_view( view, info );
        return STATUS_SUCCESS;
    }

    /* between views; what is one mapping to the kernel may extend into them */
    if ((view = view_first( start ))) end = view->base;
    if ((ret = find_mapping( start, &mapping )) < 0) return STATUS_UNSUCCESSFUL;
    if (ret && mapping.start <= start)
    {
        describe_mapping( &mapping, info );
        if ((view = view_before( start ))) low = view->end;
        if (mapping.start > low) low = mapping.start;
        info->AllocationBase = (void *)low;
        if (mapping.end < end) end = mapping.end;
    }
    else
    {
        info->State   = MEM_FREE;
        info->Protect = PAGE_NOACCESS;
        if (ret && mapping.start < end) end = mapping.start;
    }
    info->RegionSize = end - start;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           query_basic
 *
 * The buffer may become bad at any time, so memcpy() must not write to it.
 */
static NTSTATUS query_basic( const void *addr, void *buffer, SIZE_T size, SIZE_T *ret_size )
{
    union
    {
        MEMORY_BASIC_INFORMATION info;
        uintptr_t                words[sizeof(MEMORY_BASIC_INFORMATION) / sizeof(uintptr_t)];
    } result;
    sigset_t sigset;
    NTSTATUS status;
    size_t i;

    if (size < sizeof(result.info)) return STATUS_INFO_LENGTH_MISMATCH;
    if ((status = user_probe_write( buffer, 2, sizeof(result.info) - 1 ))) return status;

    virtual_lock( &sigset );
    status = describe_page( (uintptr_t)addr, &result.info );
    virtual_unlock( &sigset );

    for (i = 0; !status && i < sizeof(result.words) / sizeof(result.words[0]); i++)
        status = user_store_pointer( (uintptr_t *)buffer + i, result.words[i] );
    if (!status && ret_size) status = user_store_pointer( ret_size, sizeof(result.info) );
    return status;
}

/* whether a page is in memory */
static int is_present( int pagemap, uintptr_t addr )
{
    uint64_t entry;

    return pagemap_read( pagemap, addr, 1, &entry ) == 1 && entry & PM_PRESENT;
}

/***********************************************************************
 *           query_working_set
 *
 * For each address in the array: whether the page is present and accessible (bit 0), and if so its
 * protection (bits 4 to 14).
 */
static NTSTATUS query_working_set( MEMORY_WORKING_SET_EX_INFORMATION *entries, SIZE_T size,
                                   SIZE_T *ret_size )
{
    SIZE_T i, count = size / sizeof(*entries);
    MEMORY_BASIC_INFORMATION info;
    NTSTATUS status = STATUS_SUCCESS;
    sigset_t sigset;
    uintptr_t addr;
    int pagemap;

    if (!count) return STATUS_INFO_LENGTH_MISMATCH;
    if (pagemap_open( &pagemap, NULL )) return STATUS_UNSUCCESSFUL;

    for (i = 0; i < count && !status; i++)
    {
        ULONG_PTR attributes = 0;

        if ((status = user_load_pointer( &entries[i].VirtualAddress, &addr ))) break;
        virtual_lock( &sigset );
        if (!describe_page( addr, &info ) && info.State == MEM_COMMIT &&
            !(info.Protect & (PAGE_NOACCESS | PAGE_GUARD)) && is_present( pagemap, addr ))
            attributes = 1 | (ULONG_PTR)(info.Protect & 0x7ff) << 4;
        virtual_unlock( &sigset );
        status = user_store_pointer( &entries[i].VirtualAttributes, attributes );
    }
    close( pagemap );
    if (!status && ret_size) status = user_store_pointer( ret_size, size );
    return status;
}

NTSTATUS NTAPI NtQueryVirtualMemory( HANDLE process, const void *addr,
                                     MEMORY_INFORMATION_CLASS info_class, void *info, SIZE_T size,
                                     SIZE_T *ret_size )
{
    process_init();
    if (process != NtCurrentProcess()) return STATUS_INVALID_HANDLE;
    switch (info_class)
    {
    case MemoryBasicInformation:
        return query_basic( addr, info, size, ret_size );
    case MemoryWorkingSetExInformation:
        return query_working_set( info, size, ret_size );
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}
