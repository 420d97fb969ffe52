/*
 * The rules of Windows: allocations, the state of pages, and which of them are written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row numbers are those of docs/windows-rules.md. What the statuses are beyond that is taken from
 * Wine.
 */

#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Below 2 GiB, where neither the loader nor the tools that watch programs have anything. A 32-bit
 * Wine reports free addresses there as reserved, but for those that it keeps for Windows
 * programs. */
#if defined(_WIN32) && !defined(_WIN64)
#define ARENA_BASE ((char *)0x10000000)
#else
#define ARENA_BASE ((char *)0x50000000)
#endif

struct space spaces[SPACES];

void model_init_space( struct space *space, char *base, size_t pages )
{
    space->base  = base;
    space->pages = pages;
    space->page  = calloc( pages, sizeof(*space->page) );
    space->copy  = calloc( pages, PAGE );
    space->views = calloc( pages + 1, sizeof(*space->views) );
    space->view_count = 1;
    if (!space->page || !space->copy || !space->views) abort();
}

void model_init(void)
{
    unsigned int i;

    for (i = 0; i < SPACES; i++)
        model_init_space( &spaces[i], i == ARENA ? ARENA_BASE : NULL,
                          i == ARENA ? ARENA_PAGES : OTHER_PAGES );
}

/***********************************************************************
 *           view_at
 */
struct view *view_at( struct space *space, size_t page )
{
    if (page >= space->pages || !space->page[page].view) return NULL;
    return &space->views[space->page[page].view];
}

/***********************************************************************
 *           wraps
 */
int wraps( const struct space *space, uint64_t addr, uint64_t size )
{
    uintptr_t start = (uintptr_t)space->base + addr;

    return (uintptr_t)(start + size) < start;
}

/***********************************************************************
 *           view_of_range
 */
struct view *view_of_range( struct space *space, uint64_t start, uint64_t end )
{
    struct view *view = view_at( space, start / PAGE );

    if (!view || end <= start || end > (uint64_t)view->end * PAGE) return NULL;
    return view;
}

/***********************************************************************
 *           region_of_range
 *
 * Row 6.
 */
struct view *region_of_range( struct space *space, uint64_t start, uint64_t end )
{
    struct view *view = view_of_range( space, start, end );

    return view && view->watched ? view : NULL;
}

/* a view of its own for pages that have one or none; returns it */
static struct view *cut_view( struct space *space, size_t first, size_t end )
{
    struct view old = { 0 }, *view;
    unsigned int i;
    size_t page;

    if (view_at( space, first )) old = *view_at( space, first );

    /* what is left behind it */
    if (old.used && old.end > end) cut_view( space, end, old.end );
    if (old.used && old.first == first)
    {
        view = view_at( space, first );
        view->end = end;
        return view;
    }
    if (old.used) view_at( space, first )->end = first;

    for (i = 1; i < space->view_count; i++) if (!space->views[i].used) break;
    if (i == space->view_count) space->view_count++;
    view = &space->views[i];
    *view = old;
    view->used  = 1;
    view->first = first;
    view->end   = end;
    for (page = first; page < end; page++) space->page[page].view = i;
    return view;
}

/* pages without contents, not committed; their view and written state stay */
static void empty_pages( struct space *space, size_t first, size_t end )
{
    for (; first < end; first++)
    {
        struct page *page = &space->page[first];

        if (page->touched) memset( space->copy + first * PAGE, 0, PAGE );
        page->committed = page->protect = 0;
        page->contents = KNOWN;
    }
}

static void clean_pages( struct space *space, size_t first, size_t end )
{
    for (; first < end; first++)
    {
        space->page[first].written = NOT_WRITTEN;
        space->page[first].touched = 0;
    }
}

static void commit_pages( struct space *space, size_t first, size_t end, uint32_t protect )
{
    for (; first < end; first++)
    {
        space->page[first].committed = 1;
        space->page[first].protect   = protect;
    }
}

/***********************************************************************
 *           is_protection
 *
 * Whether memory without a file can have it.
 */
int is_protection( uint32_t protect )
{
    switch (protect & 0xff)
    {
    case PAGE_NOACCESS:
    case PAGE_READONLY:
    case PAGE_READWRITE:
    case PAGE_EXECUTE:
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_READWRITE:
        return 1;
    }
    return 0;
}

/***********************************************************************
 *           model_reserve
 *
 * Rows 11, 14, 32: what is new is clean.
 */
