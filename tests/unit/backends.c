/*
 * The backends that work by faults: against the model, and with threads that write
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: backends [NAME...]    all of those below if none is named
 */

#include <pthread.h>

#include "engine/region.h"
#include "fault/fault.h"
#include "fault/userfault.h"
#include "model.h"

#define SHARED_PAGES 64
#define WRITERS      2

static uint64_t *shared;   /* SHARED_PAGES pages */
static uint64_t copies[SHARED_PAGES][WRITERS + 1];   /* what was there when a page was reported */
static int stop;

static uint64_t *word( size_t index, size_t writer )
{
    return &shared[(index << page_shift) / sizeof(*shared) + writer];
}

static uint64_t value_of( size_t index, size_t writer )
{
    return __atomic_load_n( word( index, writer ), __ATOMIC_RELAXED );
}

/* a plain write, as no other thread writes to this word */
static void count_up( size_t index, size_t writer )
{
    __atomic_store_n( word( index, writer ), value_of( index, writer ) + 1, __ATOMIC_RELAXED );
}

/* The first half is written by all, so that pages are opened by one thread for another. Of the
 * second half each page has one writer, which waits until it was reported:
 * a write that is lost stays so. */
static void *write_shared( void *arg )
{
    size_t writer = (size_t)arg, i, index;
    unsigned int seed = writer;

    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
        for (i = 0; i < 64; i++)
        {
            index = rand_r( &seed ) % SHARED_PAGES;
            if (index >= SHARED_PAGES / 2)
            {
                index = (index & ~(size_t)1) + writer;
                if (__atomic_load_n( &copies[index][writer], __ATOMIC_SEQ_CST ) !=
                    value_of( index, writer ))
                    continue;
            }
            count_up( index, writer );
        }
    return NULL;
}

/* asks with reset; returns how many pages, or -1 */
static long take( void **addresses, size_t first, size_t last )
{
    ULONG_PTR count = last - first;
    ULONG granularity;

    if (get_write_watch( WRITE_WATCH_FLAG_RESET, (char *)shared + bytes( first ),
                         bytes( last - first ), addresses, &count, &granularity )) return -1;
    return count;
}

/* What was copied of each page when it was last reported must be what is there in the end. And the
 * very next query of a thread must report what it has written, whichever thread opened the page. */
