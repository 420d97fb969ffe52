/*
 * A byte for each page of the address space that a backend knows about
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "fault/page_flags.h"
#include "sys/raw_syscall.h"

/***********************************************************************
 *           page_flags_make
 *
 * -EOPNOTSUPP: above the addresses that programs get unless they ask. The backend's lock is held.
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

int page_flags_use_memory( const struct page_flags *table, uintptr_t start, uintptr_t end )
{
    size_t i;

    if (overlaps( start, end, table, sizeof(*table) )) return 1;
    for (i = table->first; i < table->end; i++)
        if (table->leaves[i] && overlaps( start, end, table->leaves[i], PAGE_LEAF_PAGES )) return 1;
    return 0;
}
