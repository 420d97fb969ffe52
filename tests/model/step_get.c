/*
 * Steps: GetWriteWatch, with results arrays of all kinds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <string.h>

#include "step.h"

#define RESET       WRITE_WATCH_FLAG_RESET
#define MAX_RESULTS 8192
#define SENTINEL    ((void *)(uintptr_t)0xdeadbeef)

static void *results[MAX_RESULTS + 1];
static char *block;        /* a page that can be written, one that cannot, one that can be read */

/***********************************************************************
 *           get_open
 */
int get_open(void)
{
    DWORD old;

    if (!(block = VirtualAlloc( NULL, 3 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE )))
        return 0;
    return VirtualProtect( block + PAGE, PAGE, PAGE_NOACCESS, &old ) &&
           VirtualProtect( block + 2 * PAGE, PAGE, PAGE_READONLY, &old );
}

/* how the call itself can use a range */
struct usable
{
    uint64_t room;     /* bytes up to the first page that cannot be written */
    NTSTATUS status;   /* what a store to that page gives, 0 without one */
    uint64_t page;
};

/***********************************************************************
 *           get_usable
 */
static struct usable get_usable( const struct space *space, uint64_t addr, uint64_t size )
{
    uint64_t page = addr / PAGE, end = (addr + size + PAGE - 1) / PAGE;
    struct usable ret = { .room = size };

    while (page < end && page < space->pages && is_writable( &space->page[page] )) page++;
    if (page >= end) return ret;
    ret.room = page * PAGE > addr ? page * PAGE - addr : 0;
    ret.page = page;
    ret.status = STATUS_ACCESS_VIOLATION;
    if (page < space->pages && space->page[page].committed &&
        space->page[page].protect & PAGE_GUARD)
        ret.status = STATUS_GUARD_PAGE_VIOLATION;
    return ret;
}

/***********************************************************************
 *           count_written
 *
 * How many pages of a range are to be reported, at least and at most. Those in which the array lies
 * may become written before the call comes by.
 */
static void count_written( const struct space *space, uint64_t first, uint64_t end,
                           const struct space *other, uint64_t array, uint64_t size,
                           uint64_t *least, uint64_t *most )
{
    uint64_t page;

    for (*least = *most = 0, page = first; page < end; page++)
    {
        if (space->page[page].written == WRITTEN) ++*least;
        if (space->page[page].written != NOT_WRITTEN ||
            (space == other && size && page >= array / PAGE && page <= (array + size - 1) / PAGE))
            ++*most;
    }
}

/* what the call writes to: the pages may be reported already by it, or not */
static void open_pages( struct space *space, uint64_t addr, uint64_t size )
{
    uint64_t page;

    if (!size) return;
    for (page = addr / PAGE; page < (addr + size + PAGE - 1) / PAGE; page++)
        if (space->page[page].written == NOT_WRITTEN) space->page[page].written = MAYBE_WRITTEN;
}

/* The same afterwards, row 33: a page that was not reported is written. With RESET one that was
 * reported may have been written again. */
static void close_pages( struct space *space, uint64_t addr, uint64_t size, int reset, void **array,
                         size_t count )
{
    uint64_t page;
    size_t i;

    if (!size) return;
    for (page = addr / PAGE; page < (addr + size + PAGE - 1) / PAGE; page++)
    {
        for (i = 0; reset && i < count; i++) if (array[i] == space->base + page * PAGE) break;
        space->page[page].written = reset && i < count ? MAYBE_WRITTEN : WRITTEN;
        space->page[page].touched = 1;
    }
}

/* the pages of a list such as 0-3,7, for messages */
static const char *list_pages( const struct space *space, void **array, size_t count )
{
    static char buffer[400];
    size_t i, run, pos = 0;

    strcpy( buffer, "none" );
    for (i = 0; i < count && pos + 60 < sizeof(buffer); i += run)
    {
        ptrdiff_t first = (char *)array[i] - space->base;

        for (run = 1; i + run < count; run++)
            if ((char *)array[i + run] != (char *)array[i] + run * PAGE) break;
        pos += sprintf( buffer + pos, "%s%d", i ? "," : "", (int)(first / PAGE) );
        if (run > 1) pos += sprintf( buffer + pos, "-%d", (int)(first / PAGE + run - 1) );
    }
    if (i < count) sprintf( buffer + pos, ",..." );
    return buffer;
}

/***********************************************************************
 *           check_results
 *
 * Row 10. The model takes over what was open, and what was reset.
 */
