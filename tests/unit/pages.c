/*
 * Listing pages by category, against what pagemap and a model say
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "writewatch.h"

#include "engine/watch.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES 400
#define ALL   (WRITEWATCH_WRITTEN | WRITEWATCH_FILE | WRITEWATCH_PRESENT | WRITEWATCH_ZERO)

static char *base;
static size_t pages = PAGES;

/* the model: the categories that each page has, of those known with the backend */
static uint64_t model[PAGES];
static uint64_t known;

/* the category of private pages that were only read: WRITEWATCH_ZERO, or 0 on a kernel without a
 * shared page of zeros */
static uint64_t has_zero_page;

static char *page( size_t index )
{
    return base + index * page_size();
}

static void *map( int flags )
{
    void *ret = mmap( NULL, PAGES * page_size(), PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS,
                      -1, 0 );

    check( ret != MAP_FAILED );
    return ret;
}

static int passes( const struct writewatch_filter *filter, uint64_t categories )
{
    return (categories & filter->required) == filter->required &&
           (!filter->any || categories & filter->any) && !(categories & filter->excluded);
}

/* Lists and compares; the ranges must be as few as can be. Returns how many pages were listed. */
static size_t list( size_t first, size_t last, const struct writewatch_filter *filter, size_t len )
{
    struct writewatch_range ranges[PAGES + 1], expect[PAGES];
    size_t i, n = 0, found = 0, stop = last;
    uint64_t before[PAGES];
    const void *next = NULL;
    ssize_t count;

    memcpy( before, model, sizeof(before) );
    for (i = first; i < last; i++)
    {
        uint64_t categories = model[i] & filter->returned;

        if (!passes( filter, model[i] )) continue;
        if (filter->max_pages && found == filter->max_pages) break;
        if (n && expect[n - 1].end == (uintptr_t)page( i ) &&
            expect[n - 1].categories == categories)
            expect[n - 1].end += page_size();
        else if (n == len) break;
        else
        {
            expect[n].start      = (uintptr_t)page( i );
            expect[n].end        = (uintptr_t)page( i + 1 );
            expect[n].categories = categories;
            n++;
        }
        found++;
        stop = i + 1;
        if (filter->reset) model[i] &= ~WRITEWATCH_WRITTEN;
    }
    ranges[len].start = 0x5a5a;
    count = writewatch_list( page( first ), (last - first) * page_size(), filter, ranges, len,
                             &next );
    /* the last range that there is room for may end early; the rest comes with the next call */
    if (n && n == len && count == (ssize_t)n && ranges[n - 1].end > ranges[n - 1].start &&
        ranges[n - 1].end < expect[n - 1].end)
    {
        for (; expect[n - 1].end > ranges[n - 1].end; expect[n - 1].end -= page_size(), found--)
        {
            i = (expect[n - 1].end - (uintptr_t)base) / page_size() - 1;
            model[i] = before[i];
        }
        stop = i;
    }
    check( count == (ssize_t)n );
    check( ranges[len].start == 0x5a5a );
    check( count < 0 || !memcmp( ranges, expect, n * sizeof(ranges[0]) ));
    /* when it has found enough, it may have gone on over pages that were not asked for, or not */
    if (n != len && (!filter->max_pages || found != filter->max_pages)) stop = last;
    check( (char *)next >= page( stop ) && (char *)next <= page( i ));
    return found;
}

static uint64_t random_categories(void)
{
    static const uint64_t categories[] = { WRITEWATCH_WRITTEN, WRITEWATCH_PRESENT, WRITEWATCH_FILE,
                                           WRITEWATCH_ZERO };
    uint64_t ret = 0;
    int i;

    for (i = rand() % 3; i; i--) ret |= categories[rand() % 4];
    return ret & known;
}

static void random_list( size_t first, size_t last )
{
    struct writewatch_filter filter = { 0 };

    filter.required  = random_categories();
    filter.any       = rand() % 2 ? random_categories() : 0;
    filter.excluded  = rand() % 2 ? random_categories() : 0;
    filter.returned  = random_categories();
    filter.max_pages = rand() % 3 ? 0 : 1 + rand() % (last - first);
    filter.reset     = rand() % 2;
    if (!(rand() % 3))
    {
        /* what is asked for most */
        filter.required = WRITEWATCH_WRITTEN;
        filter.any = filter.excluded = 0;
        filter.returned &= WRITEWATCH_WRITTEN;
    }
    list( first, last, &filter, rand() % 2 ? PAGES : 1 + rand() % 5 );
}

