/*
 * The system calls of Wine that touch write watches; compiled once for each calling convention
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Included by hook_ms.c and hook_sysv.c, which define WINAPI, HOOK_TABLE and more. Two objects,
 * because GCC 12 merges calls of both conventions in one function into a single wrong one. */

#include <ucontext.h>

#include "hooks.h"
#include "nt_types.h"
#include "preload.h"
#include "write_watch.h"

typedef NTSTATUS WINAPI allocate_func( HANDLE process, void **ret, ULONG_PTR zero_bits,
                                       SIZE_T *size_ptr, ULONG type, ULONG protect );
typedef NTSTATUS WINAPI allocate_ex_func( HANDLE process, void **ret, SIZE_T *size_ptr, ULONG type,
                                          ULONG protect, void *parameters, ULONG count );
typedef NTSTATUS WINAPI free_func( HANDLE process, void **addr_ptr, SIZE_T *size_ptr, ULONG type );
typedef NTSTATUS WINAPI get_func( HANDLE process, ULONG flags, void *base, SIZE_T size,
                                  void **addresses, ULONG_PTR *count, ULONG *granularity );
typedef NTSTATUS WINAPI reset_func( HANDLE process, void *base, SIZE_T size );

static allocate_func    *wine_allocate;
static allocate_ex_func *wine_allocate_ex;
static free_func        *wine_free;
static get_func         *wine_get;
static reset_func       *wine_reset;

static void set_originals( void * const *originals )
{
    wine_allocate    = originals[HOOK_ALLOCATE];
    wine_allocate_ex = originals[HOOK_ALLOCATE_EX];
    wine_free        = originals[HOOK_FREE];
    wine_get         = originals[HOOK_GET];
    wine_reset       = originals[HOOK_RESET];
}

/* gives back what was allocated but cannot be watched; a placeholder becomes one again */
static void undo_allocate( void *base, SIZE_T size, ULONG type )
{
    if (type & MEM_REPLACE_PLACEHOLDER) type = MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER;
    else
    {
        type = MEM_RELEASE;
        size = 0;
    }
    wine_free( NtCurrentProcess(), &base, &size, type );
}

/***********************************************************************
 *           allocate
 *
 * Wine never sees MEM_WRITE_WATCH unless we cannot watch the memory; then it does so itself. The
 * program's pointers are read once, before, and written once, after: another thread may change what
 * they lead to. Memory that is committed at once is prepared when it is accessible already, but no
 * thread knows of it yet.
 */
