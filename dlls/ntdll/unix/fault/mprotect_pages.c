/*
 * Pages of the mprotect backend: their flags, their protection, the mappings that they split
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "engine/region.h"
#include "fault/mprotect_pages.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/wait_turn.h"

/* Where an armed page lies beside one that is not armed, the kernel has to split a mapping. A
 * process may have vm.max_map_count mappings. This backend uses at most half of them, and beyond
 * that works on larger groups of pages, of 16, 64, 256 ... pages: a write opens and marks all pages
 * of a group, or all of them are armed for one page. So more pages are reported than were written,
 * or there are more faults, but no write is lost and the program can still map memory. */

struct page_flags mprotect_flags;

static int lock_word;
static long splits;       /* pairs of neighbours of which one is armed, and which are
                           * wanted alike otherwise */
static long max_splits;

void pages_lock(void)
{
    unsigned int turns = 0;

    note_lock( LOCK_BACKEND );
    while (__atomic_exchange_n( &lock_word, 1, __ATOMIC_ACQUIRE )) wait_turn( &turns );
}

void pages_unlock(void)
{
    note_unlock( LOCK_BACKEND );
    __atomic_store_n( &lock_word, 0, __ATOMIC_RELEASE );
}

void pages_free_lock(void)
{
    lock_word = 0;
    splits = 0;
}

void pages_limit_splits( long max )
{
    max_splits = max;
}

static int is_split( unsigned int left, unsigned int right )
{
    return (left & KNOWN) && (right & KNOWN) && (left & WANTED) == (right & WANTED) &&
           (left & PROT_WRITE) && (left ^ right) & ARMED;
}

/* The splits at and between the pages of a range, with the flags that the pages have, or as if all
 * of them were armed or none (*armed). */
static long count_splits( uintptr_t start, uintptr_t end, const unsigned int *armed )
{
    unsigned int left = get_flags( start - page_size() ), right;
    long count = 0;

    for (; start <= end; start += page_size(), left = right)
    {
        right = get_flags( start );
        if (armed && start < end) right = (right & ~ARMED) | *armed;
        count += is_split( left, right );
    }
    return count;
}

void pages_begin_change( uintptr_t start, uintptr_t end )
{
    splits -= count_splits( start, end, NULL );
}

void pages_end_change( uintptr_t start, uintptr_t end )
{
    splits += count_splits( start, end, NULL );
}

int pages_protect( uintptr_t start, uintptr_t end, int prot )
{
    return start < end ? raw_syscall3( SYS_mprotect, start, end - start, prot ) : 0;
}

int pages_apply( uintptr_t start, uintptr_t end, unsigned int armed )
{
    uintptr_t addr = start;
    int ret, prot = -1;

    for (; addr < end; addr += page_size())
    {
        int next = real_protection( (get_flags( addr ) & WANTED) | armed );

        if (next == prot) continue;
        if (prot != -1 && (ret = pages_protect( start, addr, prot ))) return ret;
        start = addr;
        prot = next;
    }
    return pages_protect( start, end, prot );
}

/***********************************************************************
 *           pages_set_armed
 *
 * Where that needs too many mappings, the range grows. A failure leaves pages of unknown
 * protection: they count as open and are marked.
 */
int pages_set_armed( struct watch_region *region, uintptr_t start, uintptr_t end,
                     unsigned int armed )
{
    uintptr_t size = 4 * page_size(), addr;
    int ret, whole;

    if (region->shift > page_shift + 2) size = (uintptr_t)1 << region->shift;

    for (;;)
    {
        long change = count_splits( start, end, &armed ) - count_splits( start, end, NULL );

        whole = start == region->base && end == region->end;
        if (whole || change <= 0 || splits + change <= max_splits)
        {
            ret = pages_apply( start, end, armed );
            if (!ret || !armed || whole || ret != -ENOMEM)
            {
                pages_begin_change( start, end );
                for (addr = start; addr < end; addr += page_size())
                {
                    uint8_t *flags = flags_at( addr );

                    if (!ret && armed) *flags |= ARMED;
                    else if (*flags & PROT_WRITE)
                    {
                        *flags &= ~ARMED;
                        region_mark_written( region, addr, addr + page_size() );
                    }
                }
                pages_end_change( start, end );
            }
            if (!ret || whole || ret != -ENOMEM) return ret;
        }
        if ((size *= 4) > region->end - region->base) size = region->end - region->base;
        if (size == region->end - region->base)
        {
            start = region->base;
            end   = region->end;
            continue;
        }
        start = region->base + (start - region->base) / size * size;
        end   = region->base + (end - region->base + size - 1) / size * size;
        if (end > region->end) end = region->end;
    }
}