static void query( int reset )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, pos = 0;
    ULONG granularity;
    size_t i;

    check( !get_write_watch( reset, base, pages * page_size(), addresses, &count, &granularity ));
    for (i = 0; i < pages; i++)
    {
        if (!(model[i] & WRITEWATCH_WRITTEN)) continue;
        if (pos < count) check( addresses[pos] == page( i ));
        pos++;
        if (reset) model[i] &= ~WRITEWATCH_WRITTEN;
    }
    check( pos == count );
}

/* file: the pages of a shared mapping count as of a file */
static void run_model( const char *name, unsigned int seed, int file )
{
    struct writewatch_filter everything = { .returned = known };
    int failures = unit_failures;
    unsigned int step, steps = unit_share( 2000 );
    size_t i;

    srand( seed );
    memset( model, 0, sizeof(model) );
    for (step = 0; step < steps && unit_failures == failures; step++)
    {
        size_t first = rand() % pages, last = first + 1 + rand() % (rand() % 4 ? 8 : pages);

        if (last > pages) last = pages;
        switch (rand() % 10)
        {
        case 0: case 1: case 2:
            for (i = first; i < last; i++)
            {
                *(volatile char *)page( i ) = rand() & 1;
                model[i] = (WRITEWATCH_WRITTEN | WRITEWATCH_PRESENT |
                            (file ? WRITEWATCH_FILE : 0)) & known;
            }
            break;
        case 3:
            for (i = first; i < last; i++)
            {
                (void)*(volatile char *)page( i );
                if (!(model[i] & WRITEWATCH_PRESENT))
                    model[i] |= (WRITEWATCH_PRESENT |
                                 (file ? WRITEWATCH_FILE : has_zero_page)) & known;
            }
            break;
        case 4:
            if (file || rand() % 3) break;
            /* decommit keeps what was written, without the pages */
            check( !watch_decommit( page( first ), (last - first) * page_size() ));
            check( !watch_protect( page( first ), (last - first) * page_size(),
                                   PROT_READ | PROT_WRITE ));
            for (i = first; i < last; i++) model[i] &= WRITEWATCH_WRITTEN;
            break;
        case 5: query( rand() & 1 ); break;
        case 6: list( 0, pages, &everything, PAGES ); break;
        default: random_list( first, last ); break;
        }
        if (step == steps - 1 || unit_failures != failures)
            list( 0, pages, &everything, PAGES );
    }
    if (unit_failures != failures) fprintf( stderr, "%s, seed %u, step %u\n", name, seed, step );
}

static void test_memory( const char *name, int flags )
{
    unsigned int seed;

    for (seed = 1; seed <= 3; seed++)
    {
        base = map( flags );
        /* neither huge pages, nor several pages at once */
        madvise( base, PAGES * page_size(), MADV_NOHUGEPAGE );
        check( !writewatch_watch( base, pages * page_size() ));
        run_model( name, seed, flags == MAP_SHARED );
        check( !writewatch_unwatch( base, pages * page_size() ));
        munmap( base, PAGES * page_size() );
    }
}

/* a private file: pages of the file until they are written */
static void test_private_file(void)
{
    struct writewatch_filter filter = { .returned = ALL };
    int fd = memfd_create( "test", MFD_CLOEXEC );
    size_t i;

    check( !ftruncate( fd, 16 * page_size() ));
    base = mmap( NULL, 16 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0 );
    *page( 9 ) = 1;
    check( !writewatch_watch( base, 16 * page_size() ));
    memset( model, 0, sizeof(model) );
    model[9] = WRITEWATCH_PRESENT;
    list( 0, 16, &filter, 16 );
    for (i = 2; i < 6; i++) (void)*(volatile char *)page( i );
    for (i = 2; i < 6; i++) model[i] = WRITEWATCH_PRESENT | WRITEWATCH_FILE;
    *page( 4 ) = 1;
    *page( 12 ) = 1;
    model[4] = model[12] = WRITEWATCH_PRESENT | WRITEWATCH_WRITTEN;
    list( 0, 16, &filter, 16 );
    filter.required = WRITEWATCH_PRESENT;
    filter.excluded = WRITEWATCH_FILE;
    filter.reset = 1;
    check( list( 0, 16, &filter, 16 ) == 3 );
    check( list( 0, 16, &filter, 16 ) == 3 );
    check( !writewatch_unwatch( base, 16 * page_size() ));
    munmap( base, 16 * page_size() );
    close( fd );
}

