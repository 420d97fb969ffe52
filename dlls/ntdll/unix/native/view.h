/*
 * The reservations of the native memory manager, and the state of their pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_VIEW_H
#define WRITEWATCH_VIEW_H

#include <stddef.h>
#include <stdint.h>

/* All functions must be called with the lock of virtual_internal.c. Ranges are page aligned. */

#define VIEW_PLACEHOLDER      1   /* was allocated as a placeholder, or replaced one */
#define VIEW_FREE_PLACEHOLDER 2   /* is a placeholder now */

/* One reservation, or what is left of it. Mapped from base to end at all times. */
struct view
{
    uintptr_t     base;
    uintptr_t     end;
    unsigned char protect;   /* at its allocation, as the state of a page */
    unsigned char flags;
};

/* Pointers are valid until a view is inserted, removed or split. */
extern struct view *view_find( uintptr_t start, uintptr_t end );
extern struct view *view_first( uintptr_t start );
extern struct view *view_before( uintptr_t start );
extern struct view *view_next( const struct view *view );

/* whether the views, or the states of pages, lie in [start, end) */
extern int views_use_memory( uintptr_t start, uintptr_t end );
extern int page_states_use_memory( uintptr_t start, uintptr_t end );

/* Makes room for more views, so that no change fails halfway. Returns 0 or -ENOMEM. */
extern int view_reserve( size_t more );
extern struct view *view_insert( uintptr_t start, uintptr_t end, unsigned char protect,
                                 unsigned char flags );
extern struct view *view_split( struct view *view, uintptr_t start, uintptr_t end );
extern void view_remove( struct view *view );

/* The state of a page: one of six protections in three bits, and flags. 0: reserved or not ours. */
#define PAGE_STATE_PROTECTION   0x07
#define PAGE_STATE_GUARD        0x08
#define PAGE_STATE_NOCACHE      0x10
#define PAGE_STATE_WRITECOMBINE 0x20
#define PAGE_STATE_COMMITTED    0x80

/* Allocates the tables of a range, so that setting a state cannot fail. Returns 0 or -ENOMEM. */
extern int page_state_reserve( uintptr_t start, uintptr_t end );
extern void page_state_set( uintptr_t start, uintptr_t end, unsigned char state );
extern unsigned char page_state( uintptr_t addr );

/* the end of the run of pages with the same bits of mask as the page at start; at most end */
extern uintptr_t page_state_end( uintptr_t start, uintptr_t end, unsigned char mask );

#endif /* WRITEWATCH_VIEW_H */
