/*
 * Queries of the bare engine, on real memory, against the rules of Windows: those of tests/model
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_MODEL_H
#define WRITEWATCH_UNIT_MODEL_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../model/model.h"
#include "engine/watch.h"
#include "sys/page.h"
#include "sys/user_memory.h"
#include "unit.h"
#include "write_watch.h"

#ifndef PAGES
#define PAGES 400
#endif

static char *base;
static int pipe_fds[2];

/* whether system calls that write to watched memory fail unless it was written to before */
static int must_prepare;

/* the model: what Windows would say of a space with one region, which takes all of it */
static struct space model;

static inline int is_written( size_t index )
{
    return model.page[index].written != NOT_WRITTEN;
}

static inline void set_not_written( size_t first, size_t last )
{
    for (; first < last; first++) model.page[first].written = NOT_WRITTEN;
}

static inline int is_committed( size_t index )
{
    return model.page[index].committed;
}

static inline void note_write( size_t index, size_t offset, char value )
{
    model_write( &model, index * PAGE + offset, &value, 1 );
}

static char *page( size_t index )
{
    return base + (index << page_shift);
}

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static void write_pages( size_t first, size_t last )
{
    for (; first < last; first++)
        if (is_committed( first ))
        {
            char value = rand() & 1;   /* often a zero into a page of zeros */

            *(volatile char *)page( first ) = value;
            note_write( first, 0, value );
        }
}

static inline void read_pages( size_t first, size_t last )
{
    for (; first < last; first++) if (is_committed( first )) (void)*(volatile char *)page( first );
}

static inline void kernel_write( size_t index )
{
    if (!is_committed( index )) return;
    if (must_prepare) check( !user_probe_write( page( index ), 1, 0 ));
    check( write( pipe_fds[1], "x", 1 ) == 1 );
    check( read( pipe_fds[0], page( index ) + 5, 1 ) == 1 );
    note_write( index, 5, 'x' );
}

static void decommit( size_t first, size_t last )
{
    uint64_t addr = first * PAGE, size = (last - first) * PAGE;

    check( !watch_decommit( page( first ), bytes( last - first )));
    check( !model_free( &model, &addr, &size, MEM_DECOMMIT ));
}

static void commit( size_t first, size_t last )
{
    uint64_t addr = first * PAGE, size = (last - first) * PAGE;

    check( !watch_commit( page( first ), bytes( last - first )));
    check( !watch_protect( page( first ), bytes( last - first ), PROT_READ | PROT_WRITE ));
    for (; first < last; first++)
        if (!is_committed( first )) check( !*(volatile char *)page( first ));
    check( !model_allocate( &model, &addr, &size, MEM_COMMIT, PAGE_READWRITE, 0 ));
}

static void drop_contents( size_t first, size_t last )
{
    uint64_t addr = first * PAGE, size = (last - first) * PAGE;

    check( !watch_discard( page( first ), bytes( last - first )));
    check( !model_allocate( &model, &addr, &size, MEM_RESET, PAGE_READWRITE, 0 ));
}

static inline void change_protection( size_t first, size_t last )
{
    check( !watch_protect( page( first ), bytes( last - first ),
                           rand() & 1 ? PROT_NONE : PROT_READ ));
    for (; first < last; first++)
        check( !watch_protect( page( first ), bytes( 1 ),
                               is_committed( first ) ? PROT_READ | PROT_WRITE : PROT_NONE ));
}

static void query( size_t first, size_t last, size_t max, int reset )
{
    void *addresses[PAGES + 1];
    ULONG_PTR count = max;
    ULONG granularity = 0;
    size_t i, pos = 0;

    addresses[max] = (void *)0x5a5a;
    check( !get_write_watch( reset ? WRITE_WATCH_FLAG_RESET : 0, page( first ),
                             bytes( last - first ), addresses, &count, &granularity ));
    check( granularity == page_size() );
    check( count <= max );
    check( addresses[max] == (void *)0x5a5a );
    for (i = first; i < last && pos < max; i++)
    {
        if (!is_written( i )) continue;
        if (pos < count) check( addresses[pos] == page( i ));
        pos++;
        if (reset) set_not_written( i, i + 1 );
    }
    check( pos == count );
}

static void reset_pages( size_t first, size_t last )
{
    check( !reset_write_watch( page( first ), bytes( last - first )));
    set_not_written( first, last );
}

static inline void test_random_steps( unsigned int seed, unsigned int steps )
{
    unsigned int step;

    srand( seed );
    for (step = 0; step < steps && !unit_failures; step++)
    {
        size_t first = rand() % PAGES, last = first + 1 + rand() % (rand() % 4 ? 12 : PAGES);

        if (last > PAGES) last = PAGES;
        switch (rand() % 16)
        {
        case 0: case 1: case 2: case 3: write_pages( first, first + 1 ); break;
        case 4:  write_pages( first, last ); break;
        case 5:  kernel_write( first ); break;
        case 6:  read_pages( first, last ); break;
        case 7:  decommit( first, last ); break;
        case 8: case 9: commit( first, last ); break;
        case 10: drop_contents( first, last ); break;
        case 11: change_protection( first, last ); break;
        case 12: reset_pages( first, last ); break;
        case 13: query( 0, PAGES, PAGES, 0 ); break;
        default: query( first, last, 1 + rand() % (last - first), rand() & 1 ); break;
        }
    }
    query( 0, PAGES, PAGES, 0 );
    if (unit_failures) fprintf( stderr, "seed %u, step %u\n", seed, step );
}