/* threads that list with reset share what was written: each page goes to exactly one */
#define ROUNDS 20
static unsigned int taken[PAGES];

static void *take_pages( void *arg )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_PRESENT,
                                        .returned = WRITEWATCH_WRITTEN,
                                        .reset = 1 };
    struct writewatch_range ranges[3];
    const void *next;
    ssize_t i, count;
    uintptr_t addr;

    if (arg) filter.required = WRITEWATCH_WRITTEN;
    for (next = base; next < (void *)page( pages ); )
    {
        count = writewatch_list( next, page( pages ) - (char *)next, &filter, ranges, 3, &next );
        check( count >= 0 );
        if (count < 0) break;
        for (i = 0; i < count; i++)
            if (ranges[i].categories & WRITEWATCH_WRITTEN)
                for (addr = ranges[i].start; addr < ranges[i].end; addr += page_size())
                    __atomic_fetch_add( &taken[(addr - (uintptr_t)base) / page_size()], 1,
                                        __ATOMIC_SEQ_CST );
    }
    return NULL;
}

static void test_two_takers( int flags )
{
    pthread_t thread;
    unsigned int round;
    size_t i;

    base = map( flags );
    check( !writewatch_watch( base, PAGES * page_size() ));
    for (round = 0; round < unit_share( ROUNDS ) && !unit_failures; round++)
    {
        for (i = 0; i < PAGES; i++)
        {
            taken[i] = rand() % 3 ? -1 : 0;
            if (taken[i]) *(volatile char *)page( i ) = 1;
        }
        pthread_create( &thread, NULL, take_pages, (void *)(uintptr_t)(round & 1) );
        take_pages( NULL );
        pthread_join( thread, NULL );
        /* those that neither thread listed may have been put back in between: ask once more */
        take_pages( NULL );
        for (i = 0; i < PAGES; i++) check( !taken[i] );
    }
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
}

static void test_arguments(void)
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_range range;
    const void *next;
    ssize_t count;

    base = map( MAP_PRIVATE );
    check( writewatch_list( base, page_size(), &filter, &range, 1, &next ) == -ENOENT );
    check( !writewatch_watch( base, PAGES * page_size() ));
    check( writewatch_list( base, 0, &filter, &range, 1, &next ) == -EINVAL );
    check( writewatch_list( base, -page_size(), &filter, &range, 1, &next ) == -EINVAL );
    check( writewatch_list( base, page_size(), &filter, &range, 0, &next ) == -EINVAL );
    check( writewatch_list( base, (PAGES + 1) * page_size(), &filter, &range, 1, &next )
           == -ENOENT );
    filter.excluded = 1;
    check( writewatch_list( base, page_size(), &filter, &range, 1, &next ) == -EINVAL );
    filter.excluded = 0;
    filter.any = (uint64_t)1 << 40;
    check( writewatch_list( base, page_size(), &filter, &range, 1, &next ) == -EINVAL );
    filter.any = 0;
    filter.required = WRITEWATCH_HUGE;
    count = writewatch_list( base, page_size(), &filter, &range, 1, NULL );
    check( count == (known & WRITEWATCH_ZERO ? 0 : -EOPNOTSUPP) );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
}

static int run( const char *backend )
{
    if (writewatch_open( unit_form( backend )))
        return unit_skip( backend, writewatch_reason() );
    /* mprotect brings pages in by itself */
    known = !strcmp( backend, "scan" ) ? ALL :
            !strcmp( backend, "mprotect" ) ? WRITEWATCH_WRITTEN : ALL & ~WRITEWATCH_ZERO;
    has_zero_page = unit_has_zero_page() ? WRITEWATCH_ZERO : 0;
    test_arguments();
    test_memory( "private", MAP_PRIVATE );
    test_memory( "shared", MAP_SHARED );
    pages = 70;
    test_memory( "private, two groups", MAP_PRIVATE );
    pages = PAGES;
    if (known & WRITEWATCH_ZERO) test_private_file();
    test_two_takers( MAP_PRIVATE );
    test_two_takers( MAP_SHARED );
    if (unit_failures) fprintf( stderr, "with %s\n", backend );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
