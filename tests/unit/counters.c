/*
 * What is counted of each region, and in all
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <stddef.h>

#include "writewatch.h"

#include "engine/counters.h"
#include "sys/page.h"
#include "unit.h"

#define PAGES   16
#define SIZE    (PAGES * page_size())
#define SLOTS   8
#define THREADS 4

static struct watch_counters *counters;

static char *allocate(void)
{
    char *base = VirtualAlloc( NULL, SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                               PAGE_READWRITE );

    check( base != NULL );
    return base;
}

static void release( char *base )
{
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

/* writes to some pages; polls; returns what the call returns */
static UINT poll( char *base, unsigned int pages, DWORD flags )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    DWORD granularity;
    unsigned int i;
    UINT ret;

    for (i = 0; i < pages; i++) *(volatile char *)(base + i * page_size()) = 1;
    if (!(ret = GetWriteWatch( flags, base, SIZE, addresses, &count, &granularity )))
        check( count == pages || !pages );
    return ret;
}

static struct region_counters *slot_of( const char *base )
{
    size_t i;

    for (i = 0; i < counters->slot_count; i++)
        if (counters->slots[i].base == (uintptr_t)base) return &counters->slots[i];
    return NULL;
}

static int is_counted( const struct region_counters *slot, uint64_t polls, uint64_t pages,
                       uint64_t reset_polls, uint64_t reset_pages, uint64_t resets )
{
    int ret = slot && slot->polls == polls && slot->pages == pages &&
              slot->reset_polls == reset_polls && slot->reset_pages == reset_pages &&
              slot->resets == resets;

    if (slot && !ret)
        fprintf( stderr, "%llu polls %llu pages, %llu %llu with reset, %llu resets\n",
                 (unsigned long long)slot->polls, (unsigned long long)slot->pages,
                 (unsigned long long)slot->reset_polls, (unsigned long long)slot->reset_pages,
                 (unsigned long long)slot->resets );
    return ret;
}

static struct region_counters totals(void)
{
    struct region_counters total;

    counters_total( counters, &total );
    return total;
}

static void test_one( char *earlier )
{
    struct region_counters total;
    char *base = allocate(), *other = allocate();
    ULONG_PTR count = PAGES;
    DWORD granularity;

    check( !poll( earlier, 1, 0 ));   /* was made before anything was counted */
    check( counters->regions == 2 && counters->bytes == 2 * SIZE );
    check( slot_of( base ) && slot_of( base )->size == SIZE &&
           slot_of( base )->shift == page_shift );
    check( !poll( base, 3, 0 ) && !poll( base, 5, WRITE_WATCH_FLAG_RESET ) && !poll( base, 0, 0 ));
    check( !ResetWriteWatch( base, SIZE ));
    check( is_counted( slot_of( base ), 2, 3, 1, 5, 1 ));
    check( is_counted( slot_of( other ), 0, 0, 0, 0, 0 ));

    /* calls that fail are not counted */
    check( poll( base, 1, 2 ));
    check( GetWriteWatch( 0, base, SIZE, (void **)page_size(), &count, &granularity ));
    check( is_counted( slot_of( base ), 2, 3, 1, 5, 1 ));

    release( base );
    check( !slot_of( base ) && counters->regions == 1 && counters->bytes == SIZE );
    total = totals();
    check( is_counted( &total, 2, 3, 1, 5, 1 ));
    release( other );
    check( !counters->regions && !counters->bytes && counters->most_bytes == 2 * SIZE );
}

/* what is left on either side of a hole */
static void test_split(void)
{
    char *base = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    struct region_counters before, after;

    check( !writewatch_watch( base, SIZE ));
    check( !poll( base, 2, 0 ));
    before = totals();
    check( !writewatch_unwatch( base + 4 * page_size(), 2 * page_size() ));
    after = totals();
    check( counters->regions == 2 && counters->bytes == SIZE - 2 * page_size() );
    check( slot_of( base ) && slot_of( base )->size == 4 * page_size() );
    check( slot_of( base + 6 * page_size() ) );
    check( !memcmp( &before, &after, sizeof(before) ));
    check( !writewatch_unwatch( base, 4 * page_size() ));
    check( !writewatch_unwatch( base + 6 * page_size(), SIZE - 6 * page_size() ));
    check( !counters->regions && !counters->bytes );
    munmap( base, SIZE );
}

/* more regions than slots */
static void test_many(void)
{
    struct region_counters before = totals(), after;
    char *bases[3 * SLOTS];
    unsigned int i, found = 0;

    for (i = 0; i < 3 * SLOTS; i++) bases[i] = allocate();
    for (i = 0; i < 3 * SLOTS; i++)
    {
        found += slot_of( bases[i] ) != NULL;
        check( !poll( bases[i], 1, WRITE_WATCH_FLAG_RESET ));
    }
    check( found == SLOTS );
    check( counters->regions == 3 * SLOTS && counters->bytes == 3 * SLOTS * SIZE );
    after = totals();
    check( after.reset_polls == before.reset_polls + 3 * SLOTS );
    check( after.reset_pages == before.reset_pages + 3 * SLOTS );
    for (i = 0; i < 3 * SLOTS; i++) release( bases[i] );
    check( !counters->regions && !counters->bytes );
    before = totals();
    check( !memcmp( &before, &after, sizeof(before) ));
}

static void *poll_often( void *base )
{
    unsigned int i;

    for (i = 0; i < unit_share( 10000 ); i++) check( !poll( base, 0, WRITE_WATCH_FLAG_RESET ));
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    char *base = allocate();
    unsigned int i;

    for (i = 0; i < THREADS; i++) check( !pthread_create( &threads[i], NULL, poll_often, base ));
    for (i = 0; i < THREADS; i++) pthread_join( threads[i], NULL );
    check( is_counted( slot_of( base ), 0, 0, THREADS * unit_share( 10000 ), 0, 0 ));
    release( base );
}

static int run( const char *name )
{
    char *earlier;

    if (writewatch_open( unit_form( name ))) return unit_skip( name, writewatch_reason() );
    counters = mmap( NULL, round_up( offsetof( struct watch_counters, slots[SLOTS] )),
                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
    counters->slot_count = SLOTS;
    earlier = allocate();
    count_in( counters );
    test_one( earlier );
    test_split();
    test_many();
    test_threads();
    release( earlier );
    check( counters->regions == 0 );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