static inline void test_arguments(void)
{
    void *addresses[4];
    ULONG_PTR count = 4;
    ULONG granularity = 1;

    check( get_write_watch( 2, page( 0 ), bytes( 1 ), NULL, NULL, &granularity )
           == STATUS_ACCESS_VIOLATION );
    check( get_write_watch( 2, page( 0 ), 0, NULL, &count, NULL ) == STATUS_ACCESS_VIOLATION );
    check( get_write_watch( 2, page( 0 ), bytes( 1 ), NULL, &count, &granularity )
           == STATUS_INVALID_PARAMETER );
    check( get_write_watch( 0, page( 0 ), 0, NULL, &count, &granularity )
           == STATUS_INVALID_PARAMETER );
    check( get_write_watch( 0, page( 0 ), bytes( 1 ), NULL, &count, &granularity )
           == STATUS_ACCESS_VIOLATION );
    check( get_write_watch( 0, NULL, bytes( 1 ), addresses, &count, &granularity )
           == STATUS_INVALID_PARAMETER );
    check( get_write_watch( 0, page( 1 ), ~(SIZE_T)0, addresses, &count, &granularity )
           == STATUS_INVALID_PARAMETER );
    check( get_write_watch( 0, page( 1 ), bytes( PAGES ), addresses, &count, &granularity )
           == STATUS_INVALID_PARAMETER );
    check( get_write_watch( 0, page( PAGES - 1 ), bytes( 1 ) + 1, addresses, &count, &granularity )
           == STATUS_INVALID_PARAMETER );
    check( reset_write_watch( page( 0 ), 0 ) == STATUS_INVALID_PARAMETER );
    check( reset_write_watch( page( 0 ), bytes( PAGES ) + 1 ) == STATUS_INVALID_PARAMETER );
    check( count == 4 && granularity == 1 );
    count = 0;
    check( get_write_watch( 0, page( 0 ), bytes( 1 ), NULL, &count, &granularity )
           == STATUS_INVALID_PARAMETER );

    /* rounded outward (row 8) */
    reset_pages( 0, PAGES );
    commit( 0, 4 );
    write_pages( 1, 3 );
    count = 4;
    check( !get_write_watch( 0, page( 1 ) + page_size() - 96, 100, addresses, &count, &granularity ));
    check( count == 2 && addresses[0] == page( 1 ) && addresses[1] == page( 2 ));
}

/* more runs than fit into one scan, and runs longer than one scan takes; but not so many that
 * mprotect would need more mappings than it takes, half of 65530, and report more than was
 * written */
static inline void test_large(void)
{
    const size_t pages = 30000;
    char *memory = mmap( NULL, bytes( pages ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    void **addresses = malloc( (pages + 1) * sizeof(*addresses) );
    ULONG_PTR count;
    ULONG granularity;
    size_t i;

    check( memory != MAP_FAILED && addresses );
    check( !watch_add( memory, bytes( pages )) && !watch_commit( memory, bytes( pages )));
    for (i = 0; i < pages; i += 2) memory[bytes( i )] = 1;
    count = pages;
    check( !get_write_watch( WRITE_WATCH_FLAG_RESET, memory, bytes( pages ), addresses,
                             &count, &granularity ));
    check( count == pages / 2 );
    for (i = 0; i < pages / 2; i++) check( addresses[i] == memory + bytes( 2 * i ));

    for (i = 0; i < pages; i++) memory[bytes( i )] = 2;
    count = pages - 1;
    check( !get_write_watch( WRITE_WATCH_FLAG_RESET, memory, bytes( pages ), addresses,
                             &count, &granularity ));
    check( count == pages - 1 );
    for (i = 0; i < count; i++) check( addresses[i] == memory + bytes( i ));
    count = pages;
    check( !get_write_watch( 0, memory, bytes( pages ), addresses, &count, &granularity ));
    check( count == 1 && addresses[0] == memory + bytes( pages - 1 ));

    watch_remove( memory, bytes( pages ));
    munmap( memory, bytes( pages ));
    free( addresses );
}

/* with the region where base says */
static inline void open_model_at_base(void)
{
    check( !pipe( pipe_fds ));
    check( !watch_add( base, bytes( PAGES )));
    model_init_space( &model, base, PAGES );
    model_reserve( &model, 0, PAGES, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
}

static inline void open_model(void)
{
    base = mmap( NULL, bytes( PAGES ), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( base != MAP_FAILED );
    open_model_at_base();
}

#endif /* WRITEWATCH_UNIT_MODEL_H */