static int check_results( struct space *space, size_t first, size_t end, int reset, size_t max,
                          void **array, size_t count )
{
    size_t page, pos = 0;

    if (count > max) return differs( "%u results, there was room for %u", (int)count, (int)max );
    for (page = first; page < end && pos < max; page++)
    {
        unsigned char *state = &space->page[page].written;
        int reported = pos < count && array[pos] == space->base + page * PAGE;

        if (reported && *state == NOT_WRITTEN)
            return differs( "page %u of space %u was reported, which is not written; pages %s",
                            (int)page, (int)(space - spaces), list_pages( space, array, count ));
        if (!reported && *state == WRITTEN)
            return differs( "page %u of space %u is written and was not reported; pages %s",
                            (int)page, (int)(space - spaces), list_pages( space, array, count ));
        if (reported) pos++;
        *state = reported && !reset ? WRITTEN : NOT_WRITTEN;
    }
    if (pos < count)
        return differs( "result %u is page %d of space %u, out of order or beyond pages %u-%u",
                        (int)pos, (int)(((char *)array[pos] - space->base) / PAGE),
                        (int)(space - spaces), (int)first, (int)end - 1 );
    return 1;
}

/***********************************************************************
 *           check_region
 */
int check_region( struct space *space, const struct view *view )
{
    ULONG_PTR count = MAX_RESULTS;
    ULONG granularity = 0;
    NTSTATUS status = call_get( 0, space->base + view->first * PAGE,
                                (view->end - view->first) * PAGE, results, &count, &granularity );

    if (status)
        return differs( "a query of pages %u-%u of space %u returned %08x", (int)view->first,
                        (int)view->end - 1, (int)(space - spaces), (int)status );
    return check_results( space, view->first, view->end, 0, MAX_RESULTS, results, count );
}

/***********************************************************************
 *           expected_status
 *
 * Of the arguments. The order of the checks: rows 2, 3, 5, 4, 1.
 */
