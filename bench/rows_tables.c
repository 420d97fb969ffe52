/*
 * The benchmark: what a reservation costs in page tables
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>

#include "bench.h"
#include "system.h"
#include "target.h"

/***********************************************************************
 *           page_tables
 *
 * One page is committed, written and found, so that the watch is more than a promise.
 */
void page_tables(void)
{
    static const unsigned int sizes[] = { 1, 4, 16, 64 };
    unsigned int i;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
    {
        size_t size = scaled( sizes[i] * GIB );
        double before = page_tables_kib( tag ), after;
        char *base, name[32];
        void *address;

        if (!fits( sizes[i] * GIB )) return;
        base = reserve_watched( size );
        commit_pages( base, PAGE_SIZE );
        write_pages( base, PAGE_SIZE, 1 );
        if (poll_pages( base, size, 1, SPARSE, &address, 1 ) != 1) fail( "the poll of one page" );
        after = page_tables_kib( tag );
        free_memory( base, size );
        if (before < 0 || after < 0) fail( "finding the process in /proc" );
        snprintf( name, sizeof(name), "tables_%ug", sizes[i] );
        emit( name, after > before ? after - before : 0, "KiB" );
    }
}
