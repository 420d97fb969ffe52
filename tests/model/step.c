/*
 * Steps: an operation made for real and in the model, and the answers compared
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "step.h"

char difference[1024];
const char *wrong_rule = "";
NTSTATUS expected;
struct wrong_byte wrong_byte;

/***********************************************************************
 *           differs
 */
int differs( const char *format, ... )
{
    va_list args;

    va_start( args, format );
    vsnprintf( difference, sizeof(difference), format, args );
    va_end( args );
    return 0;
}

/* the last error that the Win32 functions set */
static DWORD error_of_status( NTSTATUS status )
{
    switch (status)
    {
    case STATUS_ACCESS_VIOLATION:        return ERROR_NOACCESS;
    case STATUS_GUARD_PAGE_VIOLATION:    return STATUS_GUARD_PAGE_VIOLATION;
    case STATUS_ACCESS_DENIED:           return ERROR_ACCESS_DENIED;
    case STATUS_NO_MEMORY:               return ERROR_NOT_ENOUGH_MEMORY;
    case STATUS_CONFLICTING_ADDRESSES:
    case STATUS_NOT_MAPPED_VIEW:
    case STATUS_NOT_COMMITTED:
    case STATUS_FREE_VM_NOT_AT_BASE:
    case STATUS_MEMORY_NOT_ALLOCATED:    return ERROR_INVALID_ADDRESS;
    default:                             return ERROR_INVALID_PARAMETER;
    }
}

/***********************************************************************
 *           check_status
 *
 * Of the Win32 face: status is whether it failed, and the error counts.
 */
int check_status( const char *call, int strict, int nt, NTSTATUS status, DWORD error,
                  NTSTATUS expect )
{
    expected = expect;
    if (!strict && status && expect) return 1;
    if (nt && status != expect)
        return differs( "%s returned %08x, expected %08x", call, (int)status, (int)expect );
    if (!nt && !status != !expect)
        return differs( "%s %s (error %u), expected status %08x", call,
                        status ? "failed" : "succeeded", (int)error, (int)expect );
    if (!nt && expect && error != error_of_status( expect ))
        return differs( "%s set error %u, expected %u", call, (int)error,
                        (int)error_of_status( expect ));
    return 1;
}

