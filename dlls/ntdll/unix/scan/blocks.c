/*
 * What is known of blocks: that all their pages are present, or written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <sys/mman.h>
#include <sys/syscall.h>

#include "scan/blocks.h"
#include "scan/noted_run.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

#define INLINE inline __attribute__((always_inline))

#define WORD_BITS  64
#define MIN_GROUP_SHIFT 3                   /* log2 of the blocks that share a count of polls */
#define MAX_GROUPS   256                    /* counting takes 10 ns for each, in every poll */
#define MAX_PATIENCE 5

struct block_limits block_limits =
{
    .min_size     = (size_t)1 << 20,
    .min_run      = 3,
    .first_census = 4,
};

static INLINE size_t block_index( const struct region_blocks *blocks, uintptr_t addr )
{
    return (addr >> block_shift()) - (blocks->base >> block_shift());
}

/* where a block begins, within its region */
static INLINE uintptr_t block_addr( const struct region_blocks *blocks, size_t index )
{
    uintptr_t addr = ((blocks->base >> block_shift()) + index) << block_shift();

    if (addr < blocks->base) return blocks->base;
    return addr < blocks->end ? addr : blocks->end;
}

/* the blocks that lie completely in a range */
static INLINE size_t first_whole( const struct region_blocks *blocks, uintptr_t start )
{
    return start <= blocks->base ? 0 : block_index( blocks, start - 1 ) + 1;
}

static INLINE size_t last_whole( const struct region_blocks *blocks, uintptr_t end )
{
    return end >= blocks->end ? blocks->count : block_index( blocks, end );
}

/* most runs are short, so this comes first */
static INLINE int may_hold_block( const struct region_blocks *blocks, uintptr_t start,
                                  uintptr_t end )
{
    return (end - start) >> block_shift() || start <= blocks->base || end >= blocks->end;
}

static INLINE uint64_t load_word( const atomic_word *words, size_t index )
{
    return __atomic_load_n( &words[index / WORD_BITS], __ATOMIC_SEQ_CST );
}

/* bits of the word that holds first, from first up to last or the end of the word */
static INLINE uint64_t word_mask( size_t first, size_t last )
{
    uint64_t mask = ~0ull << (first % WORD_BITS);

    if (last - first + first % WORD_BITS < WORD_BITS)
        mask &= ~(~0ull << (last - first + first % WORD_BITS));
    return mask;
}

/* the first bit of [first, last) that is set (flip 0) or clear (flip ~0), or last */
static UNINTERRUPTED_PART size_t next_bit( const atomic_word *words, size_t first, size_t last,
                                           uint64_t flip )
{
    while (first < last)
    {
        uint64_t bits = (load_word( words, first ) ^ flip) & word_mask( first, last );

        if (bits) return (first & ~(size_t)(WORD_BITS - 1)) + lowest_bit( bits );
        first = (first | (WORD_BITS - 1)) + 1;
    }
    return last;
}

/* returns whether a bit was clear before */
static UNINTERRUPTED_PART int set_bits( atomic_word *words, size_t first, size_t last )
{
    int ret = 0;

    for (; first < last; first = (first | (WORD_BITS - 1)) + 1)
    {
        uint64_t mask = word_mask( first, last );

        if ((load_word( words, first ) & mask) == mask) continue;
        __atomic_fetch_or( &words[first / WORD_BITS], mask, __ATOMIC_SEQ_CST );
        ret = 1;
    }
    return ret;
}

static UNINTERRUPTED_PART void clear_bits( atomic_word *words, size_t first, size_t last )
{
    for (; first < last; first = (first | (WORD_BITS - 1)) + 1)
    {
        uint64_t mask = word_mask( first, last );

        if (load_word( words, first ) & mask)
            __atomic_fetch_and( &words[first / WORD_BITS], ~mask, __ATOMIC_SEQ_CST );
    }
}

/***********************************************************************
 *           blocks_open
 *
 * Nothing is known yet. Without memory, or for a small region, no blocks are kept: the exact query
 * is always right. The kernel's memory is zero already; 64 GiB of memory need 16 KiB.
 *
 * A page of a full block is 1.2 ns cheaper to query (6.18), so below 1 MiB that saves less than the
 * entry of a system call costs.
 */
void blocks_open( struct region_blocks *blocks, uintptr_t start, uintptr_t end )
{
    size_t i, count, words;
    atomic_word *bits = blocks->small;

    blocks->base = start;
    blocks->end = end;
    blocks->count = blocks->mapped = 0;
    blocks->noted = (end - start) >> page_shift <= NOTED_MAX_PAGES ? NOTED_UNUSED : NOTED_NEVER;
    if (end - start < block_limits.min_size) return;

    count = block_index( blocks, end - 1 ) + 1;
    words = (count + WORD_BITS - 1) / WORD_BITS;
    for (blocks->group_shift = MIN_GROUP_SHIFT; count >> blocks->group_shift > MAX_GROUPS;)
        blocks->group_shift++;
    if (words > 1)
    {
        size_t bytes = round_up( 4 * words * sizeof(*bits) );
        long ret = raw_mmap_anon( bytes );

        if (raw_failed( ret )) return;
        blocks->mapped = bytes;
        bits = (atomic_word *)ret;
    }
    else for (i = 0; i < 4; i++) bits[i] = 0;

    blocks->full     = bits;
    blocks->written  = bits + words;
    blocks->polls    = (unsigned char *)(bits + 2 * words);
    blocks->patience = (unsigned char *)(bits + 3 * words);
    blocks->resets   = 0;
    blocks->marking  = 0;
    __atomic_store_n( &blocks->count, count, __ATOMIC_RELEASE );
}

