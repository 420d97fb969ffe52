/*
 * The native memory manager: allocating
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reservations begin at multiples of 64 KiB. A reserved page is mapped without access; to commit it
 * is to change its protection. The page states hold which pages are committed and with which
 * protection: that of the kernel cannot express all of it, and the backends change it for their own
 * ends.
 */

#include <errno.h>
#include <sys/mman.h>

#include "engine/watch.h"
#include "native/process.h"
#include "native/virtual_internal.h"
#include "sys/address_space.h"
#include "sys/kernel_api.h"

#define GRANULARITY      ((uintptr_t)0x10000)
#define LOWEST_ADDRESS   GRANULARITY

/* where an allocation may be put, when the caller names no address */
struct placement
{
    uintptr_t low;
    uintptr_t high;     /* last byte, 0: anywhere */
    size_t    align;    /* 0: GRANULARITY */
};

/***********************************************************************
 *           map_at
 *
 * Maps memory without access at a place that must be free. Returns the address, or 0 and the
 * status.
 */
static uintptr_t map_at( uintptr_t start, size_t size, NTSTATUS *status )
{
    void *ptr = mmap( (void *)start, size, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0 );

    *status = STATUS_CONFLICTING_ADDRESSES;
    if (ptr == (void *)start) return start;
    if (ptr != MAP_FAILED) munmap( ptr, size );
    else if (errno == ENOMEM) *status = STATUS_NO_MEMORY;
    return 0;
}

/***********************************************************************
 *           map_anywhere
 *
 * The same at an address that the kernel chooses, which is the highest that is free: MEM_TOP_DOWN
 * asks for nothing else. What alignment leaves on either side is unmapped again.
 */
static uintptr_t map_anywhere( size_t size, size_t align )
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uintptr_t start, aligned;
    size_t more = size + align - page_size();
    void *ptr;

    if ((ptr = mmap( NULL, size, PROT_NONE, flags, -1, 0 )) == MAP_FAILED) return 0;
    if (!((uintptr_t)ptr & (align - 1))) return (uintptr_t)ptr;
    munmap( ptr, size );

    if (more < size || (ptr = mmap( NULL, more, PROT_NONE, flags, -1, 0 )) == MAP_FAILED) return 0;
    start = (uintptr_t)ptr;
    aligned = (start + align - 1) & ~(align - 1);
    if (aligned > start) munmap( ptr, aligned - start );
    if (start + more > aligned + size)
        munmap( (void *)(aligned + size), start + more - aligned - size );
    return aligned;
}

/***********************************************************************
 *           map_between
 *
 * The same within limits, at the lowest address or the highest. Another thread may map something
 * there first, so it tries several times.
 */
static uintptr_t map_between( size_t size, uintptr_t low, uintptr_t high, size_t align,
                              int top_down )
{
    uintptr_t start;
    NTSTATUS status;
    int tries;

    for (tries = 0; tries < 16; tries++)
    {
        if (!(start = find_free_range( size, low, high, align, top_down ))) return 0;
        if (map_at( start, size, &status )) return start;
    }
    return 0;
}

/***********************************************************************
 *           is_watched_type
 *
 * Whether a new region is to be watched. A placeholder is not memory yet.
 */
static int is_watched_type( ULONG type )
{
    return (type & MEM_WRITE_WATCH) && !(type & MEM_RESERVE_PLACEHOLDER);
}

/***********************************************************************
 *           begin_watch
 *
 * Hands a new region to the engine. The memory has no access yet, so no write is missed.
 */
static NTSTATUS begin_watch( uintptr_t start, uintptr_t end )
{
    int ret = watch_add( (void *)start, end - start );

    if (!ret) return STATUS_SUCCESS;
    return ret == -ENOMEM ? STATUS_NO_MEMORY : STATUS_UNSUCCESSFUL;
}

/***********************************************************************
 *           map_view
 *
 * Reserves memory at *start, or anywhere if that is 0, and commits it if the state says so.
 */
