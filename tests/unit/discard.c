/*
 * Writes beside a discard of accessible memory: dropped with what they wrote, or reported
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The linker puts a function of ours in the place of discard_pages(), so that a write can be made
 * just after contents were dropped and before the pages are protected again. A second test lets a
 * thread write at any moment, in WRITEWATCH_TEST_ROUNDS rounds. For rows 15 and 31.
 */

#include <pthread.h>
#include <sched.h>

#include "engine/region.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "scan/blocks.h"
#include "sys/advise.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES  1600   /* three blocks and more */
#define ROUNDS 600

static char *memory;
static void **addresses;
static char *write_to;      /* after the next discard of the page; NULL: nothing */
static int whole_blocks;    /* discards that dropped a whole block */

int __real_discard_pages( uintptr_t start, uintptr_t end );
int __wrap_discard_pages( uintptr_t start, uintptr_t end );

int __wrap_discard_pages( uintptr_t start, uintptr_t end )
{
    const uintptr_t block = (uintptr_t)1 << block_shift();
    int ret = __real_discard_pages( start, end );

    if (((start + block - 1) & -block) + block <= end) whole_blocks++;
    if (write_to && (uintptr_t)write_to >= start && (uintptr_t)write_to < end)
    {
        *(volatile char *)write_to = 7;
        write_to = NULL;
    }
    return ret;
}

static char *page( size_t index )
{
    return memory + (index << page_shift);
}

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

/* asks without reset; whether exactly these pages are written */
static int written( size_t count, const size_t *pages )
{
    ULONG_PTR found = PAGES, i;
    ULONG granularity;

    if (get_write_watch( 0, memory, bytes( PAGES ), addresses, &found, &granularity )) return 0;
    if (found != count) return 0;
    for (i = 0; i < count; i++) if (addresses[i] != page( pages[i] )) return 0;
    return 1;
}

static void test_write_after_discard(void)
{
    static const size_t lone[] = { 700 }, both[] = { 100, 700 };
    size_t i;

    check( !reset_write_watch( memory, bytes( PAGES )));
    for (i = 0; i < PAGES; i++) *(volatile char *)page( i ) = 1;
    check( !reset_write_watch( memory, bytes( PAGES )));
    whole_blocks = 0;
    write_to = page( 700 );
    check( !watch_discard( memory, bytes( PAGES )));
    check( !write_to && *page( 700 ) == 7 && !*page( 0 ));
    check( written( 1, lone ));

    /* and what was written before counts still */
    check( !reset_write_watch( memory, bytes( PAGES )));
    *page( 100 ) = 1;
    write_to = page( 700 );
    check( !watch_discard( page( 50 ), bytes( PAGES - 50 )));
    check( written( 2, both ));

    /* pages that are read afterwards are not written, those that are written are */
    check( !reset_write_watch( memory, bytes( PAGES )));
    for (i = 0; i < PAGES; i++) check( !*(volatile char *)page( i ) || i == 700 );
    check( written( 0, NULL ));
    *page( 700 ) = 0;
    check( written( 1, lone ));
}

static unsigned int turn;   /* odd while the other thread writes */
static int done;

static void *write_pages( void *arg )
{
    unsigned int my = 0, i;
    volatile unsigned int delay;

    (void)arg;
    for (;;)
    {
        while (__atomic_load_n( &turn, __ATOMIC_SEQ_CST ) == my)
        {
            if (__atomic_load_n( &done, __ATOMIC_SEQ_CST )) return NULL;
            sched_yield();
        }
        my = __atomic_load_n( &turn, __ATOMIC_SEQ_CST );
        for (delay = 0; delay < my * 37 % 3000; delay++) /* nothing */;
        for (i = 0; i < 64; i++) *(volatile char *)page( 480 + i ) = 1 + my % 250;
        __atomic_store_n( &turn, ++my, __ATOMIC_SEQ_CST );
    }
}