/* called when no thread looks any more */
void blocks_close( struct region_blocks *blocks )
{
    if (blocks->mapped) raw_munmap( blocks->full, blocks->mapped );
    blocks->count = blocks->mapped = 0;
}

/***********************************************************************
 *           blocks_forget
 *
 * Called before contents are dropped in a range; the region is closed. If a step is in progress all
 * the same (see region_set_state), it notices by the count. Blocks known to be written are still
 * written, but that is now kept in the marks.
 */
void blocks_forget( struct region_blocks *blocks, uintptr_t start, uintptr_t end )
{
    size_t first, last;

    noted_begin_reset( &blocks->noted );
    if (!blocks->count) return;
    first = block_index( blocks, start );
    last = block_index( blocks, end - 1 ) + 1;
    __atomic_fetch_add( &blocks->forgotten, 1, __ATOMIC_SEQ_CST );
    __atomic_fetch_add( &blocks->resets, RESET_ENDED, __ATOMIC_SEQ_CST );
    clear_bits( blocks->full, first, last );
    clear_bits( blocks->written, first, last );
}

/***********************************************************************
 *           blocks_full_part
 *
 * Where the first part of a range ends that should be queried in one way; *full says whether that
 * is the quick one.
 *
 * Switching costs one more call, 0.5 us, and a full block is 0.6 us cheaper to query. So a run of
 * full blocks between others, which takes two switches, is worth it from 3 blocks on. A query that
 * was cut off within a run continues in the same way.
 */
UNINTERRUPTED uintptr_t blocks_full_part( const struct region_blocks *blocks, uintptr_t start,
                                          uintptr_t end, int *full )
{
    size_t first = block_index( blocks, start ), last = block_index( blocks, end - 1 ) + 1;
    size_t pos, from, to, run;

    for (pos = first; (from = next_bit( blocks->full, pos, last, 0 )) < last; pos = to)
    {
        to = next_bit( blocks->full, from, last, ~0ull );
        run = to - from;
        if (from == first)
            while (run < block_limits.min_run && from && load_word( blocks->full, from - 1 ) >>
                   (from - 1) % WORD_BITS & 1)
            {
                from--;
                run++;
            }
        if (run < block_limits.min_run && (from > first || to < last)) continue;
        if ((*full = from <= first)) return to < last ? block_addr( blocks, to ) : end;
        return block_addr( blocks, from );
    }
    *full = 0;
    return end;
}

/***********************************************************************
 *           blocks_written_part
 *
 * Where the first part of a range ends that is, or is not, known to be written.
 */
UNINTERRUPTED uintptr_t blocks_written_part( const struct region_blocks *blocks, uintptr_t start,
                                             uintptr_t end, int *written )
{
    size_t first = block_index( blocks, start ), last = block_index( blocks, end - 1 ) + 1, to;
    unsigned int marking = __atomic_load_n( &blocks->marking, __ATOMIC_SEQ_CST );

    *written = 0;
    if (marking & 1) return end;
    /* bits may be cleared at any time, so each is read only once */
    to = next_bit( blocks->written, first, last, ~0ull );
    if (!(*written = to > first)) to = next_bit( blocks->written, first + 1, last, 0 );
    if (__atomic_load_n( &blocks->marking, __ATOMIC_SEQ_CST ) != marking)
    {
        *written = 0;
        return end;
    }
    return to < last ? block_addr( blocks, to ) : end;
}

/***********************************************************************
 *           blocks_mark_full
 *
 * All pages of [start, end) were seen to be present. Returns whether that was news for any block.
 */
UNINTERRUPTED int blocks_mark_full( struct region_blocks *blocks, uintptr_t start, uintptr_t end,
                                    unsigned int forgotten )
{
    size_t first, last;

    if (!may_hold_block( blocks, start, end )) return 0;
    first = first_whole( blocks, start );
    last = last_whole( blocks, end );
    if (first >= last) return 0;
    if (__atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST ) != forgotten) return 0;
    return set_bits( blocks->full, first, last );
}

