/*
 * The state of each page of the native memory manager: one byte, in a table of two levels
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In a table of zeros all pages are reserved, so the kernel need not back a table with memory until
 * a page is committed: memory that is only reserved costs nothing.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "native/view.h"
#include "sys/cpu.h"
#include "sys/page.h"

#define TABLE_BITS   20                          /* pages of one table */
#define TABLE_SIZE   ((size_t)1 << TABLE_BITS)   /* bytes of it */

static unsigned char *tables[(size_t)1 << (CPU_ADDRESS_BITS - TABLE_BITS - MIN_PAGE_SHIFT)];

static size_t first_table, table_end;   /* the tables that there are lie between them */

#define min( a, b ) ((a) < (b) ? (a) : (b))

int page_states_use_memory( uintptr_t start, uintptr_t end )
{
    size_t i;

    for (i = first_table; i < table_end; i++)
        if (tables[i] && overlaps( start, end, tables[i], TABLE_SIZE )) return 1;
    return 0;
}

int page_state_reserve( uintptr_t start, uintptr_t end )
{
    size_t i, first = start >> page_shift >> TABLE_BITS;
    size_t last = (end - 1) >> page_shift >> TABLE_BITS;
    void *ptr;

    for (i = first; i <= last; i++)
    {
        if (tables[i]) continue;
        ptr = mmap( NULL, TABLE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0 );
        if (ptr == MAP_FAILED) return -ENOMEM;
        tables[i] = ptr;
        if (!table_end || i < first_table) first_table = i;
        if (i >= table_end) table_end = i + 1;
    }
    return 0;
}

/* zeroes a part of a table; the kernel gets whole pages of it back */
static void clear_states( unsigned char *ptr, size_t count )
{
    uintptr_t start = round_up( (uintptr_t)ptr ), end = round_down( (uintptr_t)ptr + count );

    if (end > start && end - start >= 16 * page_size() &&
        !madvise( (void *)start, end - start, MADV_DONTNEED ))
    {
        memset( ptr, 0, start - (uintptr_t)ptr );
        memset( (void *)end, 0, (uintptr_t)ptr + count - end );
    }
    else memset( ptr, 0, count );
}

/***********************************************************************
 *           page_state_set
 *
 * The range must have been reserved.
 */
void page_state_set( uintptr_t start, uintptr_t end, unsigned char state )
{
    size_t page = start >> page_shift, last = end >> page_shift;

    while (page < last)
    {
        size_t offset = page & (TABLE_SIZE - 1), count = min( last - page, TABLE_SIZE - offset );
        unsigned char *ptr = tables[page >> TABLE_BITS] + offset;

        if (state) memset( ptr, state, count );
        else clear_states( ptr, count );
        page += count;
    }
}

unsigned char page_state( uintptr_t addr )
{
    size_t page = addr >> page_shift;

    if (addr > CPU_LAST_ADDRESS || !tables[page >> TABLE_BITS]) return 0;
    return tables[page >> TABLE_BITS][page & (TABLE_SIZE - 1)];
}

/***********************************************************************
 *           page_state_end
 *
 * The range must have been reserved. Compares eight pages at once where it can: a query of reserved
 * memory reads the states of all of it.
 */
uintptr_t page_state_end( uintptr_t start, uintptr_t end, unsigned char mask )
{
    size_t page = start >> page_shift, last = end >> page_shift;
    uint64_t state = page_state( start ) & mask;
    uint64_t mask8 = 0x0101010101010101ull * mask, state8 = 0x0101010101010101ull * state, word;

    for (page++; page < last; page++)
    {
        size_t offset = page & (TABLE_SIZE - 1);
        const unsigned char *ptr = tables[page >> TABLE_BITS] + offset;

        if (!(offset & 7) && last - page >= 8)
        {
            memcpy( &word, ptr, sizeof(word) );
            if ((word & mask8) == state8)
            {
                page += 7;
                continue;
            }
        }
        if ((*ptr & mask) != state) break;
    }
    return (uintptr_t)page << page_shift;
}