static NTSTATUS map_view( uintptr_t *start, size_t size, ULONG type, unsigned char state,
                          const struct placement *where )
{
    size_t align = where->align ? where->align : GRANULARITY;
    uintptr_t low = LOWEST_ADDRESS, high = USER_SPACE_LIMIT, base;
    NTSTATUS status = STATUS_NO_MEMORY;
    unsigned char flags = 0;
    struct view *view;

    if (type & MEM_RESERVE_PLACEHOLDER) flags = VIEW_PLACEHOLDER | VIEW_FREE_PLACEHOLDER;
    if (where->high && where->low >= where->high) return STATUS_INVALID_PARAMETER;
    if (view_reserve( 1 )) return STATUS_NO_MEMORY;

    if (*start)
    {
        view = view_first( *start );
        if (view && view->base < *start + size) return STATUS_CONFLICTING_ADDRESSES;
        base = map_at( *start, size, &status );
    }
    else if (where->low || where->high)
    {
        if (where->low > low) low = where->low;
        if (where->high && where->high < high) high = where->high + 1;
        base = map_between( size, low, high, align, type & MEM_TOP_DOWN );
    }
    else base = map_anywhere( size, align );
    if (!base) return status;

    status = STATUS_NO_MEMORY;
    if (!page_state_reserve( base, base + size ))
    {
        view = view_insert( base, base + size, state & ~PAGE_STATE_COMMITTED, flags );
        status = is_watched_type( type ) ? begin_watch( base, base + size ) : STATUS_SUCCESS;
        if (!status && (state & PAGE_STATE_COMMITTED))
            status = commit_range( base, base + size, state );
        if (!status)
        {
            *start = base;
            return STATUS_SUCCESS;
        }
        view_remove( view );
        watch_remove( (void *)base, size );
    }
    munmap( (void *)base, size );
    return status;
}

/***********************************************************************
 *           replace_placeholder
 *
 * Row 28. Placeholders have no access and no contents, so only the watch and the protection remain
 * to be set up.
 */
