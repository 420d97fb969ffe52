/*
 * A byte for each page of the address space that a backend knows about
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PAGE_FLAGS_H
#define WRITEWATCH_PAGE_FLAGS_H

#include <stddef.h>
#include <stdint.h>

#include "sys/cpu.h"
#include "sys/page.h"

/* Indexed by address, as regions are split and removed without the backend's knowledge. Leaves are
 * allocated when they are needed, and never freed. The backend has the lock. */
#define PAGE_LEAF_BITS  18u
#define PAGE_LEAF_PAGES ((size_t)1 << PAGE_LEAF_BITS)
#define PAGE_ROOT_SIZE  ((size_t)1 << (CPU_ADDRESS_BITS - MIN_PAGE_SHIFT - PAGE_LEAF_BITS))

struct page_flags
{
    uint8_t *leaves[PAGE_ROOT_SIZE];
    size_t   first, end;               /* there are no leaves outside of these */
};

/* Allocates the leaves of a range. Returns 0 or -errno. */
extern int page_flags_make( struct page_flags *table, uintptr_t start, uintptr_t end );

/* whether a range holds a part of the table; under the lock under which leaves are allocated */
extern int page_flags_use_memory( const struct page_flags *table, uintptr_t start, uintptr_t end );

/* the flags of a page; NULL if its leaf is missing */
static inline uint8_t *page_flags_at( const struct page_flags *table, uintptr_t addr )
{
    size_t page = addr >> page_shift;
    uint8_t *leaf;

    if (page >> PAGE_LEAF_BITS >= PAGE_ROOT_SIZE) return NULL;
    if (!(leaf = table->leaves[page >> PAGE_LEAF_BITS])) return NULL;
    return leaf + (page & (PAGE_LEAF_PAGES - 1));
}

static inline unsigned int page_flags_get( const struct page_flags *table, uintptr_t addr )
{
    const uint8_t *flags = page_flags_at( table, addr );

    return flags ? *flags : 0;
}

#endif /* WRITEWATCH_PAGE_FLAGS_H */