void model_reserve( struct space *space, size_t first, size_t end, uint32_t type, uint32_t protect )
{
    struct view *view = cut_view( space, first, end );

    if (type & MEM_RESERVE_PLACEHOLDER) view->placeholder = view->free_placeholder = 1;
    else view->free_placeholder = 0;
    view->watched = (type & MEM_WRITE_WATCH) && !(type & MEM_RESERVE_PLACEHOLDER);
    view->protect = protect;
    empty_pages( space, first, end );
    clean_pages( space, first, end );
    if (type & MEM_COMMIT) commit_pages( space, first, end, protect );
    if (!(type & MEM_REPLACE_PLACEHOLDER)) space->in_use += end - first;
}

/***********************************************************************
 *           model_check_allocate
 *
 * Rows 25, 27b: what follows from the arguments alone.
 */
NTSTATUS model_check_allocate( uint64_t size, uint32_t type, uint32_t protect, int ex )
{
    uint32_t types = MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | MEM_WRITE_WATCH | MEM_RESET;

    if (ex) types |= MEM_RESERVE_PLACEHOLDER | MEM_REPLACE_PLACEHOLDER;
    if (!size) return STATUS_INVALID_PARAMETER;
    if (type & ~types) return STATUS_INVALID_PARAMETER;
    if (size > ADDRESS_LIMIT) return STATUS_WORKING_SET_LIMIT_RANGE;
    if (!(type & (MEM_COMMIT | MEM_RESERVE | MEM_RESET))) return STATUS_INVALID_PARAMETER;
    if ((type & MEM_REPLACE_PLACEHOLDER) && !(type & MEM_RESERVE)) return STATUS_INVALID_PARAMETER;
    if ((type & MEM_RESERVE_PLACEHOLDER) && protect != PAGE_NOACCESS)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           model_allocate
 *
 * Rows 14, 15, 28, 31.
 */
NTSTATUS model_allocate( struct space *space, uint64_t *addr, uint64_t *size, uint32_t type,
                         uint32_t protect, int ex )
{
    NTSTATUS status = model_check_allocate( *size, type, protect, ex );
    uint64_t start = *addr / PAGE, end = (*addr + *size + PAGE - 1) / PAGE, i;
    struct view *view = view_at( space, start );

    if (status) return status;
    if ((type & MEM_RESERVE) && !(type & MEM_REPLACE_PLACEHOLDER))
        start &= ~(uint64_t)(UNIT / PAGE - 1);

    if (type & MEM_RESERVE)
    {
        if (!is_protection( protect )) return STATUS_INVALID_PAGE_PROTECTION;
        if (type & MEM_REPLACE_PLACEHOLDER)
        {
            if (!view) return STATUS_INVALID_PARAMETER;
            if (view->first != start || view->end != end) return STATUS_CONFLICTING_ADDRESSES;
            if (!view->free_placeholder) return STATUS_INVALID_PARAMETER;
        }
        else
            for (i = start; i < end; i++)
                if (view_at( space, i )) return STATUS_CONFLICTING_ADDRESSES;
        model_reserve( space, start, end, type, protect );
    }
    else
    {
        if (!view || view->end < end) return STATUS_NOT_MAPPED_VIEW;
        if (type & MEM_RESET)
        {
            for (i = start; i < end; i++)
                if (space->page[i].committed && space->page[i].contents == KNOWN)
                    space->page[i].contents = OLD_OR_ZERO;
        }
        else
        {
            if (view->free_placeholder) return STATUS_CONFLICTING_ADDRESSES;
            if (!is_protection( protect )) return STATUS_INVALID_PAGE_PROTECTION;
            commit_pages( space, start, end, protect );
        }
    }
    *addr = start * PAGE;
    *size = (end - start) * PAGE;
    return STATUS_SUCCESS;
}

/* rows 32 and 37 */
static void release_pages( struct space *space, size_t first, size_t end )
{
    struct view *view = cut_view( space, first, end );

    empty_pages( space, first, end );
    clean_pages( space, first, end );
    space->in_use -= end - first;
    view->used = 0;
    for (; first < end; first++) space->page[first].view = 0;
}

/* also splits a placeholder */
static NTSTATUS release_to_placeholder( struct space *space, struct view *view, size_t first,
                                        size_t end )
{
    if (first == end) return STATUS_INVALID_PARAMETER_3;
    if (!view->placeholder) return STATUS_CONFLICTING_ADDRESSES;
    if (view->free_placeholder && view->first == first && view->end == end)
        return STATUS_CONFLICTING_ADDRESSES;

    view = cut_view( space, first, end );
    view->free_placeholder = 1;
    view->watched = 0;
    view->protect = PAGE_NOACCESS;
    empty_pages( space, first, end );
    clean_pages( space, first, end );
    return STATUS_SUCCESS;
}

/* two or more placeholders that are the range */
static NTSTATUS join_placeholders( struct space *space, size_t first, size_t end )
{
    struct view *view = view_at( space, first ), *next;
    size_t page;
    int count = 0;

    if (first == end) return STATUS_INVALID_PARAMETER_3;
    if (view->first != first) return STATUS_CONFLICTING_ADDRESSES;
    for (page = first; page < end; page = next->end, count++)
        if (!(next = view_at( space, page )) || !next->free_placeholder || next->end > end)
            return STATUS_CONFLICTING_ADDRESSES;
    if (count < 2) return STATUS_CONFLICTING_ADDRESSES;

    for (page = view->end; page < end; page++)
    {
        space->views[space->page[page].view].used = 0;
        space->page[page].view = space->page[first].view;
    }
    view->end = end;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           model_free
 */
NTSTATUS model_free( struct space *space, uint64_t *addr, uint64_t *size, uint32_t type )
{
    uint64_t first = *addr / PAGE, end = *size ? (*addr + *size + PAGE - 1) / PAGE : first;
    struct view *view = view_at( space, first );
    NTSTATUS status = STATUS_SUCCESS;

    /* as far beyond any view as what wraps around */
    if (*size > ADDRESS_LIMIT) end = ADDRESS_LIMIT;
    if (!view) return STATUS_MEMORY_NOT_ALLOCATED;
    if (!*size && first != view->first) return STATUS_FREE_VM_NOT_AT_BASE;
    if (end > view->end && !(type & MEM_COALESCE_PLACEHOLDERS)) return STATUS_UNABLE_TO_FREE_VM;

    switch (type)
    {
    case MEM_DECOMMIT:   /* row 15 */
        if (end == first) end = view->end;
        empty_pages( space, first, end );
        break;
    case MEM_RELEASE:
        if (end == first) end = view->end;
        release_pages( space, first, end );
        break;
    case MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER:
        status = release_to_placeholder( space, view, first, end );
        break;
    case MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS:
        status = join_placeholders( space, first, end );
        break;
    case MEM_COALESCE_PLACEHOLDERS:
        return STATUS_INVALID_PARAMETER_4;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    if (status) return status;
    *addr = first * PAGE;
    *size = (end - first) * PAGE;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           model_protect
 *
 * Row 13: written state is unaffected.
 */
NTSTATUS model_protect( struct space *space, uint64_t *addr, uint64_t *size, uint32_t protect,
                        uint32_t *old )
{
    uint64_t first = *addr / PAGE, end = (*addr + *size + PAGE - 1) / PAGE, i;

    if (wraps( space, *addr, *size ) || !view_of_range( space, first * PAGE, end * PAGE ))
        return STATUS_INVALID_PARAMETER;
    for (i = first; i < end; i++) if (!space->page[i].committed) return STATUS_NOT_COMMITTED;
    if (!is_protection( protect )) return STATUS_INVALID_PAGE_PROTECTION;
    *old = space->page[first].protect;
    commit_pages( space, first, end, protect );
    *addr = first * PAGE;
    *size = (end - first) * PAGE;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           model_lock
 *
 * Row 23: nothing becomes written.
 */
NTSTATUS model_lock( struct space *space, uint64_t addr, uint64_t size )
{
    uint64_t first = addr / PAGE, end = (addr + size + PAGE - 1) / PAGE;

    if (end <= first || wraps( space, addr, size )) return STATUS_INVALID_PARAMETER;
    for (; first < end; first++)
        if (first >= space->pages || !is_readable( &space->page[first] ))
            return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

int is_readable( const struct page *page )
{
    return page->committed && !(page->protect & (PAGE_GUARD | PAGE_NOACCESS));
}

int is_writable( const struct page *page )
{
    return is_readable( page ) && (page->protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE));
}

/***********************************************************************
 *           model_access
 *
 * Row 22.
 */
NTSTATUS model_access( struct space *space, uint64_t addr, int write )
{
    struct page *page = &space->page[addr / PAGE];

    if (addr / PAGE >= space->pages || !page->committed) return STATUS_ACCESS_VIOLATION;
    page->touched = 1;
    if (page->protect & PAGE_GUARD)
    {
        page->protect &= ~PAGE_GUARD;
        return STATUS_GUARD_PAGE_VIOLATION;
    }
    if (!(write ? is_writable( page ) : is_readable( page ))) return STATUS_ACCESS_VIOLATION;
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           model_write
 *
 * A page of which something else than this is unknown stays so.
 */
void model_write( struct space *space, uint64_t addr, const void *data, size_t size )
{
    struct page *page = &space->page[addr / PAGE];

    memcpy( space->copy + addr, data, size );
    if (size == PAGE) page->contents = KNOWN;
    else if (page->contents != KNOWN) page->contents = UNKNOWN;
    page->written = WRITTEN;
    page->touched = 1;
}
