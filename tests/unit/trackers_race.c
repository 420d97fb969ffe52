/*
 * Trackers, queries and lists beside writers: each of them sees each write
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each consumer copies the pages that it gets. When the writers have stopped and it has looked once
 * more, its copy is the memory. Pages that are never written must never be reported. Meanwhile
 * other trackers come and go, and the memory is checked.
 */

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/random.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES     256
#define WRITERS   2
#define CONSUMERS 4

static char *memory;
static volatile int writers_left, consumers_left;
static unsigned int errors, false_pages;

struct consumer
{
    pthread_t                  thread;
    struct writewatch_tracker *tracker;   /* NULL: queries, and lists of the same state */
    unsigned int               copy[PAGES];
    unsigned int               polls;
};

static volatile unsigned int *word( size_t number )
{
    return (volatile unsigned int *)(memory + (number << page_shift));
}

static int is_written( size_t number )
{
    return number % 4 != 3;
}

static void *write_pages( void *arg )
{
    uint64_t state = RANDOM_SPREAD * ((uintptr_t)arg + 1);
    unsigned int i, rounds = unit_share( 100000 );

    for (i = 0; i < rounds; i++)
    {
        size_t number = next_random( &state ) % PAGES;

        if (is_written( number )) __atomic_fetch_add( word( number ), 1, __ATOMIC_SEQ_CST );
    }
    __atomic_fetch_sub( &writers_left, 1, __ATOMIC_SEQ_CST );
    return NULL;
}

static void take( unsigned int *copy, uintptr_t start, uintptr_t end )
{
    for (; start < end; start += page_size())
    {
        size_t number = (start - (uintptr_t)memory) >> page_shift;

        if (!is_written( number )) __atomic_fetch_add( &false_pages, 1, __ATOMIC_RELAXED );
        copy[number] = __atomic_load_n( word( number ), __ATOMIC_SEQ_CST );
    }
}

static int query( unsigned int *copy )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, i;
    DWORD granularity;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES << page_shift, addresses, &count,
                       &granularity )) return -1;
    for (i = 0; i < count; i++)
        take( copy, (uintptr_t)addresses[i], (uintptr_t)addresses[i] + page_size() );
    return 0;
}

static int list( struct writewatch_tracker *tracker, unsigned int *copy )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    const void *pos = memory, *end = memory + (PAGES << page_shift);
    struct writewatch_range ranges[7];

    while (pos < end)
    {
        ssize_t i, count;

        count = tracker ? writewatch_tracker_list( tracker, &pos, end, &filter, ranges, 7 )
                        : writewatch_list( pos, (char *)end - (char *)pos, &filter, ranges, 7, &pos );
        if (count < 0) return -1;
        for (i = 0; i < count; i++) take( copy, ranges[i].start, ranges[i].end );
    }
    return 0;
}

static int poll_once( struct consumer *consumer )
{
    consumer->polls++;
    if (consumer->tracker) return list( consumer->tracker, consumer->copy );
    return consumer->polls % 2 ? query( consumer->copy ) : list( NULL, consumer->copy );
}

static void *consume( void *arg )
{
    struct consumer *consumer = arg;

    while (__atomic_load_n( &writers_left, __ATOMIC_SEQ_CST ))
        if (poll_once( consumer )) __atomic_fetch_add( &errors, 1, __ATOMIC_RELAXED );
    __atomic_fetch_sub( &consumers_left, 1, __ATOMIC_SEQ_CST );
    return NULL;
}

/* others that come and go */
static void *disturb( void *arg )
{
    size_t size = 16 << page_shift;
    char *other = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    (void)arg;
    while (__atomic_load_n( &consumers_left, __ATOMIC_SEQ_CST ))
    {
        struct writewatch_tracker *tracker;
        unsigned int copy[PAGES];

        if (writewatch_tracker_open( &tracker, memory, PAGES << page_shift, 0 ) || list( tracker, copy ))
            __atomic_fetch_add( &errors, 1, __ATOMIC_RELAXED );
        writewatch_tracker_close( tracker );
        if (writewatch_watch( other, size ) || writewatch_unwatch( other, size ))
            __atomic_fetch_add( &errors, 1, __ATOMIC_RELAXED );
        if (writewatch_check( memory, PAGES << page_shift ))
            __atomic_fetch_add( &errors, 1, __ATOMIC_RELAXED );
    }
    munmap( other, size );
    return NULL;
}

static int run( const char *name )
{
    static struct consumer consumers[CONSUMERS];
    pthread_t writers[WRITERS], other;
    unsigned int i, number, missed = 0;

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    memory = VirtualAlloc( NULL, PAGES << page_shift, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    check( memory != NULL );
    writers_left = WRITERS;
    consumers_left = CONSUMERS;
    for (i = 0; i < CONSUMERS; i++)
    {
        if (i) check( !writewatch_tracker_open( &consumers[i].tracker, memory, PAGES << page_shift,
                                                  0 ));
        check( !pthread_create( &consumers[i].thread, NULL, consume, &consumers[i] ));
    }
    check( !pthread_create( &other, NULL, disturb, NULL ));
    for (i = 0; i < WRITERS; i++)
        check( !pthread_create( &writers[i], NULL, write_pages, (void *)(uintptr_t)i ));
    for (i = 0; i < WRITERS; i++) pthread_join( writers[i], NULL );
    for (i = 0; i < CONSUMERS; i++) pthread_join( consumers[i].thread, NULL );
    pthread_join( other, NULL );

    for (i = 0; i < CONSUMERS; i++)
    {
        check( !poll_once( &consumers[i] ));
        for (number = 0; number < PAGES; number++)
            if (consumers[i].copy[number] != *word( number )) missed++;
        if (consumers[i].tracker) writewatch_tracker_close( consumers[i].tracker );
    }
    if (missed || false_pages || errors)
        printf( "%s: %u pages missed, %u false, %u errors\n", name, missed, false_pages, errors );
    check( !missed && !false_pages && !errors );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
