/*
 * Hooks of Wine's system calls that touch write watches; compiled once per calling convention
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Included by hook_ms.c and hook_sysv.c, which define WINAPI, HOOK_TABLE and more. There are two
 * objects because GCC 12 merges calls of both conventions in one function into a single wrong
 * call. */

#include "hooks.h"
#include "nt_types.h"
#include "preload.h"
#include "record.h"
#include "report.h"
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

/* The arguments of an allocation that do not change on the way to Wine. */
struct request
{
    HANDLE     process;
    ULONG      type;
    ULONG      protect;
    int        extended;      /* NtAllocateVirtualMemoryEx, not NtAllocateVirtualMemory */
    ULONG_PTR  zero_bits;     /* of NtAllocateVirtualMemory only */
    void      *parameters;    /* of NtAllocateVirtualMemoryEx only, as is the next */
    ULONG      count;
};

/* calls the function of Wine that the program called, with a type that may be another one */
static NTSTATUS call_wine( const struct request *request, void **base, SIZE_T *size, ULONG type )
{
    if (request->extended)
        return wine_allocate_ex( request->process, base, size, type, request->protect,
                                 request->parameters, request->count );
    return wine_allocate( request->process, base, request->zero_bits, size, type,
                          request->protect );
}

/* frees memory that was allocated but cannot be watched; restores a placeholder */
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
 *           leave_allocation
 *
 * Lets Wine watch memory that could not be charged, or refuses it.
 */
static NTSTATUS leave_allocation( const struct request *request, void **base, SIZE_T *size )
{
    if (!may_leave_to_wine()) return STATUS_NO_MEMORY;
    return left_to_wine( call_wine( request, base, size, request->type ));
}

/***********************************************************************
 *           allocate_watched
 *
 * Makes a new watched region. Hides MEM_WRITE_WATCH from Wine unless we cannot watch the memory;
 * then Wine watches it, or the call fails. Memory that is committed at once is prepared after it
 * has become accessible, but before any thread knows its address.
 */
static NTSTATUS allocate_watched( const struct request *request, void **base, SIZE_T *size )
{
    ULONG type = request->type;
    SIZE_T wanted_size = *size;
    void *wanted = *base;
    enum watching watching;
    NTSTATUS status;

    if (!could_be_charged( type, *size )) return leave_allocation( request, base, size );

    touch_parameters( request->parameters, request->count );
    begin_allocation( type );
    status = call_wine( request, base, size, type & ~MEM_WRITE_WATCH );
    if (end_allocation( status, type ))
    {
        if (!status) undo_allocate( *base, *size, type );
        *base = wanted;
        *size = wanted_size;
        return leave_allocation( request, base, size );
    }
    if (status) return status;
    if ((watching = watch_allocation( *base, *size )) != WATCHED)
    {
        undo_allocate( *base, *size, type );
        *base = wanted;
        *size = wanted_size;
        return watching == REFUSED ? STATUS_NO_MEMORY : call_wine( request, base, size, type );
    }
    if (!prepare_commit( type, *base, *size )) return STATUS_SUCCESS;
    undo_allocate( *base, *size, type );
    return STATUS_NO_MEMORY;
}

/***********************************************************************
 *           allocate
 *
 * Reads the program's pointers once, before the call of Wine, and writes them once, after it:
 * another thread may change the values in between.
 */
static NTSTATUS allocate( const struct request *request, void **ret, SIZE_T *size_ptr )
{
    void *base;
    SIZE_T size;
    NTSTATUS status;
    int begins;

    if (!concerns_us( request->process, request->type ))
        return call_wine( request, ret, size_ptr, request->type );

    base = *ret;
    size = *size_ptr;
    if ((begins = begins_watch( request->type, base )))
        status = allocate_watched( request, &base, &size );
    else if (prepare_commit( request->type, base, size )) status = STATUS_NO_MEMORY;
    else status = call_wine( request, &base, &size, request->type );
    if (status) return status;
    if (is_recording()) record_allocation( request->type, begins, base, size );
    *ret = base;
    *size_ptr = size;
    return STATUS_SUCCESS;
}

/* for both hooks below */
static NTSTATUS handle_allocate( const struct request *request, void **ret, SIZE_T *size_ptr )
{
    struct thread_state outer = begin_hook();
    NTSTATUS status = allocate( request, ret, size_ptr );

    end_hook( outer );
    return status;
}