static NTSTATUS expected_status( struct space *space, const struct op *op, NTSTATUS count_status )
{
    uint64_t addr = op->page * PAGE + op->skew;

    if (op->d == ARRAY_NO_COUNT) return STATUS_ACCESS_VIOLATION;
    if (count_status) return count_status;
    if (!op->b || !op->size || op->a & ~(uint64_t)RESET) return STATUS_INVALID_PARAMETER;
    if (wraps( space, addr, op->size )) return STATUS_INVALID_PARAMETER;
    if (op->d == ARRAY_NULL) return STATUS_ACCESS_VIOLATION;
    if (!region_of_range( space, addr, addr + op->size )) return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

static NTSTATUS do_get( const struct op *op, void *base, void **array, ULONG_PTR *count,
                        ULONG *granularity, DWORD *error )
{
    UINT ret;
    DWORD size;

    if (op->c != FACE_WIN32) return call_get( op->a, base, op->size, array, count, granularity );
    size = *granularity;
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( op->a, base, op->size, array, count, &size );
    *error = GetLastError();
    *granularity = size;
    return ret;
}

/***********************************************************************
 *           model_failure
 *
 * What a query leaves that met a page of the array or the count that cannot be written: before it
 * addresses may have been stored, behind it nothing was. A guard is gone (row 34b).
 */
static void model_failure( struct space *space, uint64_t addr, uint64_t size, struct usable usable )
{
    uint64_t page, end = (addr + (size < usable.room ? size : usable.room) + PAGE - 1) / PAGE;

    for (page = addr / PAGE; page < end; page++)
    {
        if (space->page[page].written == NOT_WRITTEN) space->page[page].written = MAYBE_WRITTEN;
        space->page[page].contents = UNKNOWN;
    }
    if (usable.status == STATUS_GUARD_PAGE_VIOLATION)
    {
        space->page[usable.page].protect &= ~PAGE_GUARD;
        space->page[usable.page].touched = 1;
    }
}

/***********************************************************************
 *           lose_answer
 *
 * What a query resets whose answer cannot be copied (copies_answers): the first max written pages,
 * as far as these are known.
 */
static void lose_answer( struct space *space, uint64_t first, uint64_t end, uint64_t max )
{
    uint64_t least = 0, most = 0;
    struct page *page;

    for (page = &space->page[first]; page < &space->page[end] && least < max; page++)
    {
        if (page->written == NOT_WRITTEN) continue;
        if (page->written == WRITTEN) least++;
        page->written = ++most <= max ? NOT_WRITTEN : MAYBE_WRITTEN;
    }
}

/***********************************************************************
 *           step_get
 *
 * Rows 1 to 10, 33 to 34b.
 */
int step_get( struct space *space, const struct op *op )
{
    struct space *other = &spaces[op->d_space % SPACES];
    uint64_t addr = op->page * PAGE + op->skew, place = op->d_page * PAGE + (op->d_offset & 0xff8);
    ULONG_PTR own_count = op->b, *count = &own_count, max = op->b, i, stored;
    int inside = op->d == ARRAY_INSIDE, counts = op->d == ARRAY_COUNTS;
    uint64_t end = (addr + op->size + PAGE - 1) / PAGE, least = 0, most = 0;
    struct usable usable = { .room = max * sizeof(void *) };
    struct usable usable_count = { .room = sizeof(*count) };
    int reset = (op->a & RESET) != 0;
    ULONG granularity = 0xdeadbeef;
    NTSTATUS status, expect;
    void **array = results;
    DWORD error = 0;

    if (max > MAX_RESULTS) return 1;
    switch (op->d)
    {
    case ARRAY_OWN:
        for (i = 0; i <= max; i++) results[i] = SENTINEL;
        break;
    case ARRAY_NULL:
        array = NULL;
        break;
    case ARRAY_READONLY:
        array = (void **)(block + 2 * PAGE);
        usable.room = 0;
        usable.status = STATUS_ACCESS_VIOLATION;
        break;
    case ARRAY_SHORT:
        if (!max || max > 256) return 1;
        array = (void **)(block + PAGE) - (max - 1);
        usable.room = (max - 1) * sizeof(*array);
        usable.status = STATUS_ACCESS_VIOLATION;
        break;
    case ARRAY_KERNEL:
        array = KERNEL_ADDRESS;
        usable.room = 0;
        usable.status = STATUS_ACCESS_VIOLATION;
        break;
    case ARRAY_INSIDE:
    case ARRAY_COUNTS:
        if (place / PAGE >= other->pages) return 1;
        if (other != &spaces[ARENA] && !view_at( other, place / PAGE )) return 1;
        if (inside)
        {
            array = (void **)(other->base + place);
            usable = get_usable( other, place, max * sizeof(*array) );
            /* what of the array can be used is not known then */
            if (usable.status && other != &spaces[ARENA] &&
                !view_of_range( other, place, place + max * sizeof(*array) )) return 1;
        }
        else
        {
            count = (ULONG_PTR *)(other->base + place);
            usable_count = get_usable( other, place, sizeof(*count) );
            if (usable_count.status && is_readable( &other->page[place / PAGE] )) return 1;
        }
        break;
    case ARRAY_NO_COUNT:
        count = NULL;
        break;
    }

    if (counts && !usable_count.status)
    {
        if (!check_contents( other, place / PAGE )) return 0;
        if (try_copy( count, &max, sizeof(max) ))
            return differs( "page %u of space %u cannot be written", (int)op->d_page,
                            (int)op->d_space );
        model_write( other, place, &max, sizeof(max) );
    }
    for (i = place / PAGE; inside && i < (place + usable.room + PAGE - 1) / PAGE; i++)
        if (!check_contents( other, i )) return 0;

    status = do_get( op, space->base + addr, array, count, &granularity, &error );
    expect = expected_status( space, op, usable_count.status );
    if (!expect)
    {
        count_written( space, op->page, end, inside ? other : NULL, place, usable.room, &least,
                       &most );
        if (!strcmp( wrong_rule, "array" ) && usable.status) least = max;
        if (usable.room / sizeof(*array) < (least < max ? least : max)) expect = usable.status;
        else if (status && usable.room / sizeof(*array) < (most < max ? most : max))
            expect = usable.status;
    }
    if (!check_status( "a query", 1, op->c != FACE_WIN32, status, error, expect )) return 0;

    if (expect)
    {
        int copied = platform.copies_answers && usable.status && expect == usable.status;

        if (copied && reset) lose_answer( space, op->page, end, max );
        if (counts && usable_count.status) model_failure( other, place, 0, usable_count );
        else if (inside && usable.status && expect == usable.status)
            model_failure( other, place, most * sizeof(*array), usable );
        if ((granularity != 0xdeadbeef && !copied) || (!counts && own_count != max))
            return differs( "a query that failed changed the count or the granularity" );
        return 1;
    }

    if (granularity != PAGE) return differs( "the granularity is %#x", (int)granularity );
    stored = own_count;
    if (counts && try_copy( &stored, count, sizeof(stored) )) return differs( "the count is gone" );
    if (stored > max) return differs( "%u results, there was room for %u", (int)stored, (int)max );
    if (op->d == ARRAY_OWN && results[max] != SENTINEL)
        return differs( "a query wrote past the array" );
    if (array != results && stored && try_copy( results, array, stored * sizeof(*array) ))
        return differs( "the array is gone" );

    if (inside) open_pages( other, place, stored * sizeof(*array) );
    if (counts) open_pages( other, place, sizeof(stored) );
    if (!check_results( space, op->page, end, reset, max, results, stored )) return 0;
    if (!strcmp( wrong_rule, "reset" ) && stored)
        space->page[((char *)results[0] - space->base) / PAGE].written = WRITTEN;
    if (inside)
    {
        close_pages( other, place, stored * sizeof(*array), reset, results, stored );
        memcpy( other->copy + place, results, stored * sizeof(*array) );
    }
    if (counts)
    {
        close_pages( other, place, sizeof(stored), reset, results, stored );
        memcpy( other->copy + place, &stored, sizeof(stored) );
    }
    return 1;
}