static void test_race(void)
{
    const char *value = getenv( "WRITEWATCH_TEST_ROUNDS" );
    unsigned int round, rounds = value ? strtoul( value, NULL, 10 ) : unit_share( ROUNDS );
    unsigned int lost = 0, now;
    volatile unsigned int delay;
    unsigned char seen[64];
    pthread_t thread;
    ULONG granularity;
    ULONG_PTR count, i;

    check( !pthread_create( &thread, NULL, write_pages, NULL ));
    for (round = 0; round < rounds; round++)
    {
        /* all of a block, or parts of two */
        size_t first = round & 1 ? 470 : 0, last = round & 1 ? 550 : PAGES;

        check( !watch_discard( page( first ), bytes( last - first )));
        check( !reset_write_watch( memory, bytes( PAGES )));
        now = __atomic_add_fetch( &turn, 1, __ATOMIC_SEQ_CST );
        for (delay = 0; delay < round * 53 % 3000; delay++) /* nothing */;
        check( !watch_discard( page( first ), bytes( last - first )));
        while (__atomic_load_n( &turn, __ATOMIC_SEQ_CST ) == now) sched_yield();
        count = PAGES;
        check( !get_write_watch( 0, memory, bytes( PAGES ), addresses, &count, &granularity ));
        memset( seen, 0, sizeof(seen) );
        for (i = 0; i < count; i++)
        {
            size_t index = ((char *)addresses[i] - memory) >> page_shift;

            if (index >= 480 && index < 544) seen[index - 480] = 1;
            else check( !addresses[i] );
        }
        for (i = 0; i < 64; i++) if (*page( 480 + i ) && !seen[i]) lost++;
    }
    __atomic_store_n( &done, 1, __ATOMIC_SEQ_CST );
    pthread_join( thread, NULL );
    printf( "%u rounds, %u writes lost\n", rounds, lost );
    check( !lost );
}

/* fresh memory as a host gives it, or memory that was used before its watch begins */
static int run_as( const char *backend, int fresh )
{
    const uintptr_t block = (uintptr_t)1 << block_shift();
    char reason[160], *area;

    if (watch_open( unit_form( backend ), reason, sizeof(reason) ))
        return unit_skip( backend, reason );
    check( !fault_handler_install() );
    addresses = calloc( PAGES + 1, sizeof(*addresses) );
    area = mmap( NULL, bytes( PAGES ) + block, fresh ? PROT_NONE : PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( addresses && area != MAP_FAILED );
    memory = (char *)(((uintptr_t)area + block - 1) & -block);
    if (fresh)
    {
        check( !watch_add( memory, bytes( PAGES )) && !watch_commit( memory, bytes( PAGES )));
        check( !watch_protect( memory, bytes( PAGES ), PROT_READ | PROT_WRITE ));
    }
    else
    {
        memset( memory, 5, bytes( PAGES ));
        check( !watch_add_as( memory, bytes( PAGES ), REGION_ANONYMOUS, page_shift ));
    }
    /* with the others the write may fault, and all signals are blocked there */
    if (!strcmp( backend, "scan" )) test_write_after_discard();
    /* where entries are protected again, none may be without a page table */
    if (!strcmp( backend, "scan" ) && (watch_needs_commit() || !fresh)) check( !whole_blocks );
    test_race();
    if (unit_failures) fprintf( stderr, "with %s, %s memory\n", backend, fresh ? "fresh" : "used" );
    return unit_result();
}

static int run_used( const char *backend )
{
    return run_as( backend, 0 );
}

static int run_fresh( const char *backend )
{
    return run_as( backend, 1 );
}

int main( int argc, char *argv[] )
{
    int used;

    page_init();
    used = unit_each_backend( argc, argv, UNIT_ALL, run_used );
    return unit_both( used, unit_each_backend( argc, argv, UNIT_ALL, run_fresh ));
}