static NTSTATUS replace_placeholder( uintptr_t start, size_t size, ULONG type, unsigned char state )
{
    struct view *view = view_find( start, start );
    NTSTATUS status = STATUS_SUCCESS;

    if (!view) return STATUS_INVALID_PARAMETER;
    if (view->base != start || view->end != start + size) return STATUS_CONFLICTING_ADDRESSES;
    if (!(view->flags & VIEW_FREE_PLACEHOLDER)) return STATUS_INVALID_PARAMETER;

    if (is_watched_type( type )) status = begin_watch( start, start + size );
    if (!status && (state & PAGE_STATE_COMMITTED))
        status = commit_range( start, start + size, state );
    if (status)
    {
        watch_remove( (void *)start, size );
        return status;
    }
    view->flags &= type & MEM_RESERVE_PLACEHOLDER ? ~0 : ~VIEW_FREE_PLACEHOLDER;
    view->protect = state & ~PAGE_STATE_COMMITTED;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           commit_pages
 *
 * Also changes the protection of pages that are committed already.
 */
static NTSTATUS commit_pages( uintptr_t start, uintptr_t end, ULONG protect )
{
    struct view *view = view_find( start, end );
    unsigned char state;
    NTSTATUS status;

    if (!view) return STATUS_NOT_MAPPED_VIEW;
    if (view->flags & VIEW_FREE_PLACEHOLDER) return STATUS_CONFLICTING_ADDRESSES;
    if ((status = state_from_protection( protect, &state ))) return status;
    return commit_range( start, end, state );
}

/***********************************************************************
 *           reset_pages
 *
 * Row 31: the contents become zero, except where the kernel refuses (locked memory that is not
 * watched): MEM_RESET does not promise any contents.
 */
static NTSTATUS reset_pages( uintptr_t start, uintptr_t end )
{
    uintptr_t next;
    int watched;

    if (!view_find( start, end )) return STATUS_NOT_MAPPED_VIEW;
    for (; start < end; start = next)
    {
        next = watched_run_end( start, end, &watched );
        if (!watched) madvise( (void *)start, next - start, MADV_DONTNEED );
        else if (watch_discard( (void *)start, next - start )) return STATUS_NO_MEMORY;
    }
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           reserve_memory
 *
 * Serves MEM_RESERVE, and MEM_COMMIT without an address.
 */
static NTSTATUS reserve_memory( uintptr_t *start, size_t size, ULONG type, ULONG protect,
                                const struct placement *where )
{
    unsigned char state;
    NTSTATUS status;

    if ((status = state_from_protection( protect, &state ))) return status;
    if (type & MEM_COMMIT) state |= PAGE_STATE_COMMITTED;
    if (type & MEM_REPLACE_PLACEHOLDER) return replace_placeholder( *start, size, type, state );
    return map_view( start, size, type, state, where );
}

struct wanted_range
{
    uintptr_t addr;
    uintptr_t size;
};

/***********************************************************************
 *           allocate_memory
 *
 * Rows 14, 25 to 28. The range is what the caller's pointers hold, and on success what they get.
 */
static NTSTATUS allocate_memory( struct wanted_range *range, ULONG type, ULONG protect,
                                 const struct placement *where )
{
    uintptr_t addr_value = range->addr, size_value = range->size, start = 0, end;
    sigset_t sigset;
    NTSTATUS status;
    int watched;

    if (size_value > USER_SPACE_LIMIT) return STATUS_WORKING_SET_LIMIT_RANGE;
    if (addr_value)
    {
        if ((type & MEM_RESERVE) && !(type & MEM_REPLACE_PLACEHOLDER))
            start = addr_value & ~(GRANULARITY - 1);
        else
            start = round_down( addr_value );
        end = round_up( addr_value + size_value );
        if (start < LOWEST_ADDRESS || end < addr_value || end > USER_SPACE_LIMIT)
            return STATUS_INVALID_PARAMETER;
    }
    else end = round_up( size_value );

    if (!(type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET))) return STATUS_INVALID_PARAMETER;
    if ((type & MEM_REPLACE_PLACEHOLDER) && !(type & MEM_RESERVE)) return STATUS_INVALID_PARAMETER;
    if ((type & MEM_RESERVE_PLACEHOLDER) && protect != PAGE_NOACCESS)
        return STATUS_INVALID_PARAMETER;

    /* before our lock is taken: it may take a while, and cause faults */
    watched = is_watched_type( type ) && ((type & MEM_RESERVE) || !start);
    if (watched && process_open()) return STATUS_NOT_SUPPORTED;

    virtual_lock( &sigset );
    if ((type & MEM_RESERVE) || !start)
    {
        size_t bytes = end - start;

        status = reserve_memory( &start, bytes, type, protect, where );
        end = start + bytes;
    }
    else if (type & MEM_RESET) status = reset_pages( start, end );
    else status = commit_pages( start, end, protect );
    virtual_unlock( &sigset );
    if (watched) process_opened( !status );

    range->addr = start;
    range->size = end - start;
    return status;
}

/***********************************************************************
 *             NtAllocateVirtualMemory
 *
 * zero_bits: below 32, how many of the upper bits of a 32-bit address must be zero; otherwise a
 * mask of the bits that an address may have, of which the highest counts.
 */
NTSTATUS NTAPI NtAllocateVirtualMemory( HANDLE process, void **addr, ULONG_PTR zero_bits,
                                        SIZE_T *size, ULONG type, ULONG protect )
{
    static const ULONG types = MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | MEM_WRITE_WATCH |
                               MEM_RESET;
    struct placement where = { 0, 0, 0 };
    struct wanted_range range = { 0, 0 };
    NTSTATUS status;

    process_init();
    status = get_range_arguments( process, addr, size, &range.addr, &range.size );
    if (status && status != STATUS_INVALID_HANDLE) return status;
    if (!range.size) return STATUS_INVALID_PARAMETER;
    if (zero_bits > 21 && zero_bits < 32) return STATUS_INVALID_PARAMETER_3;
    if (zero_bits > 32 && zero_bits < GRANULARITY - 1) return STATUS_INVALID_PARAMETER_3;
    if (type & ~types) return STATUS_INVALID_PARAMETER;
    if (status) return status;

    if (!range.addr && zero_bits)
    {
        if (zero_bits < 32) where.high = 0xffffffff >> zero_bits;
        else where.high = ~(uintptr_t)0 >> __builtin_clzl( zero_bits );
    }
    if ((status = allocate_memory( &range, type, protect, &where ))) return status;
    return put_range_arguments( addr, size, range.addr, range.addr + range.size );
}

static NTSTATUS get_requirements( const MEM_ADDRESS_REQUIREMENTS *req, struct placement *where )
{
    uintptr_t low, high, align;
    NTSTATUS status;

    if ((status = user_load_pointer( &req->LowestStartingAddress, &low ))) return status;
    if ((status = user_load_pointer( &req->HighestEndingAddress, &high ))) return status;
    if ((status = user_load_pointer( &req->Alignment, &align ))) return status;

    if (align && ((align & (align - 1)) || align < GRANULARITY)) return STATUS_INVALID_PARAMETER;
    if (low && (low >= USER_SPACE_LIMIT || (low & (GRANULARITY - 1))))
        return STATUS_INVALID_PARAMETER;
    if (high && (high > USER_SPACE_LIMIT || high <= low || ((high + 1) & (page_size() - 1))))
        return STATUS_INVALID_PARAMETER;
    where->low   = low;
    where->high  = high;
    where->align = align;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           get_parameters
 *
 * Each type may occur once. Those that choose a node, a partition or a machine have no effect here.
 */
static NTSTATUS get_parameters( const MEM_EXTENDED_PARAMETER *params, ULONG count,
                                struct placement *where )
{
    uint32_t present = 0;
    NTSTATUS status;
    ULONG i;

    if (count && !params) return STATUS_INVALID_PARAMETER;
    for (i = 0; i < count; i++)
    {
        uintptr_t head, value;   /* of 64 bits, which matter only in a 64-bit process */
        unsigned int type;

        if ((status = user_load_pointer( &params[i], &head ))) return status;
        if ((status = user_load_pointer( &params[i].ULong64, &value ))) return status;
        type = head & 0xff;
        if (type == MemExtendedParameterInvalidType || type >= MemExtendedParameterMax)
            return STATUS_INVALID_PARAMETER;
        if (present & (1u << type)) return STATUS_INVALID_PARAMETER;
        present |= 1u << type;
        if (type == MemExtendedParameterAddressRequirements &&
            (status = get_requirements( (void *)value, where ))) return status;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NtAllocateVirtualMemoryEx( HANDLE process, void **addr, SIZE_T *size, ULONG type,
                                          ULONG protect, MEM_EXTENDED_PARAMETER *params,
                                          ULONG count )
{
    static const ULONG types = MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | MEM_WRITE_WATCH |
                               MEM_RESET | MEM_RESERVE_PLACEHOLDER | MEM_REPLACE_PLACEHOLDER;
    struct placement where = { 0, 0, 0 };
    struct wanted_range range = { 0, 0 };
    NTSTATUS status, params_status;

    process_init();
    status = get_range_arguments( process, addr, size, &range.addr, &range.size );
    if (status && status != STATUS_INVALID_HANDLE) return status;
    if ((params_status = get_parameters( params, count, &where ))) return params_status;
    if (type & ~types) return STATUS_INVALID_PARAMETER;
    if (range.addr && (where.align || where.low || where.high)) return STATUS_INVALID_PARAMETER;
    if (!range.size) return STATUS_INVALID_PARAMETER;
    if (status) return status;

    if ((status = allocate_memory( &range, type, protect, &where ))) return status;
    return put_range_arguments( addr, size, range.addr, range.addr + range.size );
}
