/*
 * Written state that the kernel cannot keep: one bit per page
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <sys/mman.h>
#include <sys/syscall.h>

#include "engine/marks.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

static inline __attribute__((always_inline)) size_t page_index( const struct page_marks *marks,
                                                                uintptr_t addr )
{
    return (addr - marks->base) >> marks->shift;
}

/* the end of the group of up to 64 pages that one word covers */
static inline __attribute__((always_inline)) uintptr_t group_end( const struct page_marks *marks,
                                                                  uintptr_t addr )
{
    return marks->base + ((uintptr_t)((page_index( marks, addr ) | 63) + 1) << marks->shift);
}

/* the compiler's popcount would be a call into libgcc, outside the section */
static inline __attribute__((always_inline)) unsigned int count_bits( uint64_t bits )
{
    bits -= bits >> 1 & 0x5555555555555555ull;
    bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0full;
    return bits * 0x0101010101010101ull >> 56;
}

/* bits of the word that holds start, from start up to end or the end of the word */
static inline __attribute__((always_inline)) uint64_t word_mask( const struct page_marks *marks,
                                                                 uintptr_t start, uintptr_t end )
{
    size_t first = page_index( marks, start ) & 63;
    size_t count = page_index( marks, end - 1 ) - page_index( marks, start ) + 1;
    uint64_t mask = ~0ull << first;

    if (first + count < 64) mask &= (1ull << (first + count)) - 1;
    return mask;
}

/***********************************************************************
 *           marks_alloc
 *
 * Allocates empty marks for a range of pages. The kernel's memory is zero already, so marks of
 * large regions cost only what is used of them. Returns NULL if there is no memory.
 */
UNINTERRUPTED struct page_marks *marks_alloc( uintptr_t base, size_t size, unsigned int shift )
{
    size_t words = ((size >> shift) + 63) / 64;
    size_t bytes = round_up( sizeof(struct page_marks) + words * sizeof(uint64_t) );
    struct page_marks *marks;
    long ret = raw_mmap_anon( bytes );

    if (raw_failed( ret )) return NULL;
    marks = (struct page_marks *)ret;
    marks->base  = base;
    marks->bytes = bytes;
    marks->shift = shift;
    return marks;
}

UNINTERRUPTED void marks_free( struct page_marks *marks )
{
    raw_munmap( marks, marks->bytes );
}

/* marks the pages of [start, end) as written */
UNINTERRUPTED void marks_set( struct page_marks *marks, uintptr_t start, uintptr_t end )
{
    while (start < end)
    {
        uint64_t mask = word_mask( marks, start, end );
        atomic_word *word = &marks->bits[page_index( marks, start ) / 64];
        uint64_t old;

        /* the count is never too low, not even between these: a thread that reads 0 does not look
         * at the bits */
        __atomic_fetch_add( &marks->count, count_bits( mask ), __ATOMIC_SEQ_CST );
        old = __atomic_fetch_or( word, mask, __ATOMIC_SEQ_CST );
        __atomic_fetch_sub( &marks->count, count_bits( mask & old ), __ATOMIC_SEQ_CST );
        start = group_end( marks, start );
    }
}

/* the first marked page of [start, end), or end */
UNINTERRUPTED uintptr_t marks_next( struct page_marks *marks, uintptr_t start, uintptr_t end )
{
    while (start < end)
    {
        uint64_t bits = marks_peek( marks, start, end );

        /* start may lie inside a huge page, of which nothing before start is requested */
        if (bits & 1) return start;
        if (bits)
            return marks->base
                   + ((page_index( marks, start ) + lowest_bit( bits )) << marks->shift);
        start = group_end( marks, start );
    }
    return end;
}

/* the end of the group of up to 64 pages that marks_peek() and marks_take() cover in one step */
UNINTERRUPTED uintptr_t marks_group_end( const struct page_marks *marks, uintptr_t addr )
{
    return group_end( marks, addr );
}

/* the marks of [start, end), up to the end of the group; bit 0 stands for start */
UNINTERRUPTED uint64_t marks_peek( struct page_marks *marks, uintptr_t start, uintptr_t end )
{
    size_t index = page_index( marks, start );
    uint64_t bits = __atomic_load_n( &marks->bits[index / 64], __ATOMIC_SEQ_CST );

    return (bits & word_mask( marks, start, end )) >> (index & 63);
}

/* the same, and removes them in one atomic step */
UNINTERRUPTED uint64_t marks_take( struct page_marks *marks, uintptr_t start, uintptr_t end )
{
    size_t index = page_index( marks, start );
    uint64_t mask = word_mask( marks, start, end );
    uint64_t bits = __atomic_fetch_and( &marks->bits[index / 64], ~mask, __ATOMIC_SEQ_CST ) & mask;

    __atomic_fetch_sub( &marks->count, count_bits( bits ), __ATOMIC_SEQ_CST );
    return bits >> (index & 63);
}

/* removes the marks of [start, end) */
UNINTERRUPTED void marks_clear( struct page_marks *marks, uintptr_t start, uintptr_t end )
{
    while ((start = marks_next( marks, start, end )) < end) marks_take( marks, start, end );
}

/* how many pages of [start, end) are marked */
UNINTERRUPTED size_t marks_count( struct page_marks *marks, uintptr_t start, uintptr_t end )
{
    size_t count = 0;

    for (; start < end; start = group_end( marks, start ))
        count += count_bits( marks_peek( marks, start, end ));
    return count;
}

void marks_recount( struct page_marks *marks, uintptr_t end )
{
    if (marks->count) marks->count = marks_count( marks, marks->base, end );
}

/***********************************************************************
 *           marks_collect
 *
 * Adds the marks of [start, end) to words: one word for each group, from that of start on, with one
 * bit for each page. Adds at most room pages that were not in words before, the lowest ones. With
 * take, removes the marks that it added or that were in words before; marks that another thread
 * takes at the same time belong to that thread. Returns how many pages were added.
 */
UNINTERRUPTED size_t marks_collect( struct page_marks *marks, uintptr_t start, uintptr_t end,
                                    int take, uint64_t *words, size_t room )
{
    size_t count = 0;

    for (; start < end; start = group_end( marks, start ), words++)
    {
        size_t index = page_index( marks, start );
        uint64_t bits = marks_peek( marks, start, end ) << (index & 63), added;

        if (!bits) continue;
        for (added = bits & ~*words; count_bits( added ) > room - count;)
            added &= ~(1ull << highest_bit( added ));
        bits &= *words | added;
        if (take && bits)
        {
            bits &= __atomic_fetch_and( &marks->bits[index / 64], ~bits, __ATOMIC_SEQ_CST );
            __atomic_fetch_sub( &marks->count, count_bits( bits ), __ATOMIC_SEQ_CST );
            added &= bits;
        }
        *words |= added;
        count += count_bits( added );
    }
    return count;
}
