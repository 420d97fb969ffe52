/*
 * Bad pointers in a query: the fault is taken back and no page is lost
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "engine/backend.h"
#include "engine/query.h"
#include "engine/region.h"
#include "engine/watch.h"
#include "sys/page.h"
#include "sys/user_memory.h"
#include "unit.h"
#include "write_watch.h"

static int faults;
static int fault_status = STATUS_ACCESS_VIOLATION;

static void segv_handler( int sig, siginfo_t *info, void *arg )
{
    ucontext_t *context = arg;

    (void)info;
    if (!is_user_access( context_pc( context ))) signal( sig, SIG_DFL );
    else user_access_fail( context, fault_status );
    faults++;
}

static char *map_pages( size_t pages )
{
    return mmap( NULL, pages << page_shift, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0 );
}

/* all of pages[] must be written still, and nothing else */
static void check_written( char *memory, size_t pages, size_t step, size_t expect )
{
    static void *addresses[4096];
    ULONG_PTR count = 4096;
    ULONG granularity;
    size_t i;

    check( !get_write_watch( 0, memory, pages << page_shift, addresses, &count, &granularity ));
    check( count == expect );
    for (i = 0; i < count; i++) check( addresses[i] == memory + ((i * step) << page_shift) );
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = segv_handler, .sa_flags = SA_SIGINFO | SA_NODEFER };
    const struct page_run runs[] = { { 0x1000, 0x2000, 0 }, { 0x5000, 0x7000, 0 } };
    static void *results[2000];
    const size_t pages = sizeof(results) / sizeof(results[0]);
    char reason[160], *memory, *array;
    ULONG_PTR count;
    ULONG granularity = 7;
    uintptr_t value = 0;
    size_t i;

    sigaction( SIGSEGV, &action, NULL );
    if (watch_open( "scan", reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    array = map_pages( 2 );
    mprotect( array + page_size(), page_size(), PROT_NONE );

    check( user_load_pointer( array + page_size(), &value ) == fault_status && faults == 1 );
    check( !user_store_pointer( array, 5 ) && !user_load_pointer( array, &value ) && value == 5 );
    check( user_store32( array + page_size(), 1 ) == fault_status && faults == 2 );
    check( user_store_runs( array, runs, 2, 0x1000 ) == 3 );
    check( ((uintptr_t *)array)[0] == 0x1000 && ((uintptr_t *)array)[1] == 0x5000 &&
           ((uintptr_t *)array)[2] == 0x6000 && !((uintptr_t *)array)[3] );
    check( user_store_runs( array + page_size() - 2 * sizeof(void *), runs, 2, 0x1000 ) == fault_status &&
           faults == 3 );
    check( !user_swap_pointer( array, 6, &value ) && value == 0x1000 && *(uintptr_t *)array == 6 );
    check( user_swap_pointer( array + page_size(), 7, &value ) == fault_status && value == 0x1000 &&
           faults == 4 );

    memory = map_pages( pages );
    check( !watch_add( memory, pages << page_shift ) &&
           !watch_commit( memory, pages << page_shift ));
    for (i = 0; i < pages; i += 2) memory[i << page_shift] = 1;

    /* the array ends after 512, 3 and 0 entries; several scans have been delivered by then */
    for (i = 0; i < 3; i++)
    {
        size_t room = i == 0 ? 512 : i == 1 ? 3 : 0;

        count = pages;
        check( get_write_watch( WRITE_WATCH_FLAG_RESET, memory, pages << page_shift,
                                (void **)(array + page_size()) - room,
                                &count, &granularity ) == STATUS_ACCESS_VIOLATION );
        check( count == pages && granularity == 7 );
        check_written( memory, pages, 2, pages / 2 );
    }

    /* the count and the granularity cannot be stored */
    mprotect( array, page_size(), PROT_READ );
    check( get_write_watch( WRITE_WATCH_FLAG_RESET, memory, pages << page_shift, results,
                            &count, (ULONG *)array ) == STATUS_ACCESS_VIOLATION );
    check_written( memory, pages, 2, pages / 2 );
    check( get_write_watch( WRITE_WATCH_FLAG_RESET, memory, pages << page_shift, results,
                            (ULONG_PTR *)array, &granularity ) == STATUS_ACCESS_VIOLATION );
    check_written( memory, pages, 2, pages / 2 );
    check( get_write_watch( 0, memory, pages << page_shift, results,
                            (ULONG_PTR *)(array + page_size()), &granularity )
           == STATUS_ACCESS_VIOLATION );

    /* the status is that of the fault, whatever it was (row 34b) */
    fault_status = STATUS_GUARD_PAGE_VIOLATION;
    count = pages;
    check( get_write_watch( WRITE_WATCH_FLAG_RESET, memory, pages << page_shift,
                            (void **)(array + page_size()), &count, &granularity )
           == STATUS_GUARD_PAGE_VIOLATION );
    check( get_write_watch( WRITE_WATCH_FLAG_RESET, memory, pages << page_shift, results,
                            (ULONG_PTR *)(array + page_size()), &granularity )
           == STATUS_GUARD_PAGE_VIOLATION );
    check( get_write_watch( WRITE_WATCH_FLAG_RESET, memory, pages << page_shift, results, &count,
                            (ULONG *)(array + page_size()) ) == STATUS_GUARD_PAGE_VIOLATION );
    check( count == pages );
    check_written( memory, pages, 2, pages / 2 );

    /* no thread holds the region any more */
    {
        struct watch_query query;

        check( !watch_begin( &query, (uintptr_t)memory, (uintptr_t)memory + page_size() ));
        check( !region_has_steps( query.region ));
    }
    return unit_result();
}
