/*
 * Queries that fail when they have found pages already: nothing has changed (row 34)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/query.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

/* every other page is written, so that they take several steps */
#define PAGES   2048
#define WRITTEN (PAGES / 2)

static char *memory;       /* PAGES watched pages */
static char *array_end;    /* the end of an array, behind which there is nothing */

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static int saved;          /* the contents are dropped, so that the bitmap has the written state */

static void write_pages(void)
{
    size_t i;

    for (i = 0; i < PAGES; i += 2) memory[bytes( i )] = 1;
    if (saved) check( !watch_discard( memory, bytes( PAGES )));
}

/* whether every other page is written, and no other one; makes all of them not written */
static int all_are_written(void)
{
    static void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;

    if (get_write_watch( 1, memory, bytes( PAGES ), addresses, &count, &granularity )) return 0;
    for (i = 0; i < count; i++) if (addresses[i] != memory + bytes( 2 * i )) return 0;
    if (count != WRITTEN) printf( "%zu pages are written\n", (size_t)count );
    return count == WRITTEN;
}

/* a query with an array that has room for so many */
static int collect( size_t room, size_t max, size_t *count )
{
    void **addresses = (void **)(array_end - room * sizeof(*addresses));
    struct watch_query query;

    check( !watch_begin( &query, (uintptr_t)memory, (uintptr_t)memory + bytes( PAGES )));
    return watch_collect( &query, 1, addresses, max, count );
}

/* with the written state where it is now */
static void test_arrays(void)
{
    static const size_t rooms[] = { 0, 1, 64, 341, 342, 500, WRITTEN - 1 };
    size_t i, count;

    for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
    {
        write_pages();
        check( collect( rooms[i], PAGES, &count ) == STATUS_ACCESS_VIOLATION );
        check( all_are_written() );
    }

    /* an array that is filled, and not a word more */
    for (i = 1; i < sizeof(rooms) / sizeof(rooms[0]); i++)
    {
        write_pages();
        check( !collect( rooms[i], rooms[i], &count ) && count == rooms[i] );
        check( !collect( WRITTEN, WRITTEN, &count ) && count == WRITTEN - rooms[i] );
    }
}

/* whether every other page up to some page is written, whatever else is; makes all of them not
 * written */
static int are_written( size_t end )
{
    static void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;
    size_t page = 0;

    if (get_write_watch( 1, memory, bytes( PAGES ), addresses, &count, &granularity )) return 0;
    for (i = 0; i < count; i++) if (page < end && addresses[i] == memory + bytes( page )) page += 2;
    return page >= end;
}

/* What was handed over is read back from an array that is not what it was: what cannot be right
 * is not believed, and then all is written that may have been handed over (row 34c). */
static void test_spoilt_arrays(void)
{
    static const size_t rooms[] = { 1, 2, 64, 341, 342, WRITTEN };
    struct watch_query query;
    unsigned int i, how;

    for (i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
        for (how = 0; how < 9; how++)
        {
            size_t count, room = rooms[i], last = room - 1;
            void **addresses = (void **)(array_end - room * sizeof(*addresses));

            write_pages();
            check( !watch_begin( &query, (uintptr_t)memory, (uintptr_t)memory + bytes( PAGES )));
            check( !watch_collect( &query, 1, addresses, room, &count ) && count == room );
            switch (how)
            {
            case 0: addresses[last] = NULL; break;
            case 1: addresses[0] = memory + bytes( PAGES ); break;
            case 2: addresses[last] = memory - bytes( 1 ); break;
            case 3: addresses[last] = (char *)addresses[last] + 8; break;
            case 4: if (last) addresses[last] = addresses[last - 1]; break;
            case 5: addresses[last / 2] = memory + bytes( PAGES - 1 ); break;
            case 6: if (last) addresses[last] = memory; break;
            case 7: *(uint32_t *)&addresses[0] = 4096; break;
            case 8: check( !mprotect( array_end - bytes( 4 ), bytes( 4 ), PROT_NONE )); break;
            }
            watch_undo( &query, addresses, count );
            check( are_written( PAGES ));
            if (how == 8)
                check( !mprotect( array_end - bytes( 4 ), bytes( 4 ), PROT_READ | PROT_WRITE ));
        }
}

/* undo does not reach beyond what was looked at */
static void test_reach(void)
{
    static void *addresses[PAGES];
    struct watch_query query;
    ULONG_PTR rest = PAGES;
    ULONG granularity;
    size_t count;

    write_pages();
    check( !reset_write_watch( memory + bytes( PAGES / 2 ), bytes( PAGES / 2 )));
    check( !watch_begin( &query, (uintptr_t)memory, (uintptr_t)memory + bytes( PAGES )));
    check( !watch_collect( &query, 1, addresses, 100, &count ) && count == 100 );
    addresses[0] = NULL;
    watch_undo( &query, addresses, count );
    check( !get_write_watch( 0, memory + bytes( PAGES / 2 ), bytes( PAGES / 2 ), addresses, &rest,
                             &granularity ) && !rest );
    check( are_written( PAGES / 2 ));
}

/* all is found, and cannot be said */
static void test_counts(void)
{
    static void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    write_pages();
    check( get_write_watch( 1, memory, bytes( PAGES ), addresses, &count, (ULONG *)array_end ) ==
           STATUS_ACCESS_VIOLATION );
    check( all_are_written() );
    write_pages();
    check( get_write_watch( 1, memory, bytes( PAGES ), addresses, (ULONG_PTR *)array_end,
                            &granularity ) == STATUS_ACCESS_VIOLATION );
    check( all_are_written() );
}

static int run( const char *name )
{
    char reason[160] = "";
    size_t i;

    check( !fault_handler_install() );
    if (watch_open( unit_form( name ), reason, sizeof(reason) ))
        return unit_skip( name, reason );
    memory = mmap( NULL, bytes( PAGES + 5 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    array_end = memory + bytes( PAGES + 4 );
    check( !mprotect( array_end, bytes( 1 ), PROT_NONE ));

    check( !watch_add( memory, bytes( PAGES )) && !watch_commit( memory, bytes( PAGES )));
    test_arrays();
    test_counts();
    test_spoilt_arrays();
    test_reach();
    /* regions that have marks; then all of the state is there, in more runs than one store has */
    for (i = 0; i + 70 < PAGES; i += 500)
    {
        write_pages();
        check( !watch_discard( memory + bytes( i ), bytes( 70 )));
        check( all_are_written() );
    }
    test_arrays();
    test_spoilt_arrays();
    test_reach();
    saved = 1;
    test_arrays();
    test_counts();
    test_spoilt_arrays();
    test_reach();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
