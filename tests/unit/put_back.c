/*
 * Pages that a query took and could not hand over, when a part of the region is gone meanwhile
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * They are put back in what is left of the region (rows 34 and 37). The arguments are backends,
 * otherwise all have their turn.
 */


#include "engine/step.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES 96

static char *memory;

static char *page( size_t i )
{
    return memory + (i << page_shift);
}

static size_t bytes( size_t count )
{
    return count << page_shift;
}

/* how many pages of [first, last) are written; they become not written */
static size_t take( size_t first, size_t last )
{
    static void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    check( !get_write_watch( 1, page( first ), bytes( last - first ), addresses, &count,
                             &granularity ));
    return count;
}

/* a query of all pages, which takes them; then [first, last) is unmapped, and it puts them back */
static void try_hole( size_t first, size_t last )
{
    struct watch_query query;

    memory = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                   0 );
    check( memory != MAP_FAILED );
    check( !watch_add( memory, bytes( PAGES )));
    take( 0, PAGES );
    check( take( 0, PAGES ) == 0 );

    check( !watch_begin( &query, (uintptr_t)memory, (uintptr_t)page( PAGES )));
    if (first < last)
    {
        watch_remove( page( first ), bytes( last - first ));
        munmap( page( first ), bytes( last - first ));
    }
    put_back( &query, (uintptr_t)page( 3 ), (uintptr_t)page( 93 ));
    if (first < last)
    {
        if (first) check( take( 0, first ) == (first > 3 ? first - 3 : 0) );
        if (last < PAGES) check( take( last, PAGES ) == (last < 93 ? 93 - last : 0) );
    }
    else check( take( 0, PAGES ) == 90 );
    watch_remove( memory, bytes( PAGES ));
    munmap( memory, bytes( PAGES ));
}

static int run( const char *name )
{
    char reason[160] = "";

    check( !fault_handler_install() );
    if (watch_open( unit_form( name ), reason, sizeof(reason) ))
        return unit_skip( name, reason );
    try_hole( 0, 0 );
    try_hole( 40, 41 );
    try_hole( 2, 80 );
    try_hole( 0, 10 );
    try_hole( 90, PAGES );
    try_hole( 0, PAGES );
    watch_close();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
