/*
 * The reservations of the native memory manager: an array ordered by address
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The C library's memory is not used: a program may have built its malloc on VirtualAlloc.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "native/view.h"
#include "sys/page.h"

static struct view *views;
static size_t view_count, view_capacity;

/* the position of the first view that ends above an address */
static size_t find_position( uintptr_t addr )
{
    size_t low = 0, high = view_count;

    while (low < high)
    {
        size_t mid = (low + high) / 2;

        if (views[mid].end > addr) high = mid;
        else low = mid + 1;
    }
    return low;
}

/***********************************************************************
 *           view_find
 *
 * The view that holds all of [start, end), or NULL; NULL as well if that wraps around.
 */
struct view *view_find( uintptr_t start, uintptr_t end )
{
    struct view *view = view_first( start );

    if (!view || view->base > start || view->end < end || end < start) return NULL;
    return view;
}

/***********************************************************************
 *           view_first
 *
 * The first view that ends above an address, or NULL.
 */
struct view *view_first( uintptr_t start )
{
    size_t pos = find_position( start );

    return pos < view_count ? &views[pos] : NULL;
}

/***********************************************************************
 *           view_before
 *
 * The last view that ends at or before an address, or NULL.
 */
struct view *view_before( uintptr_t start )
{
    size_t pos = find_position( start );

    return pos ? &views[pos - 1] : NULL;
}

struct view *view_next( const struct view *view )
{
    size_t pos = view - views + 1;

    return pos < view_count ? &views[pos] : NULL;
}

int views_use_memory( uintptr_t start, uintptr_t end )
{
    return overlaps( start, end, views, view_capacity * sizeof(*views) );
}

int view_reserve( size_t more )
{
    size_t bytes, capacity = view_capacity ? view_capacity : round_up( 1 ) / sizeof(*views);
    void *ptr;

    while (capacity < view_count + more) capacity *= 2;
    if (capacity == view_capacity) return 0;

    bytes = round_up( capacity * sizeof(*views) );
    if (views)
        ptr = mremap( views, round_up( view_capacity * sizeof(*views) ), bytes, MREMAP_MAYMOVE );
    else
        ptr = mmap( NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (ptr == MAP_FAILED) return -ENOMEM;
    views = ptr;
    view_capacity = capacity;
    return 0;
}

/***********************************************************************
 *           view_insert
 *
 * Adds a view where there is none. view_reserve() must have made room for it.
 */
struct view *view_insert( uintptr_t start, uintptr_t end, unsigned char protect,
                          unsigned char flags )
{
    size_t pos = find_position( start );
    struct view *view = &views[pos];

    memmove( view + 1, view, (view_count - pos) * sizeof(*view) );
    view_count++;
    view->base    = start;
    view->end     = end;
    view->protect = protect;
    view->flags   = flags;
    return view;
}

/***********************************************************************
 *           view_split
 *
 * Makes a part of a view a view of its own, and likewise what is left on either side of it.
 * view_reserve() must have made room for two more. Returns the part.
 */
struct view *view_split( struct view *view, uintptr_t start, uintptr_t end )
{
    struct view old = *view;

    if (old.base < start)
    {
        view->end = start;
        view = view_insert( start, old.end, old.protect, old.flags );
    }
    if (end < old.end)
    {
        view->end = end;
        view = view_insert( end, old.end, old.protect, old.flags ) - 1;
    }
    return view;
}

void view_remove( struct view *view )
{
    memmove( view, view + 1, (views + --view_count - view) * sizeof(*view) );
}
