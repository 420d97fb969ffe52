/*
 * The native memory manager: decommitting, releasing, and changes of placeholders
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "engine/watch.h"
#include "native/process.h"
#include "native/virtual_internal.h"

/***********************************************************************
 *           map_afresh
 *
 * Replaces pages by memory without access and contents.
 */
static int map_afresh( uintptr_t start, uintptr_t end )
{
    void *ptr = mmap( (void *)start, end - start, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0 );

    return ptr == MAP_FAILED ? -errno : 0;
}

/***********************************************************************
 *           decommit_pages
 *
 * Row 15.
 */
static NTSTATUS decommit_pages( uintptr_t start, uintptr_t end )
{
    uintptr_t next;
    int watched;

    for (; start < end; start = next)
    {
        next = watched_run_end( start, end, &watched );
        if (watched ? watch_decommit( (void *)start, next - start ) : map_afresh( start, next ))
            return STATUS_NO_MEMORY;
        page_state_set( start, next, 0 );
    }
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           release_pages
 *
 * Rows 32 and 37. If the kernel cannot split the mapping nothing is released, but the part is no
 * longer watched, so that queries fail.
 */
static NTSTATUS release_pages( uintptr_t start, uintptr_t end )
{
    if (view_reserve( 2 )) return STATUS_NO_MEMORY;
    watch_remove( (void *)start, end - start );
    if (munmap( (void *)start, end - start )) return STATUS_NO_MEMORY;
    page_state_set( start, end, 0 );
    view_remove( view_split( view_find( start, end ), start, end ));
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           release_to_placeholder
 *
 * Also splits a placeholder.
 */
static NTSTATUS release_to_placeholder( struct view *view, uintptr_t start, uintptr_t end )
{
    int whole = view->base == start && view->end == end;

    if (start == end) return STATUS_INVALID_PARAMETER_3;
    if (!(view->flags & VIEW_PLACEHOLDER)) return STATUS_CONFLICTING_ADDRESSES;
    if (whole && (view->flags & VIEW_FREE_PLACEHOLDER)) return STATUS_CONFLICTING_ADDRESSES;

    if (view_reserve( 2 )) return STATUS_NO_MEMORY;
    view = view_find( start, end );   /* it may have moved */
    watch_remove( (void *)start, end - start );
    if (!(view->flags & VIEW_FREE_PLACEHOLDER) && map_afresh( start, end )) return STATUS_NO_MEMORY;

    page_state_set( start, end, 0 );
    view = view_split( view, start, end );
    view->flags   = VIEW_PLACEHOLDER | VIEW_FREE_PLACEHOLDER;
    view->protect = 0;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           join_placeholders
 *
 * Makes one placeholder of two or more neighbours that together are the range.
 */
static NTSTATUS join_placeholders( struct view *view, uintptr_t start, uintptr_t end )
{
    struct view *last, *next;
    size_t count;

    if (start == end) return STATUS_INVALID_PARAMETER_3;
    if (view->base != start || !(view->flags & VIEW_FREE_PLACEHOLDER))
        return STATUS_CONFLICTING_ADDRESSES;

    for (last = view, count = 0; last->end < end; last = next, count++)
    {
        next = view_next( last );
        if (!next || next->base != last->end || !(next->flags & VIEW_FREE_PLACEHOLDER))
            return STATUS_CONFLICTING_ADDRESSES;
    }
    if (!count || last->end != end) return STATUS_CONFLICTING_ADDRESSES;

    for (; count; count--) view_remove( view + 1 );
    view->end = end;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           free_memory
 *
 * An empty range means the whole view; *end becomes the end of what was freed. The lock is held.
 */
static NTSTATUS free_memory( uintptr_t start, uintptr_t *end, ULONG type )
{
    struct view *view;
    uintptr_t view_end;

    if (!start) return STATUS_INVALID_PARAMETER;
    if (!(view = view_find( start, start ))) return STATUS_MEMORY_NOT_ALLOCATED;
    view_end = view->end;
    if (*end == start && start != view->base) return STATUS_FREE_VM_NOT_AT_BASE;
    if ((*end < start || *end > view_end) && !(type & MEM_COALESCE_PLACEHOLDERS))
        return STATUS_UNABLE_TO_FREE_VM;

    switch (type)
    {
    case MEM_DECOMMIT:
        if (*end == start) *end = view_end;
        return decommit_pages( start, *end );
    case MEM_RELEASE:
        if (*end == start) *end = view_end;
        return release_pages( start, *end );
    case MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER:
        return release_to_placeholder( view, start, *end );
    case MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS:
        return join_placeholders( view, start, *end );
    case MEM_COALESCE_PLACEHOLDERS:
        return STATUS_INVALID_PARAMETER_4;
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NTAPI NtFreeVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG type )
{
    uintptr_t addr_value, size_value, start, end;
    sigset_t sigset;
    NTSTATUS status;

    process_init();
    status = get_range_arguments( process, addr, size, &addr_value, &size_value );
    if (status) return status;
    start = round_down( addr_value );
    end = size_value ? round_up( addr_value + size_value ) : start;
    /* a range that ends with the address space or wraps around, perhaps into the page where it
     * began, ends beyond any view */
    if (size_value && (end <= start || addr_value + size_value < addr_value)) end = start - 1;

    virtual_lock( &sigset );
    status = free_memory( start, &end, type );
    virtual_unlock( &sigset );
    return status ? status : put_range_arguments( addr, size, start, end );
}
