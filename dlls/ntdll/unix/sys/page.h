/*
 * The size of a page and rounding to it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PAGE_H
#define WRITEWATCH_PAGE_H

#include <stddef.h>
#include <stdint.h>

/* the smallest page of any processor, by which tables are dimensioned */
#define MIN_PAGE_SHIFT 12

/* arm64 also has pages of 16 and 64 KiB: there page_init() must be called before anything else */
#if defined(__x86_64__) || defined(__i386__)
static const unsigned int page_shift = 12;
static inline void page_init(void) {}
#else
extern unsigned int page_shift;
extern void page_init(void);
#endif

static inline __attribute__((always_inline)) uintptr_t page_size(void)
{
    return (uintptr_t)1 << page_shift;
}

static inline __attribute__((always_inline)) uintptr_t round_down( uintptr_t value )
{
    return value & -page_size();
}

static inline __attribute__((always_inline)) uintptr_t round_up( uintptr_t value )
{
    return (value + page_size() - 1) & -page_size();
}

/* whether some of the bytes of an object lie in [start, end) */
static inline int overlaps( uintptr_t start, uintptr_t end, const void *ptr, size_t size )
{
    return start < (uintptr_t)ptr + size && (uintptr_t)ptr < end;
}

/* A block is the span of one page table, which is a page with entries of 8 bytes. */
static inline __attribute__((always_inline)) unsigned int block_shift(void)
{
    return 2 * page_shift - 3;
}

/* where in its block an address is, and where the block ends */
static inline __attribute__((always_inline)) size_t block_offset( uintptr_t addr )
{
    return addr & (((uintptr_t)1 << block_shift()) - 1);
}

static inline __attribute__((always_inline)) uintptr_t block_end( uintptr_t addr )
{
    return ((addr >> block_shift()) + 1) << block_shift();
}

#endif /* WRITEWATCH_PAGE_H */
