/*
 * Snapshots by trackers: pages that have changed are saved, and put back
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/random.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 200

static size_t size;
static char *memory, *copy, *second;
static struct writewatch_tracker *tracker, *other;

static char *page( char *base, size_t number )
{
    return base + (number << page_shift);
}

/* how many pages a tracker, or (NULL) queries, take for written */
static ssize_t take( struct writewatch_tracker *who )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[PAGES];
    const void *pos = memory;
    ssize_t i, count, pages = 0;

    count = who ? writewatch_tracker_list( who, &pos, memory + size, &filter, ranges, PAGES )
                : writewatch_list( pos, size, &filter, ranges, PAGES, &pos );
    check( pos == memory + size );
    for (i = 0; i < count; i++) pages += (ranges[i].end - ranges[i].start) >> page_shift;
    return count < 0 ? count : pages;
}

static void write_some( uint64_t *state, unsigned int count )
{
    while (count--)
        memory[next_random( state ) % size] ^= 1 + next_random( state ) % 255;
}

static void test_save(void)
{
    struct writewatch_tracker *drops;
    uint64_t state = 7;
    unsigned int round;
    int file = unit_temp_file();

    check( file != -1 );
    check( !ftruncate( file, size + 512 ));
    memset( memory, 1, size );
    check( writewatch_tracker_save( tracker, memory, size, copy ) == (ssize_t)size );
    check( !memcmp( copy, memory, size ));
    check( writewatch_tracker_save( tracker, memory, size, copy ) == 0 );
    check( writewatch_tracker_save_to( other, memory, size, file, 512 ) == (ssize_t)size );

    /* increments, in two rhythms: each copy is the memory when it was made */
    for (round = 0; round < unit_share( 1000 ); round++)
    {
        write_some( &state, next_random( &state ) % 40 );
        if (next_random( &state ) % 2) take( NULL );
        check( writewatch_tracker_save( tracker, memory, size, copy ) >= 0 );
        if (memcmp( copy, memory, size )) break;
        if (round % 3) continue;
        check( writewatch_tracker_save_to( other, memory, size, file, 512 ) >= 0 );
        check( pread( file, second, size, 512 ) == (ssize_t)size );
        if (memcmp( second, memory, size )) break;
    }
    check( round == unit_share( 1000 ));

    /* a page that is missing by now, which the kernel has to read */
    check( !writewatch_tracker_open( &drops, memory, size, WRITEWATCH_TRACK_DROPS ));
    *page( memory, 3 ) = 1;
    check( !madvise( page( memory, 3 ), page_size(), MADV_DONTNEED ));
    check( writewatch_tracker_save_to( drops, memory, size, file, 512 ) == (ssize_t)page_size() );
    check( pread( file, second, page_size(), 512 + (3 << page_shift) ) == (ssize_t)page_size() );
    check( !memcmp( second, page( memory, 3 ), page_size() ));
    writewatch_tracker_close( drops );

    /* what cannot be read or written has still changed; with mprotect, protection is the
     * backend's */
    take( tracker );
    if (strcmp( writewatch_backend(), "mprotect" ))
    {
        *page( memory, 9 ) ^= 1;
        check( !mprotect( page( memory, 9 ), page_size(), PROT_NONE ));
        check( writewatch_tracker_save_to( tracker, memory, size, file, 512 ) == -EFAULT );
        check( !mprotect( page( memory, 9 ), page_size(), PROT_READ | PROT_WRITE ));
        check( take( tracker ) == 1 );
    }
    close( file );
    *page( memory, 3 ) ^= 1;
    *page( memory, 150 ) ^= 1;
    if ((file = open( "/dev/full", O_WRONLY )) != -1)
    {
        check( writewatch_tracker_save_to( tracker, memory, size, file, 0 ) == -ENOSPC );
        close( file );
    }
    check( writewatch_tracker_save_to( tracker, memory, size, -1, 0 ) == -EBADF );
    check( take( tracker ) == 2 );
}

static void test_restore(void)
{
    uint64_t state = 8;
    unsigned int round;

    memset( memory, 2, size );
    write_some( &state, 10000 );
    check( writewatch_tracker_save( tracker, memory, size, copy ) == (ssize_t)size );
    memcpy( second, memory, size );
    for (round = 0; round < unit_share( 300 ); round++)
    {
        write_some( &state, next_random( &state ) % 60 );
        check( writewatch_tracker_restore( tracker, memory, size, copy ) >= 0 );
        if (memcmp( second, memory, size )) break;
        /* what was put back has not changed, and what is written now has */
        if (take( tracker )) break;
    }
    check( round == unit_share( 300 ));

    /* for others a page that is put back is a written one */
    take( other );
    take( NULL );
    *page( memory, 5 ) ^= 1;
    check( take( other ) == 1 && take( NULL ) == 1 );
    check( writewatch_tracker_restore( tracker, memory, size, copy ) == (ssize_t)page_size() );
    check( take( other ) == 1 && take( NULL ) == 1 && take( tracker ) == 0 );

    check( writewatch_tracker_restore( tracker, memory + 1, page_size(), copy ) == -EINVAL );
    check( writewatch_tracker_restore( tracker, memory, 0, copy ) == -EINVAL );
    check( writewatch_tracker_restore( tracker, memory, size + page_size(), copy ) == -EINVAL );
}

/* changed pages that are far from each other, so that each is reset by itself */
static void test_far(void)
{
    static const size_t written[] = { 0, 1, 5000, 6500, 8191 };
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    size_t i, count = sizeof(written) / sizeof(written[0]), len = (size_t)8192 << page_shift;
    char *far = mmap( NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    char *saved = mmap( NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    struct writewatch_tracker *follows;
    struct writewatch_range range;
    const void *pos;

    check( far != MAP_FAILED && saved != MAP_FAILED );
    check( !writewatch_watch( far, len ));
    check( !writewatch_tracker_open( &follows, far, len, 0 ));
    for (i = 0; i < count; i++) *page( far, written[i] ) = 1 + i;
    check( writewatch_tracker_restore( follows, far, len, saved ) ==
           (ssize_t)(count << page_shift) );
    check( !memcmp( far, saved, len ));
    pos = far;
    check( writewatch_tracker_list( follows, &pos, far + len, &filter, &range, 1 ) == 0 );
    for (i = 0; i < count; i++)
    {
        *page( far, written[i] ) = 1;
        check( writewatch_tracker_restore( follows, far, len, saved ) == (ssize_t)page_size() );
        check( !*page( far, written[i] ));
    }
    writewatch_tracker_close( follows );
    check( !writewatch_unwatch( far, len ));
    munmap( far, len );
    munmap( saved, len );
}

static int run( const char *name )
{
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    size = PAGES << page_shift;
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    copy   = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    second = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED && copy != MAP_FAILED && second != MAP_FAILED );
    check( !writewatch_watch( memory, size ));
    check( !writewatch_tracker_open( &tracker, memory, size, 0 ));
    check( !writewatch_tracker_open( &other, memory, size, 0 ));
    test_save();
    test_restore();
    test_far();
    writewatch_tracker_close( other );
    writewatch_tracker_close( tracker );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
