/*
 * A results array that lies in watched memory and cannot be written as a whole (row 34)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Such an array is not probed by writing, which would mark its pages. Nothing that is stored
 * reaches the pages that cannot be written, so only asking tells.
 */

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "page.h"
#include "unit.h"
#include "watch.h"
#include "write_watch.h"

#define PAGES 8

static const char * const backends[] = { "scan", "sigbus", "mprotect", "thread", "softdirty" };

static char *memory;       /* PAGES watched pages */
static char *neighbour;    /* a page behind them that is not watched */

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

/* the pages that are written, one bit each, or -1; and asks with reset if so told */
static int written( int reset )
{
    void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;
    int ret = 0;

    if (get_write_watch( reset, memory, bytes( PAGES ), addresses, &count, &granularity ))
        return -1;
    for (i = 0; i < count; i++) ret |= 1 << (((char *)addresses[i] - memory) >> page_shift);
    return ret;
}

/* asks with an array from one address to another; *count is what was told */
static NTSTATUS ask( int reset, char *start, char *end, ULONG_PTR *count )
{
    ULONG granularity;

    *count = (end - start) / sizeof(void *);
    return get_write_watch( reset, memory, bytes( PAGES ), (void **)start, count, &granularity );
}

/* one page is written, and the array begins in page 1 and ends in pages of another protection */
static void test_protection( int prot )
{
    char *start = memory + bytes( 2 ) - 64, *end = memory + bytes( 4 ) + 64;
    ULONG_PTR count;

    check( !watch_protect( memory + bytes( 2 ), bytes( 2 ), prot ));
    memory[bytes( 6 )] = 1;
    check( ask( 1, start, end, &count ) == STATUS_ACCESS_VIOLATION );
    check( ask( 0, start, end, &count ) == STATUS_ACCESS_VIOLATION );
    check( ask( 1, memory + bytes( 2 ), end, &count ) == STATUS_ACCESS_VIOLATION );
    /* all of it, and more than there is */
    check( ask( 1, memory, neighbour + bytes( 1 ), &count ) == STATUS_ACCESS_VIOLATION );
    check( written( 0 ) == 0x40 );

    /* up to there it is good */
    check( !ask( 0, start, memory + bytes( 2 ), &count ) && count == 1 );
    check( written( 1 ) == 0x42 );

    /* and as a whole, when it can be written again */
    check( !watch_protect( memory + bytes( 2 ), bytes( 2 ), PROT_READ | PROT_WRITE ));
    memory[bytes( 6 )] = 1;
    check( !ask( 0, start, end, &count ) && count == 1 );
    check( written( 1 ) == 0x42 );
    check( !written( 1 ));
}

/* an array that begins in watched memory and ends beyond it */
static void test_neighbour(void)
{
    char *start = memory + bytes( PAGES ) - 64, *end = neighbour + 64;
    ULONG_PTR count;

    memory[0] = 1;
    check( !ask( 0, start, end, &count ) && count == 1 );
    check( written( 1 ) == 0x81 );
    memory[0] = 1;
    check( !mprotect( neighbour, bytes( 1 ), PROT_READ ));
    check( ask( 1, start, end, &count ) == STATUS_ACCESS_VIOLATION );
    check( !mprotect( neighbour, bytes( 1 ), PROT_NONE ));
    check( ask( 1, start, end, &count ) == STATUS_ACCESS_VIOLATION );
    check( !munmap( neighbour, bytes( 1 )));
    check( ask( 1, start, end, &count ) == STATUS_ACCESS_VIOLATION );
    /* as long as there can be one */
    check( ask( 1, start, (char *)0x7ffffffff000, &count ) == STATUS_ACCESS_VIOLATION );
    check( written( 1 ) == 1 );
}

static int run( const char *name )
{
    char reason[160] = "";

    check( !fault_handler_install() );
    if (watch_open( unit_form( name ), reason, sizeof(reason) ))
    {
        printf( "%s: %s\n", name, reason );
        return SKIP;
    }
    memory = mmap( NULL, bytes( PAGES + 1 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    neighbour = memory + bytes( PAGES );
    check( !watch_add( memory, bytes( PAGES )) && !watch_commit( memory, bytes( PAGES )));
    check( !written( 1 ));
    test_protection( PROT_READ );
    test_protection( PROT_READ | PROT_EXEC );
    test_protection( PROT_NONE );
    test_neighbour();
    return unit_result();
}

int main(void)
{
    int status, failures = 0, passed = 0;
    size_t i;

    page_init();
    for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
    {
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