/* all pages of some runs were seen to be written */
UNINTERRUPTED void blocks_mark_written( struct region_blocks *blocks, const struct page_run *runs,
                                        size_t count, uint64_t resets )
{
    unsigned int marking = __atomic_load_n( &blocks->marking, __ATOMIC_SEQ_CST );
    size_t i, first, last;

    if (resets % RESET_ENDED || marking & 1) return;
    for (i = 0; i < count; i++)
    {
        if (!may_hold_block( blocks, runs[i].start, runs[i].end )) continue;
        first = first_whole( blocks, runs[i].start );
        last = last_whole( blocks, runs[i].end );
        if (first >= last || next_bit( blocks->written, first, last, ~0ull ) == last) continue;

        if (!__atomic_compare_exchange_n( &blocks->marking, &marking, marking + 1, 0,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST )) return;
        if (__atomic_load_n( &blocks->resets, __ATOMIC_SEQ_CST ) == resets)
        {
            set_bits( blocks->written, first, last );
            if (__atomic_load_n( &blocks->resets, __ATOMIC_SEQ_CST ) != resets)
                clear_bits( blocks->written, first, last );
        }
        marking += 2;
        __atomic_store_n( &blocks->marking, marking, __ATOMIC_SEQ_CST );
    }
}

UNINTERRUPTED void blocks_begin_reset( struct region_blocks *blocks, uintptr_t start,
                                       uintptr_t end )
{
    __atomic_fetch_add( &blocks->resets, RESET_RUNNING, __ATOMIC_SEQ_CST );
    clear_bits( blocks->written, block_index( blocks, start ), block_index( blocks, end - 1 ) + 1 );
}

UNINTERRUPTED void blocks_end_reset( struct region_blocks *blocks )
{
    __atomic_fetch_add( &blocks->resets, RESET_ENDED - RESET_RUNNING, __ATOMIC_SEQ_CST );
}

static INLINE uintptr_t group_addr( const struct region_blocks *blocks, size_t group )
{
    return block_addr( blocks, group << blocks->group_shift );
}

static INLINE int is_group_before( const struct region_blocks *blocks, size_t group, uintptr_t end )
{
    return group << blocks->group_shift < blocks->count && group_addr( blocks, group ) < end;
}

/* whether a group has no block left that could be found full */
static INLINE int is_full_group( const struct region_blocks *blocks, size_t group )
{
    size_t first = group << blocks->group_shift, last = (group + 1) << blocks->group_shift;

    if (last > blocks->count) last = blocks->count;
    return next_bit( blocks->full, first, last, ~0ull ) == last;
}

/***********************************************************************
 *           is_census_due
 *
 * Blocks that are reported as a whole are known to be full. Others, which were filled gradually,
 * are found by a census: it costs as much as a poll of the same memory, and saves 0.6 of each later
 * poll where it finds any. So it is made after 4 polls, and when it finds none, again after 8, 16
 * ... 128: in the end it costs 1 % of all polls.
 */
static INLINE int is_census_due( struct region_blocks *blocks, size_t group )
{
    unsigned int polls = __atomic_load_n( &blocks->polls[group], __ATOMIC_RELAXED );
    unsigned int patience = __atomic_load_n( &blocks->patience[group], __ATOMIC_RELAXED );

    if (is_full_group( blocks, group )) return 0;
    if (++polls < 256) __atomic_store_n( &blocks->polls[group], polls, __ATOMIC_RELAXED );
    return polls >= block_limits.first_census << patience;
}

/***********************************************************************
 *           blocks_next_census
 *
 * Counts an exact query of [*pos, end), up to the first groups that are due for a census: *start
 * and *limit are set to these, and *pos to where to continue. Returns 0 if there are none. A group
 * is counted by its first page, or the first one after full blocks, so that a poll in many pieces
 * counts once.
 */
UNINTERRUPTED int blocks_next_census( struct region_blocks *blocks, uintptr_t *pos, uintptr_t end,
                                      uintptr_t *start, uintptr_t *limit )
{
    size_t block = first_whole( blocks, *pos ), first;
    size_t group = (block + ((size_t)1 << blocks->group_shift) - 1) >> blocks->group_shift;

    if (block && block < blocks->count && block_addr( blocks, block ) == *pos &&
        load_word( blocks->full, block - 1 ) >> (block - 1) % WORD_BITS & 1)
        group = block >> blocks->group_shift;

    while (is_group_before( blocks, group, end ) && !is_census_due( blocks, group )) group++;
    if (!is_group_before( blocks, group, end )) return 0;
    first = group++;
    while (is_group_before( blocks, group, end ) && is_census_due( blocks, group )) group++;

    *start = group_addr( blocks, first );
    *limit = group_addr( blocks, group );
    *pos = *limit + page_size();    /* the group at the limit has been counted */
    return 1;
}

/* a census that found full blocks may soon find more */
UNINTERRUPTED void blocks_end_census( struct region_blocks *blocks, uintptr_t start, uintptr_t end,
                                      int found )
{
    size_t group = block_index( blocks, start ) >> blocks->group_shift;
    size_t last = block_index( blocks, end - 1 ) >> blocks->group_shift;

    for (; group <= last; group++)
    {
        unsigned int patience = __atomic_load_n( &blocks->patience[group], __ATOMIC_RELAXED );

        patience = found ? 0 : patience < MAX_PATIENCE ? patience + 1 : patience;
        __atomic_store_n( &blocks->patience[group], patience, __ATOMIC_RELAXED );
        __atomic_store_n( &blocks->polls[group], 0, __ATOMIC_RELAXED );
    }
}
