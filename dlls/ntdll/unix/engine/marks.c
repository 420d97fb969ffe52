/*
 * Written state that the kernel cannot keep: one bit a page
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

static inline __attribute__((always_inline)) size_t page_index( const struct saved_pages *saved,
                                                                uintptr_t addr )
{
    return (addr - saved->base) >> saved->shift;
}

/* the compiler's own would be a call into libgcc, outside the section */
static inline __attribute__((always_inline)) unsigned int count_bits( uint64_t bits )
{
    bits -= bits >> 1 & 0x5555555555555555ull;
    bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0full;
    return bits * 0x0101010101010101ull >> 56;
}

/* bits of the word that holds start, from start up to end or the end of the word */
static inline __attribute__((always_inline)) uint64_t word_mask( const struct saved_pages *saved,
                                                                 uintptr_t start, uintptr_t end )
{
    size_t first = page_index( saved, start ) & 63;
    size_t count = page_index( saved, end - 1 ) - page_index( saved, start ) + 1;
    uint64_t mask = ~0ull << first;

    if (first + count < 64) mask &= (1ull << (first + count)) - 1;
    return mask;
}

/***********************************************************************
 *           saved_alloc
 *
 * Makes an empty bitmap for a range of pages. The kernel's zeroed memory serves as it is, so large
 * regions cost only what is used of it. Returns NULL when there is no memory.
 */
UNINTERRUPTED struct saved_pages *saved_alloc( uintptr_t base, size_t size, unsigned int shift )
{
    size_t words = ((size >> shift) + 63) / 64;
    size_t bytes = round_up( sizeof(struct saved_pages) + words * sizeof(uint64_t) );
    struct saved_pages *saved;
    long ret = raw_mmap_anon( bytes );

    if (raw_failed( ret )) return NULL;
    saved = (struct saved_pages *)ret;
    saved->base  = base;
    saved->bytes = bytes;
    saved->shift = shift;
    return saved;
}

/***********************************************************************
 *           saved_free
 */
UNINTERRUPTED void saved_free( struct saved_pages *saved )
{
    raw_munmap( saved, saved->bytes );
}

/***********************************************************************
 *           saved_set
 *
 * Marks the pages of [start, end) as written.
 */
UNINTERRUPTED void saved_set( struct saved_pages *saved, uintptr_t start, uintptr_t end )
{
    while (start < end)
    {
        uint64_t mask = word_mask( saved, start, end );
        uint64_t *word = &saved->bits[page_index( saved, start ) / 64];
        uint64_t old;

        /* never less than there are, also between these: who finds none does not look
         * at the bits */
        __atomic_fetch_add( &saved->count, count_bits( mask ), __ATOMIC_SEQ_CST );
        old = __atomic_fetch_or( word, mask, __ATOMIC_SEQ_CST );
        __atomic_fetch_sub( &saved->count, count_bits( mask & old ), __ATOMIC_SEQ_CST );
        start = saved_group_end( saved, start );
    }
}

/***********************************************************************
 *           saved_next
 *
 * The first marked page of [start, end), or end.
 */
UNINTERRUPTED uintptr_t saved_next( struct saved_pages *saved, uintptr_t start, uintptr_t end )
{
    while (start < end)
    {
        uint64_t bits = saved_peek( saved, start, end );

        /* start may lie within a huge page, of which nothing before it is asked for */
        if (bits & 1) return start;
        if (bits)
            return saved->base
                   + ((page_index( saved, start ) + __builtin_ctzll( bits )) << saved->shift);
        start = saved_group_end( saved, start );
    }
    return end;
}

/***********************************************************************
 *           saved_group_end
 *
 * Where the group of up to 64 pages ends that saved_peek() and saved_take() look at in one step.
 */
UNINTERRUPTED uintptr_t saved_group_end( const struct saved_pages *saved, uintptr_t addr )
{
    return saved->base + ((uintptr_t)((page_index( saved, addr ) | 63) + 1) << saved->shift);
}

/***********************************************************************
 *           saved_peek
 *
 * The marks of [start, end), not beyond the end of the group; bit 0 stands for start.
 */
UNINTERRUPTED uint64_t saved_peek( struct saved_pages *saved, uintptr_t start, uintptr_t end )
{
    size_t index = page_index( saved, start );
    uint64_t bits = __atomic_load_n( &saved->bits[index / 64], __ATOMIC_SEQ_CST );

    return (bits & word_mask( saved, start, end )) >> (index & 63);
}

/***********************************************************************
 *           saved_take
 *
 * The same, and removes them in one atomic step.
 */
UNINTERRUPTED uint64_t saved_take( struct saved_pages *saved, uintptr_t start, uintptr_t end )
{
    size_t index = page_index( saved, start );
    uint64_t mask = word_mask( saved, start, end );
    uint64_t bits = __atomic_fetch_and( &saved->bits[index / 64], ~mask, __ATOMIC_SEQ_CST ) & mask;

    __atomic_fetch_sub( &saved->count, count_bits( bits ), __ATOMIC_SEQ_CST );
    return bits >> (index & 63);
}

/***********************************************************************
 *           saved_count
 *
 * How many pages of [start, end) are marked.
 */
UNINTERRUPTED size_t saved_count( struct saved_pages *saved, uintptr_t start, uintptr_t end )
{
    size_t count = 0;

    for (; start < end; start = saved_group_end( saved, start ))
        count += count_bits( saved_peek( saved, start, end ));
    return count;
}

/***********************************************************************
 *           saved_recount
 */
void saved_recount( struct saved_pages *saved, uintptr_t end )
{
    if (saved->count) saved->count = saved_count( saved, saved->base, end );
}

/***********************************************************************
 *           saved_collect
 *
 * Adds the marks of [start, end) to words, one for each group from the one of start on, with a bit
 * for each page of it. At most room pages are added that were not there, the lowest ones. With take
 * those marks are removed that were added, or were there; what another thread takes at the same
 * time is its own. Returns how many pages were added.
 */
UNINTERRUPTED size_t saved_collect( struct saved_pages *saved, uintptr_t start, uintptr_t end,
                                    int take, uint64_t *words, size_t room )
{
    size_t count = 0;

    for (; start < end; start = saved_group_end( saved, start ), words++)
    {
        size_t index = page_index( saved, start );
        uint64_t bits = saved_peek( saved, start, end ) << (index & 63), added;

        if (!bits) continue;
        for (added = bits & ~*words; count_bits( added ) > room - count;)
            added &= ~(1ull << (63 - __builtin_clzll( added )));
        bits &= *words | added;
        if (take && bits)
        {
            bits &= __atomic_fetch_and( &saved->bits[index / 64], ~bits, __ATOMIC_SEQ_CST );
            __atomic_fetch_sub( &saved->count, count_bits( bits ), __ATOMIC_SEQ_CST );
            added &= bits;
        }
        *words |= added;
        count += count_bits( added );
    }
    return count;
}
