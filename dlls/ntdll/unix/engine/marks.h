/*
 * Written state that the kernel cannot keep: one bit per page (or huge page)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MARKS_H
#define WRITEWATCH_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "sys/cpu.h"

/* Decommitting or resetting a page drops what the kernel knows of it, but Windows still reports the
 * page as written. A region gets marks when that first happens; most never do. The bits change
 * atomically and without a lock, so the thread that takes a bit is the only one to report it. */
struct page_marks
{
    uintptr_t   base;   /* address of the first page */
    size_t      bytes;  /* size of the mapping that holds this */
    size_t      count;  /* number of set bits */
    unsigned int shift; /* log2 of the bytes that a bit stands for: see struct watch_region */
    atomic_word bits[];
};

extern struct page_marks *marks_alloc( uintptr_t base, size_t size, unsigned int shift );
extern void marks_free( struct page_marks *marks );
extern void marks_set( struct page_marks *marks, uintptr_t start, uintptr_t end );
extern uintptr_t marks_next( struct page_marks *marks, uintptr_t start, uintptr_t end );
extern uintptr_t marks_group_end( const struct page_marks *marks, uintptr_t addr );
extern uint64_t marks_peek( struct page_marks *marks, uintptr_t start, uintptr_t end );
extern uint64_t marks_take( struct page_marks *marks, uintptr_t start, uintptr_t end );
extern void marks_clear( struct page_marks *marks, uintptr_t start, uintptr_t end );
extern size_t marks_count( struct page_marks *marks, uintptr_t start, uintptr_t end );
extern size_t marks_collect( struct page_marks *marks, uintptr_t start, uintptr_t end, int take,
                             uint64_t *words, size_t room );

/* corrects the count; no other thread may look at it */
extern void marks_recount( struct page_marks *marks, uintptr_t end );

#endif /* WRITEWATCH_MARKS_H */
