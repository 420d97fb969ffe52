/*
 * Queries that fail when they have found pages already: nothing has changed (row 34)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The array is looked at before a query begins, so it can only go bad under way. Here the query is
 * made without that look. The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "page.h"
#include "unit.h"
#include "watch.h"
#include "write_watch.h"

/* every other page is written, so that they take several steps */
#define PAGES   2048
#define WRITTEN (PAGES / 2)

static const char * const backends[] = { "scan", "sigbus", "mprotect", "thread", "softdirty" };

static char *memory;       /* PAGES watched pages */
static char *array_end;    /* the end of an array, behind which there is nothing */

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static void write_pages(void)
{
    size_t i;

    for (i = 0; i < PAGES; i += 2) memory[bytes( i )] = 1;
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
        check( collect( rooms[i], PAGES, &count ) == -EFAULT );
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
    {
        printf( "%s: %s\n", name, reason );
        return SKIP;
    }
    memory = mmap( NULL, bytes( PAGES + 5 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    array_end = memory + bytes( PAGES + 4 );
    check( !mprotect( array_end, bytes( 1 ), PROT_NONE ));

    check( !watch_add( memory, bytes( PAGES )) && !watch_commit( memory, bytes( PAGES )));
    test_arrays();
    test_counts();
    /* some of the written state is in the bitmap then, and stays there */
    for (i = 0; i + 70 < PAGES; i += 500)
    {
        write_pages();
        check( !watch_discard( memory + bytes( i ), bytes( 70 )));
        check( all_are_written() );
    }
    test_arrays();
    return unit_result();
}

int main( int argc, char **argv )
{
    int status, failures = 0, passed = 0;
    size_t i;

    page_init();
    for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
    {
        if (!unit_wants( argc, argv, backends[i] )) continue;
        fflush( stdout );
        if (!fork())
        {
            alarm( UNIT_HANGS );
            exit( run( backends[i] ));
        }
        wait( &status );
        if (!status) passed++;
        else if (status != SKIP << 8)
        {
            printf( "%s: failed, status %x\n", backends[i], status );
            failures++;
        }
    }
    return failures ? FAIL : passed ? PASS : SKIP;
}
