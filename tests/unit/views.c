/*
 * Views: one memory mapped twice, and what is written through either of them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/random.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 128

static char *first, *second;
static struct writewatch_tracker *tracker, *single;

static ssize_t take( struct writewatch_tracker *who, unsigned char *pages )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    const void *pos = first, *end = first + (PAGES << page_shift);
    struct writewatch_range ranges[9];
    ssize_t i, count = 0, total = 0;

    while (pos < end && (count = writewatch_tracker_list( who, &pos, end, &filter, ranges, 9 )) >= 0)
        for (i = 0; i < count; i++)
            for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size(), total++)
                if (pages) pages[(ranges[i].start - (uintptr_t)first) >> page_shift]++;
    return count < 0 ? count : total;
}

static void test_views(void)
{
    unsigned char found[PAGES], written[PAGES];
    uint64_t state = 5;
    unsigned int round, i;

    for (round = 0; round < unit_share( 2000 ); round++)
    {
        memset( written, 0, PAGES );
        for (i = next_random( &state ) % 20; i; i--)
        {
            size_t number = next_random( &state ) % PAGES;

            (next_random( &state ) % 2 ? first : second)[number << page_shift]++;
            written[number] = 1;
        }
        if (next_random( &state ) % 4 == 0)
            check( !ResetWriteWatch( next_random( &state ) % 2 ? first : second,
                                     PAGES << page_shift ));
        memset( found, 0, PAGES );
        if (take( tracker, found ) < 0 || memcmp( found, written, PAGES )) break;
    }
    check( round == unit_share( 2000 ));

    /* one without the view sees only what goes through its own range */
    take( single, NULL );
    second[5 << page_shift] = 1;
    check( take( single, NULL ) == 0 && take( tracker, NULL ) == 1 );
    first[5 << page_shift] = 1;
    check( take( single, NULL ) == 1 && take( tracker, NULL ) == 1 );

    check( writewatch_tracker_add_view( tracker, first + 1, page_size(), second ) == -EINVAL );
    check( writewatch_tracker_add_view( tracker, second, page_size(), second ) == -EINVAL );
    for (i = 1; i < 8; i++)
        check( !writewatch_tracker_add_view( tracker, first, page_size(), second ));
    check( writewatch_tracker_add_view( tracker, first, page_size(), second ) == -ENOSPC );
}

static volatile int stop;

static void *write_pages( void *arg )
{
    uint64_t state = 9 + (arg != NULL);
    unsigned int i;

    for (i = 0; i < unit_share( 50000 ); i++)
    {
        char *view = next_random( &state ) % 2 ? first : second;

        __atomic_fetch_add( (unsigned int *)(view + (next_random( &state ) % PAGES << page_shift)), 1,
                            __ATOMIC_SEQ_CST );
    }
    __atomic_fetch_add( &stop, 1, __ATOMIC_SEQ_CST );
    return NULL;
}

/* what was last copied is the memory */
static void test_race(void)
{
    unsigned int copy[PAGES], wrong = 0;
    unsigned char found[PAGES];
    pthread_t threads[2];
    int last;
    size_t i;

    for (i = 0; i < PAGES; i++) copy[i] = *(unsigned int *)(first + (i << page_shift));
    take( tracker, NULL );
    for (i = 0; i < PAGES; i++) copy[i] = *(unsigned int *)(first + (i << page_shift));
    for (i = 0; i < 2; i++)
        check( !pthread_create( &threads[i], NULL, write_pages, i ? first : NULL ));
    do
    {
        last = __atomic_load_n( &stop, __ATOMIC_SEQ_CST ) == 2;
        memset( found, 0, PAGES );
        if (take( tracker, found ) < 0) wrong++;
        for (i = 0; i < PAGES; i++)
            if (found[i])
                copy[i] = __atomic_load_n( (unsigned int *)(first + (i << page_shift)),
                                           __ATOMIC_SEQ_CST );
    } while (!last);
    for (i = 0; i < 2; i++) pthread_join( threads[i], NULL );
    for (i = 0; i < PAGES; i++) if (copy[i] != *(unsigned int *)(first + (i << page_shift))) wrong++;
    check( !wrong );
}

/* what is not watched is an error, unless the caller passes over it */
static void test_unwatched(void)
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    const void *pos = first, *end = first + (PAGES << page_shift);
    struct writewatch_range range;

    take( tracker, NULL );
    first[3 << page_shift] = 1;
    check( !writewatch_unwatch( second + (40 << page_shift), page_size() ));
    check( writewatch_tracker_list( tracker, &pos, end, &filter, &range, 1 ) == -ENOENT );
    filter.flags = WRITEWATCH_ACROSS;
    check( writewatch_tracker_list( tracker, &pos, end, &filter, &range, 1 ) == 1 );
    check( range.start == (uintptr_t)first + (3 << page_shift) );
}

static int run( const char *name )
{
    size_t size = PAGES << page_shift;
    int fd = memfd_create( "views", MFD_CLOEXEC );

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    check( fd != -1 && !ftruncate( fd, size ));
    first  = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    second = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( first != MAP_FAILED && second != MAP_FAILED );
    memset( first, 1, size );
    check( !writewatch_watch( first, size ));
    check( !writewatch_tracker_open( &single, first, size, 0 ));
    check( !writewatch_tracker_open( &tracker, first, size, 0 ));
    check( !writewatch_tracker_add_view( tracker, first, size, second ));
    check( !writewatch_watch( second, size ));
    test_race();
    test_views();
    test_unwatched();
    writewatch_tracker_close( tracker );
    writewatch_tracker_close( single );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