static void test_threads( unsigned int rounds )
{
    pthread_t threads[WRITERS];
    void *addresses[SHARED_PAGES];
    unsigned int round, missed = 0, lost = 0;
    size_t i, j;
    long count;

    shared = mmap( NULL, bytes( SHARED_PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    check( !watch_add( shared, bytes( SHARED_PAGES )) &&
           !watch_commit( shared, bytes( SHARED_PAGES )));
    for (i = 0; i < WRITERS; i++)
        check( !pthread_create( &threads[i], NULL, write_shared, (void *)i ));

    for (round = 0; round < rounds && !unit_failures; round++)
    {
        size_t mine = round % (SHARED_PAGES / 2), first = 0, last = SHARED_PAGES;
        int seen = 0;

        if (round & 1)   /* a short query, close to the write */
        {
            first = mine;
            last = mine + 1;
        }
        count_up( mine, WRITERS );
        count = take( addresses, first, last );
        check( count >= 0 );
        for (i = 0; (long)i < count; i++)
        {
            size_t index = ((char *)addresses[i] - (char *)shared) >> page_shift;

            if (index == mine) seen = 1;
            for (j = 0; j <= WRITERS; j++)
                __atomic_store_n( &copies[index][j], value_of( index, j ), __ATOMIC_SEQ_CST );
        }
        if (!seen) missed++;
    }
    __atomic_store_n( &stop, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < WRITERS; i++) pthread_join( threads[i], NULL );

    count = take( addresses, 0, SHARED_PAGES );
    for (i = 0; (long)i < count; i++)
    {
        size_t index = ((char *)addresses[i] - (char *)shared) >> page_shift;

        for (j = 0; j <= WRITERS; j++) copies[index][j] = value_of( index, j );
    }
    for (i = 0; i < SHARED_PAGES; i++)
        for (j = 0; j <= WRITERS; j++) if (copies[i][j] != value_of( i, j )) lost++;
    if (missed || lost)
        fprintf( stderr, "%u rounds: %u writes reported late, %u words lost\n", rounds, missed,
                 lost );
    check( !missed && !lost );
    check( !take( addresses, 0, SHARED_PAGES ));

    watch_remove( shared, bytes( SHARED_PAGES ));
    munmap( shared, bytes( SHARED_PAGES ));
    stop = 0;
}

static void *write_and_stop( void *arg )
{
    size_t i;

    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
        for (i = 0; i < SHARED_PAGES; i++) count_up( i, (size_t)arg );
    return NULL;
}

/* memory that is let go while others write to it goes on as ordinary memory */
static void test_detach(void)
{
    pthread_t threads[WRITERS];
    unsigned int round, rounds = unit_share( 150 );
    size_t i;
    int err;

    shared = mmap( NULL, bytes( SHARED_PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    for (i = 0; i < WRITERS; i++)
        check( !pthread_create( &threads[i], NULL, write_and_stop, (void *)i ));
    for (round = 0; round < rounds; round++)
    {
        if ((err = watch_add( shared, bytes( SHARED_PAGES ))) ||
            (err = watch_commit( shared, bytes( SHARED_PAGES ))))
            fprintf( stderr, "round %u: adding fails: %s\n", round, strerror( -err ));
        check( !err );
        check( !watch_detach( (void *)((char *)shared + bytes( round % 32 )), bytes( 32 )));
        check( !watch_detach( shared, bytes( SHARED_PAGES )));
        check( !watch_overlaps( shared, bytes( SHARED_PAGES )));
    }
    __atomic_store_n( &stop, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < WRITERS; i++) pthread_join( threads[i], NULL );
    munmap( shared, bytes( SHARED_PAGES ));
    stop = 0;
}

/* what was there before counts as not written, and pages without access or writing stay so */
static void test_populated(void)
{
    char *memory = mmap( NULL, bytes( 8 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    void *addresses[8];
    ULONG_PTR count = 8;
    ULONG granularity;

    memset( memory, 1, bytes( 8 ));
    check( !mprotect( memory, bytes( 2 ), PROT_READ ));
    check( !mprotect( memory + bytes( 2 ), bytes( 1 ), PROT_NONE ));
    check( !watch_add( memory, bytes( 8 )) && !watch_commit( memory, bytes( 8 )));
    check( !get_write_watch( 0, memory, bytes( 8 ), addresses, &count, &granularity ) && !count );
    check( user_probe_write( memory, 1, 0 ) && user_probe_read( memory + bytes( 2 ), 1, 0 ));
    check( !user_probe_read( memory, 1, 0 ));
    memory[bytes( 5 )] = 2;
    count = 8;
    check( !get_write_watch( 1, memory, bytes( 8 ), addresses, &count, &granularity ));
    check( count == 1 && addresses[0] == memory + bytes( 5 ));

    /* a results array in pages that are not written yet */
    count = bytes( 1 ) / sizeof(void *);
    memory[bytes( 3 )] = 1;
    check( !get_write_watch( 0, memory, bytes( 8 ), (void **)(memory + bytes( 6 )),
                             &count, &granularity ));
    check( count == 1 && *(void **)(memory + bytes( 6 )) == memory + bytes( 3 ));
    count = 8;
    check( !get_write_watch( 1, memory, bytes( 8 ), addresses, &count, &granularity ));
    check( count == 2 && addresses[1] == memory + bytes( 6 ));
    memory[bytes( 3 )] = 1;
    count = 8;
    check( get_write_watch( 1, memory, bytes( 8 ), (void **)memory, &count, &granularity )
           == STATUS_ACCESS_VIOLATION );
    count = 8;
    check( !get_write_watch( 1, memory, bytes( 8 ), addresses, &count, &granularity )
           && count == 1 );

    /* the middle is released, the rest goes on */
    memory[bytes( 3 )] = 1;
    memory[bytes( 7 )] = 1;
    watch_remove( memory + bytes( 4 ), bytes( 1 ));
    check( !munmap( memory + bytes( 4 ), bytes( 1 )));
    memory[bytes( 5 )] = 1;
    count = 8;
    check( !get_write_watch( 1, memory + bytes( 5 ), bytes( 3 ), addresses, &count, &granularity ));
    check( count == 2 && addresses[0] == memory + bytes( 5 )
           && addresses[1] == memory + bytes( 7 ));
    count = 8;
    check( !get_write_watch( 1, memory, bytes( 4 ), addresses, &count, &granularity )
           && count == 1 );
    memory[bytes( 3 )] = 1;
    count = 8;
    check( !get_write_watch( 1, memory, bytes( 4 ), addresses, &count, &granularity )
           && count == 1 );
    watch_remove( memory, bytes( 8 ));
    munmap( memory, bytes( 8 ));
}

static int run( const char *backend )
{
    char reason[160] = "";
    unsigned int seed, seeds = unit_share( 16 );

    /* no signal can be delivered in the middle of a system call */
    must_prepare = (unit_backend_bit( backend ) & (UNIT_SIGBUS | UNIT_MPROTECT)) != 0;
    check( !fault_handler_install() );
    if (watch_open( backend, reason, sizeof(reason) ))
    {
        check( *reason );
        return unit_failures ? FAIL : unit_skip( backend, reason );
    }
    check( !strcmp( watch_backend_name(), backend ));
    open_model();
    test_arguments();
    for (seed = 1; seed <= seeds && !unit_failures; seed++) test_random_steps( seed, 2000 );
    test_large();
    test_populated();
    test_threads( unit_share( 3000 ));
    test_detach();
    check( !*fault_notice() );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_FAULTS | UNIT_SOFTDIRTY, run );
}