static NTSTATUS allocate( HANDLE process, void **ret, ULONG_PTR zero_bits, SIZE_T *size_ptr,
                          ULONG type, ULONG protect )
{
    void *base, *wanted;
    SIZE_T size, wanted_size;
    NTSTATUS status;

    if (!concerns_us( process, type ))
        return wine_allocate( process, ret, zero_bits, size_ptr, type, protect );

    base = wanted = *ret;
    size = wanted_size = *size_ptr;
    if (!begins_watch( type, base ))
    {
        if (prepare_commit( type, base, size )) return STATUS_NO_MEMORY;
        status = wine_allocate( process, &base, zero_bits, &size, type, protect );
        goto done;
    }
    if (!could_be_charged( type, size ))
    {
        status = left_to_wine( wine_allocate( process, &base, zero_bits, &size, type, protect ));
        goto done;
    }

    begin_allocation( type );
    status = wine_allocate( process, &base, zero_bits, &size, type & ~MEM_WRITE_WATCH, protect );
    if (end_allocation( status, type ))
    {
        if (!status) undo_allocate( base, size, type );
        status = left_to_wine( wine_allocate( process, &wanted, zero_bits, &wanted_size, type, protect ));
        base = wanted;
        size = wanted_size;
    }
    else if (!status && !watch_allocation( base, size ))
    {
        undo_allocate( base, size, type );
        status = wine_allocate( process, &wanted, zero_bits, &wanted_size, type, protect );
        base = wanted;
        size = wanted_size;
    }
    else if (!status && prepare_commit( type, base, size ))
    {
        undo_allocate( base, size, type );
        status = STATUS_NO_MEMORY;
    }

done:
    if (status) return status;
    *ret = base;
    *size_ptr = size;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           allocate_ex
 *
 * Likewise.
 */
static NTSTATUS allocate_ex( HANDLE process, void **ret, SIZE_T *size_ptr, ULONG type,
                             ULONG protect, void *parameters, ULONG count )
{
    void *base, *wanted;
    SIZE_T size, wanted_size;
    NTSTATUS status;

    if (!concerns_us( process, type ))
        return wine_allocate_ex( process, ret, size_ptr, type, protect, parameters, count );

    base = wanted = *ret;
    size = wanted_size = *size_ptr;
    if (!begins_watch( type, base ))
    {
        if (prepare_commit( type, base, size )) return STATUS_NO_MEMORY;
        status = wine_allocate_ex( process, &base, &size, type, protect, parameters, count );
        goto done;
    }
    if (!could_be_charged( type, size ))
    {
        status = left_to_wine( wine_allocate_ex( process, &base, &size, type, protect, parameters, count ));
        goto done;
    }

    touch_parameters( parameters, count );
    begin_allocation( type );
    status = wine_allocate_ex( process, &base, &size, type & ~MEM_WRITE_WATCH, protect, parameters, count );
    if (end_allocation( status, type ))
    {
        if (!status) undo_allocate( base, size, type );
        status = left_to_wine( wine_allocate_ex( process, &wanted, &wanted_size, type, protect, parameters, count ));
        base = wanted;
        size = wanted_size;
    }
    else if (!status && !watch_allocation( base, size ))
    {
        undo_allocate( base, size, type );
        status = wine_allocate_ex( process, &wanted, &wanted_size, type, protect, parameters, count );
        base = wanted;
        size = wanted_size;
    }
    else if (!status && prepare_commit( type, base, size ))
    {
        undo_allocate( base, size, type );
        status = STATUS_NO_MEMORY;
    }

done:
    if (status) return status;
    *ret = base;
    *size_ptr = size;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           hook_allocate
 *
 * NtAllocateVirtualMemory (rows 14, 25 to 27b).
 */
static NTSTATUS WINAPI hook_allocate( HANDLE process, void **ret, ULONG_PTR zero_bits,
                                      SIZE_T *size_ptr, ULONG type, ULONG protect )
{
    struct thread_state outer = begin_hook();
    NTSTATUS status = allocate( process, ret, zero_bits, size_ptr, type, protect );

    end_hook( outer );
    return status;
}

/***********************************************************************
 *           hook_allocate_ex
 *
 * NtAllocateVirtualMemoryEx (row 28).
 */
static NTSTATUS WINAPI hook_allocate_ex( HANDLE process, void **ret, SIZE_T *size_ptr, ULONG type,
                                         ULONG protect, void *parameters, ULONG count )
{
    struct thread_state outer = begin_hook();
    NTSTATUS status = allocate_ex( process, ret, size_ptr, type, protect, parameters, count );

    end_hook( outer );
    return status;
}

/***********************************************************************
 *           hook_free
 *
 * NtFreeVirtualMemory (row 15). Only a decommit needs to be known as one; releases are seen when
 * the memory is unmapped. Again the program's pointers may not fault inside, with the mark set.
 */
static NTSTATUS WINAPI hook_free( HANDLE process, void **addr_ptr, SIZE_T *size_ptr, ULONG type )
{
    struct thread_state outer = begin_hook();
    NTSTATUS status;
    SIZE_T size;
    void *addr;

    if (process != NtCurrentProcess() || type != MEM_DECOMMIT)
        status = wine_free( process, addr_ptr, size_ptr, type );
    else
    {
        addr = *addr_ptr;
        size = *size_ptr;
        decommitting = is_watched_page( addr );
        status = wine_free( process, &addr, &size, type );
        if (!status)
        {
            *addr_ptr = addr;
            *size_ptr = size;
        }
    }
    end_hook( outer );
    return status;
}

/***********************************************************************
 *           hook_get
 *
 * NtGetWriteWatch. What is not ours may be Wine's.
 */
static NTSTATUS WINAPI hook_get( HANDLE process, ULONG flags, void *base, SIZE_T size,
                                 void **addresses, ULONG_PTR *count, ULONG *granularity )
{
    NTSTATUS status = get_write_watch( flags, base, size, addresses, count, granularity );

    deliver_deferred_signals();
    if (status != STATUS_INVALID_PARAMETER || !wine_has_watches) return status;
    return wine_get( process, flags, base, size, addresses, count, granularity );
}

/***********************************************************************
 *           hook_reset
 *
 * NtResetWriteWatch, likewise.
 */
static NTSTATUS WINAPI hook_reset( HANDLE process, void *base, SIZE_T size )
{
    NTSTATUS status = reset_write_watch( base, size );

    deliver_deferred_signals();
    if (status != STATUS_INVALID_PARAMETER || !wine_has_watches) return status;
    return wine_reset( process, base, size );
}

const struct hook_table HOOK_TABLE =
{
    .name            = CONVENTION_NAME,
    .status_register = STATUS_REGISTER,
    .set_originals   = set_originals,
    .hooks           =
    {
        [HOOK_ALLOCATE]    = hook_allocate,
        [HOOK_ALLOCATE_EX] = hook_allocate_ex,
        [HOOK_FREE]        = hook_free,
        [HOOK_GET]         = hook_get,
        [HOOK_RESET]       = hook_reset,
    },
};
