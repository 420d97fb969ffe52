/*
 * A query waits for a fault that is being served: what is open then will be marked
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The linker puts a function of ours before region_mark_written() in calls of the backends. There a
 * fault has opened the page and not marked it yet, and stays until another thread has written to
 * the page, which needs no fault, and queries it: that query must report the write. It has to wait
 * for the fault, which goes on when it does.
 */

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/region.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "fault/userfault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES     4
#define MAX_TURNS 20000

static char *memory;
static struct watch_region *watched;
static int armed;      /* the next fault is to stay */
static int staying;    /* it does */
static int answered;   /* the query has come back */
static int waits_first;   /* a query waits for the thread that serves before it holds anything */

void __real_region_mark_written( struct watch_region *region, uintptr_t start, uintptr_t end );
void __wrap_region_mark_written( struct watch_region *region, uintptr_t start, uintptr_t end );

/* whether a query waits for the faults of the region, or has it */
static int is_held(void)
{
    const struct fair_lock *lock = &fault_data( watched )->lock;

    return (__atomic_load_n( &lock->entered, __ATOMIC_SEQ_CST ) & FAIR_HOLDER) != 0;
}

void __wrap_region_mark_written( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    unsigned int turns = 0;

    if (__atomic_exchange_n( &armed, 0, __ATOMIC_SEQ_CST ))
    {
        __atomic_store_n( &staying, 1, __ATOMIC_SEQ_CST );
        while (!__atomic_load_n( &answered, __ATOMIC_SEQ_CST ) && !is_held())
        {
            if (waits_first && ++turns == MAX_TURNS) break;
            sched_yield();
        }
    }
    __real_region_mark_written( region, start, end );
}

static void *write_first( void *arg )
{
    *(volatile char *)arg = 1;
    return NULL;
}

static void test_page( size_t index )
{
    char *page = memory + (index << page_shift);
    void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;
    pthread_t thread;

    staying = answered = 0;
    __atomic_store_n( &armed, 1, __ATOMIC_SEQ_CST );
    check( !pthread_create( &thread, NULL, write_first, page ));
    while (!__atomic_load_n( &staying, __ATOMIC_SEQ_CST )) sched_yield();
    *(volatile char *)(page + 1) = 2;
    check( !get_write_watch( WRITE_WATCH_FLAG_RESET, memory, (SIZE_T)PAGES << page_shift, addresses,
                             &count, &granularity ));
    __atomic_store_n( &answered, 1, __ATOMIC_SEQ_CST );
    check( count == 1 && addresses[0] == page );
    check( !pthread_join( thread, NULL ));
    check( page[0] == 1 && page[1] == 2 );
    /* the query has armed the page: the first write may have been made after it */
    check( !reset_write_watch( memory, (SIZE_T)PAGES << page_shift ));
}

static int run( const char *backend )
{
    size_t size = (size_t)PAGES << page_shift;
    char reason[160];
    int i;

    waits_first = !strcmp( backend, "thread" );
    if (watch_open( backend, reason, sizeof(reason) ))
        return unit_skip( backend, reason );
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( !watch_add( memory, size ));
    watched = region_get( (uintptr_t)memory, (uintptr_t)memory + size );
    for (i = 0; i < 20 && !unit_failures; i++) test_page( i % PAGES );
    region_put( watched );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_FAULTS, run );
}