/***********************************************************************
 *           hook_allocate
 *
 * NtAllocateVirtualMemory (rows 14, 25 to 27b).
 */
static NTSTATUS WINAPI hook_allocate( HANDLE process, void **ret, ULONG_PTR zero_bits,
                                      SIZE_T *size_ptr, ULONG type, ULONG protect )
{
    const struct request request =
    {
        .process = process, .type = type, .protect = protect, .zero_bits = zero_bits,
    };

    return handle_allocate( &request, ret, size_ptr );
}

/***********************************************************************
 *           hook_allocate_ex
 *
 * NtAllocateVirtualMemoryEx (row 28).
 */
static NTSTATUS WINAPI hook_allocate_ex( HANDLE process, void **ret, SIZE_T *size_ptr, ULONG type,
                                         ULONG protect, void *parameters, ULONG count )
{
    const struct request request =
    {
        .process = process, .type = type, .protect = protect, .extended = 1,
        .parameters = parameters, .count = count,
    };

    return handle_allocate( &request, ret, size_ptr );
}

/***********************************************************************
 *           free_watched
 *
 * Marks a decommit for mmap(); a release needs no mark, as munmap() sees it. As above, the
 * program's pointers are read before the mark is set: a fault must not leave it set.
 */
static NTSTATUS free_watched( void **addr_ptr, SIZE_T *size_ptr, ULONG type )
{
    void *addr = *addr_ptr;
    SIZE_T size = *size_ptr;
    int watched = is_watched_page( addr );
    NTSTATUS status;

    decommitting = watched && type == MEM_DECOMMIT;
    status = wine_free( NtCurrentProcess(), &addr, &size, type );
    decommitting = 0;
    if (status) return status;
    if (watched && is_recording())
        record_change( type == MEM_DECOMMIT ? RECORD_DECOMMIT : RECORD_FREE, addr, size, 0 );
    *addr_ptr = addr;
    *size_ptr = size;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           hook_free
 *
 * NtFreeVirtualMemory (row 15).
 */
static NTSTATUS WINAPI hook_free( HANDLE process, void **addr_ptr, SIZE_T *size_ptr, ULONG type )
{
    struct thread_state outer = begin_hook();
    NTSTATUS status;

    if (process == NtCurrentProcess() && (type == MEM_DECOMMIT || is_recording()))
        status = free_watched( addr_ptr, size_ptr, type );
    else status = wine_free( process, addr_ptr, size_ptr, type );
    end_hook( outer );
    return status;
}

/***********************************************************************
 *           hook_get
 *
 * NtGetWriteWatch. Memory that we do not watch may be watched by Wine.
 */
static NTSTATUS WINAPI hook_get( HANDLE process, ULONG flags, void *base, SIZE_T size,
                                 void **addresses, ULONG_PTR *count, ULONG *granularity )
{
    uint64_t start = polls_are_timed ? poll_clock() : 0;
    NTSTATUS status;

    if (is_recording())
    {
        const struct record_poll poll = { flags, base, size, addresses, count, granularity };

        status = record_get( &poll );
    }
    else status = get_write_watch( flags, base, size, addresses, count, granularity );
    deliver_deferred_signals();
    if (start) add_poll_time( start );
    if (status != STATUS_INVALID_PARAMETER || !wine_has_watches) return status;
    return wine_get( process, flags, base, size, addresses, count, granularity );
}

/***********************************************************************
 *           hook_reset
 *
 * NtResetWriteWatch. Memory that we do not watch may be watched by Wine.
 */
static NTSTATUS WINAPI hook_reset( HANDLE process, void *base, SIZE_T size )
{
    uint64_t start = polls_are_timed ? poll_clock() : 0;
    NTSTATUS status = is_recording() ? record_reset( base, size ) : reset_write_watch( base, size );

    deliver_deferred_signals();
    if (start) add_poll_time( start );
    if (status != STATUS_INVALID_PARAMETER || !wine_has_watches) return status;
    return wine_reset( process, base, size );
}

const struct hook_table HOOK_TABLE =
{
    .convention    = CONVENTION,
    .set_originals = set_originals,
    .hooks         =
    {
        [HOOK_ALLOCATE]    = hook_allocate,
        [HOOK_ALLOCATE_EX] = hook_allocate_ex,
        [HOOK_FREE]        = hook_free,
        [HOOK_GET]         = hook_get,
        [HOOK_RESET]       = hook_reset,
    },
};