static int step_alloc( struct space *space, const struct op *op )
{
    uint64_t addr = address_of( op ), size = op->size;
    int anywhere = space != &spaces[ARENA] && !space->in_use, ex = op->c == FACE_NT_EX;
    void *base = space->base + addr, *result;
    SIZE_T bytes = op->size;
    NTSTATUS status, expect;
    DWORD error = 0;

    if (ex && !platform.has_placeholders) return 1;
    if (anywhere)
    {
        if (op->a & (MEM_RESERVE_PLACEHOLDER | MEM_REPLACE_PLACEHOLDER | MEM_RESET)) return 1;
        if (size > (uint64_t)space->pages * PAGE && size <= ADDRESS_LIMIT) return 1;
        base = NULL;
    }
    else if (op->a & MEM_RESERVE)
    {
        /* what lies around the other spaces is not known */
        if (space != &spaces[ARENA] && !(op->a & MEM_REPLACE_PLACEHOLDER)) return 1;
        if (size <= ADDRESS_LIMIT && (addr + size) / PAGE >= space->pages) return 1;
    }
    /* nor where the addresses of a 32-bit process end */
    if (base && size <= ADDRESS_LIMIT && (ULONG_PTR)base + size > ADDRESS_LIMIT) return 1;

    if (op->c == FACE_NT) status = call_allocate( &base, &bytes, op->a, op->b );
    else if (ex) status = call_allocate_ex( &base, &bytes, op->a, op->b );
    else
    {
        SetLastError( 0xdeadbeef );
        result = VirtualAlloc( base, op->size, op->a, op->b );
        status = !result;
        error = GetLastError();
        if (result) base = result;
    }

    if (!anywhere) expect = model_allocate( space, &addr, &size, op->a, op->b, ex );
    else if (!(expect = model_check_allocate( size, op->a, op->b, ex )))
    {
        size = (size + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        addr = 0;
        if (!is_protection( op->b )) expect = STATUS_INVALID_PAGE_PROTECTION;
        else if (!status)
        {
            if ((ULONG_PTR)base & (UNIT - 1)) return differs( "allocated at %p", base );
            space->base = base;
            model_reserve( space, 0, size / PAGE, op->a, op->b );
        }
    }
    if (!check_status( "allocating", platform.strict_statuses, op->c != FACE_WIN32, status, error,
                       expect )) return 0;
    if (status) return 1;
    if (base != space->base + addr || (op->c != FACE_WIN32 && bytes != size))
        return differs( "allocating answered %p, size %#x; expected %p, size %#x", base,
                        (int)bytes, space->base + addr, (int)size );
    return 1;
}

static int step_free( struct space *space, const struct op *op )
{
    uint64_t addr = address_of( op ), size = op->size;
    const struct view *view = view_at( space, op->page );
    void *base = space->base + addr;
    SIZE_T bytes = op->size;
    NTSTATUS status, expect;
    DWORD error = 0;

    if (!platform.has_placeholders && (op->a & ~(uint64_t)(MEM_RELEASE | MEM_DECOMMIT))) return 1;
    if (!platform.releases_parts && op->a == MEM_RELEASE && size) return 1;
    if (view && view->free_placeholder && op->a == MEM_DECOMMIT) return 1;

    if (op->c != FACE_WIN32) status = call_free( &base, &bytes, op->a );
    else
    {
        SetLastError( 0xdeadbeef );
        status = !VirtualFree( base, op->size, op->a );
        error = GetLastError();
    }
    /* row 37: only the Nt call can release parts */
    if (op->c == FACE_WIN32 && op->a == MEM_RELEASE && op->size) expect = STATUS_INVALID_PARAMETER;
    else
    {
        size_t first = op->page, end = size ? end_page( space, op ) : view ? view->end : first;

        expect = model_free( space, &addr, &size, op->a );
        if (!expect && !strcmp( wrong_rule, "decommit" ) && op->a == MEM_DECOMMIT)
            for (; first < end; first++) space->page[first].written = NOT_WRITTEN;
    }
    if (!check_status( "freeing", platform.strict_statuses, op->c != FACE_WIN32, status, error,
                       expect )) return 0;
    /* Wine 8 leaves a size of 0 as it is */
    if (!platform.strict_statuses && !op->size) bytes = size;
    if (!status && op->c != FACE_WIN32 && (base != space->base + addr || bytes != size))
        return differs( "freeing answered %p, size %#x; expected %p, size %#x", base, (int)bytes,
                        space->base + addr, (int)size );
    return 1;
}

static int step_protect( struct space *space, const struct op *op )
{
    uint64_t addr = address_of( op ), size = op->size;
    void *base = space->base + addr;
    SIZE_T bytes = op->size;
    uint32_t expect_old = 0;
    ULONG old_nt = 0xdeadbeef;
    DWORD old = 0xdeadbeef, error = 0;
    NTSTATUS status, expect;

    if (!size) return 1;
    if (op->c != FACE_WIN32)
    {
        status = call_protect( &base, &bytes, op->a, op->b ? NULL : &old_nt );
        old = old_nt;
    }
    else
    {
        SetLastError( 0xdeadbeef );
        status = !VirtualProtect( base, op->size, op->a, op->b ? NULL : &old );
        error = GetLastError();
    }
    if (op->b) expect = STATUS_ACCESS_VIOLATION;
    else expect = model_protect( space, &addr, &size, op->a, &expect_old );
    if (!check_status( "protecting", platform.strict_statuses, op->c != FACE_WIN32, status, error,
                       expect )) return 0;
    if (status) return 1;
    if (!strcmp( wrong_rule, "protect" ))
        space->page[op->page].written = NOT_WRITTEN;
    if (old != expect_old)
        return differs( "the old protection is %#x, expected %#x", (int)old, (int)expect_old );
    if (op->c != FACE_WIN32 && (base != space->base + addr || bytes != size))
        return differs( "protecting answered %p, size %#x; expected %p, size %#x", base, (int)bytes,
                        space->base + addr, (int)size );
    return 1;
}

static int step_reset( struct space *space, const struct op *op )
{
    uint64_t addr = address_of( op );
    NTSTATUS status, expect = STATUS_SUCCESS;
    size_t page, end = end_page( space, op );
    DWORD error = 0;

    if (op->c != FACE_WIN32) status = call_reset( space->base + addr, op->size );
    else
    {
        SetLastError( 0xdeadbeef );
        status = ResetWriteWatch( space->base + addr, op->size );
        error = GetLastError();
    }
    if (!region_of_range( space, addr, addr + op->size )) expect = STATUS_INVALID_PARAMETER;
    if (!check_status( "resetting", 1, op->c != FACE_WIN32, status, error, expect )) return 0;
    if (!expect)
        for (page = op->page; page < end; page++) space->page[page].written = NOT_WRITTEN;
    return 1;
}

/***********************************************************************
 *           step_query
 *
 * Row 36.
 */
static int step_query( struct space *space, const struct op *op )
{
    const struct view *view = view_at( space, op->page );
    const struct page *page = &space->page[op->page], *next;
    MEMORY_BASIC_INFORMATION info;
    size_t end = op->page + 1;
    DWORD state, protect, alloc_protect, type;

    if (op->page >= space->pages) return 1;
    memset( &info, 0xcc, sizeof(info) );
    if (VirtualQuery( space->base + address_of( op ), &info, sizeof(info) ) != sizeof(info))
        return differs( "VirtualQuery of page %u of space %u failed, error %u", (int)op->page,
                        (int)(space - spaces), (int)GetLastError() );
    if (!view)
    {
        if (space != &spaces[ARENA]) return 1;
        while (end < space->pages && !view_at( space, end )) end++;
        if (info.State != MEM_FREE || info.BaseAddress != space->base + op->page * PAGE)
            return differs( "page %u has state %#x, expected a free one", (int)op->page,
                            (int)info.State );
        if (end < space->pages ? info.RegionSize != (end - op->page) * PAGE
                               : info.RegionSize < (end - op->page) * PAGE)
            return differs( "page %u: free size %#x, expected %#x", (int)op->page,
                            (int)info.RegionSize, (int)((end - op->page) * PAGE) );
        return 1;
    }
    for (; end < view->end; end++)
    {
        next = &space->page[end];
        if (next->committed != page->committed || next->protect != page->protect) break;
    }
    /* Wine distinguishes reserved pages by the protection that they had or will have */
    if (!platform.strict_statuses && !page->committed && info.RegionSize &&
        info.RegionSize < (end - op->page) * PAGE)
        end = op->page + info.RegionSize / PAGE;
    state = page->committed ? MEM_COMMIT : MEM_RESERVE;
    protect = page->committed ? page->protect : 0;
    alloc_protect = view->protect;
    type = MEM_PRIVATE;
    if (info.BaseAddress != space->base + op->page * PAGE ||
        info.AllocationBase != space->base + view->first * PAGE ||
        info.RegionSize != (end - op->page) * PAGE || info.State != state ||
        info.Protect != protect || info.Type != type || info.AllocationProtect != alloc_protect)
        return differs( "page %u of space %u: allocation %#x+%#x size %#x state %#x protection %#x "
                        "type %#x allocated %#x, expected %#x size %#x state %#x protection %#x "
                        "type %#x allocated %#x", (int)op->page, (int)(space - spaces),
                        (int)((char *)info.AllocationBase - space->base),
                        (int)((char *)info.BaseAddress - space->base), (int)info.RegionSize,
                        (int)info.State, (int)info.Protect, (int)info.Type,
                        (int)info.AllocationProtect, (int)(view->first * PAGE),
                        (int)((end - op->page) * PAGE), (int)state, (int)protect, (int)type,
                        (int)alloc_protect );
    return 1;
}

static int step_lock( struct space *space, const struct op *op )
{
    uint64_t addr = address_of( op );
    NTSTATUS expect = model_lock( space, addr, op->size );
    int failed;

    if (!view_of_range( space, addr, addr + op->size )) return 1;
    /* Wine locks what is only reserved, too. If that is watched later, in the place of a
     * placeholder, the kernel brings its pages in as by writes when they are committed. */
    if (expect && !platform.strict_locks && !region_of_range( space, addr, addr + op->size ))
        return 1;
    if (op->kind == OP_UNLOCK)
    {
        VirtualUnlock( space->base + addr, op->size );
        return 1;
    }
    failed = !VirtualLock( space->base + addr, op->size );
    if (failed ? !expect : expect && platform.strict_locks)
        return differs( "locking %s, error %u, expected status %08x", failed ? "failed" :
                        "succeeded", (int)GetLastError(), (int)expect );
    return 1;
}

static int step_page_out( struct space *space, const struct op *op )
{
    size_t page, end = end_page( space, op );

    for (page = op->page; page < end; page++)
        if (view_at( space, page )) page_out( space->base + page * PAGE, PAGE );
    return 1;
}

/***********************************************************************
 *           make_step
 */
int make_step( const struct op *op )
{
    struct space *space = &spaces[op->space % SPACES];

    if (op->page >= space->pages || op->skew >= PAGE) return 1;
    if (!platform.strict_sizes && op->kind != OP_GET && op->kind != OP_RESET &&
        wraps( space, address_of( op ), op->size )) return 1;
    if (is_foreign( space, op->page ) && (op->kind != OP_ALLOC || space->in_use)) return 1;
    switch (op->kind)
    {
    case OP_ALLOC:        return step_alloc( space, op );
    case OP_FREE:         return step_free( space, op );
    case OP_PROTECT:      return step_protect( space, op );
    case OP_READ:
    case OP_WRITE:        return step_access( space, op );
    case OP_KERNEL_WRITE: return step_kernel_write( space, op );
    case OP_GET:          return step_get( space, op );
    case OP_RESET:        return step_reset( space, op );
    case OP_QUERY:        return step_query( space, op );
    case OP_LOCK:
    case OP_UNLOCK:       return step_lock( space, op );
    case OP_FORK:         return step_fork( op );
    case OP_PAGE_OUT:     return step_page_out( space, op );
    }
    return 1;
}

/***********************************************************************
 *           check_all
 */
int check_all( int contents )
{
    unsigned int i, j;
    size_t page;

    for (i = 0; i < SPACES; i++)
    {
        struct space *space = &spaces[i];

        for (j = 1; j < space->view_count; j++)
            if (space->views[j].used && space->views[j].watched &&
                !check_region( space, &space->views[j] )) return 0;
        for (page = 0; contents && page < space->pages; page++)
            if (space->page[page].touched && !check_contents( space, page )) return 0;
    }
    return 1;
}

/***********************************************************************
 *           clear_spaces
 */
void clear_spaces(void)
{
    unsigned int i, j;

    for (i = 0; i < SPACES; i++)
        for (j = 1; j < spaces[i].view_count; j++)
        {
            struct view *view = &spaces[i].views[j];
            uint64_t addr = (uint64_t)view->first * PAGE, size = 0;

            if (!view->used) continue;
            VirtualFree( spaces[i].base + addr, 0, MEM_RELEASE );
            model_free( &spaces[i], &addr, &size, MEM_RELEASE );
        }
    /* the next sequence must not depend on this one */
    for (i = 0; i < SPACES; i++) spaces[i].view_count = 1;
}
