/*
 * A byte for each page of the address space that a backend knows about
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "page_flags.h"
#include "raw_syscall.h"

/***********************************************************************
 *           page_flags_make
 *
 * EOPNOTSUPP: beyond what programs get without asking for it. The backend's lock is held.
 */
int page_flags_make( struct page_flags *table, uintptr_t start, uintptr_t end )
{
    size_t i, last = (end - 1) >> page_shift >> PAGE_LEAF_BITS;

    if (last >= PAGE_ROOT_SIZE) return -EOPNOTSUPP;
    for (i = start >> page_shift >> PAGE_LEAF_BITS; i <= last; i++)
    {
        long ret;

        if (table->leaves[i]) continue;
        ret = raw_mmap_anon( PAGE_LEAF_PAGES );
        if (raw_failed( ret )) return ret;
        table->leaves[i] = (uint8_t *)ret;
        if (!table->end || i < table->first) table->first = i;
        if (i >= table->end) table->end = i + 1;
    }
    return 0;
}

/* 1, 0 or -1 as below */
static int value_at( const struct page_flags *table, uintptr_t addr, unsigned int known,
                     unsigned int mask )
{
    unsigned int flags = page_flags_get( table, addr );

    return flags & known ? (flags & mask) != 0 : -1;
}

/***********************************************************************
 *           page_flags_run
 *
 * start need not be aligned. Leaves that were not made are passed over as a whole.
 */
uintptr_t page_flags_run( const struct page_flags *table, uintptr_t start, uintptr_t end,
                          unsigned int known, unsigned int mask, int *value )
{
    const uintptr_t leaf_size = PAGE_LEAF_PAGES << page_shift;
    uintptr_t next = start;

    *value = value_at( table, start, known, mask );
    do
    {
        uintptr_t last = page_flags_at( table, next ) ? page_size() : leaf_size;

        if ((next | (last - 1)) >= end - 1) return end;
        next = (next | (last - 1)) + 1;
    }
    while (value_at( table, next, known, mask ) == *value);
    return next;
}

/***********************************************************************
 *           page_flags_use_memory
 */
int page_flags_use_memory( const struct page_flags *table, uintptr_t start, uintptr_t end )
{
    size_t i;

    if (start < (uintptr_t)(table + 1) && (uintptr_t)table < end) return 1;
    for (i = table->first; i < table->end; i++)
    {
        uintptr_t leaf = (uintptr_t)table->leaves[i];

        if (leaf && start < leaf + PAGE_LEAF_PAGES && leaf < end) return 1;
    }
    return 0;
}
