/*
 * Watching the library's own data, which it needs to serve a fault
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As a program may that watches all that it finds in /proc/self/maps. All pages that the library
 * has mapped for itself are watched, or refused, and it must work on. The arguments are backends,
 * otherwise all have their turn.
 */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/maps.h"
#include "sys/page.h"
#include "track/tracker.h"
#include "unit.h"
#include "writewatch.h"
#include "writewatch_windows.h"

#define PAGES        ((size_t)64)
#define MAX_MAPPINGS 2000

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
static const int is_sanitized = 1;
#else
static const int is_sanitized;
#endif

struct span
{
    uintptr_t start;
    uintptr_t end;
};

static struct span before[MAX_MAPPINGS];   /* what was mapped before the library had data */
static size_t before_count;
static char *memory;                       /* watched, with a tracker */
static char *views[PAGES];                 /* of the memory manager */
static unsigned int accepted, refused;

/* memory that the program itself has mapped meanwhile */
static int is_programs( uintptr_t page )
{
    size_t i;

    if (page - (uintptr_t)memory < PAGES << page_shift) return 1;
    for (i = 0; i < PAGES; i++) if (page - (uintptr_t)views[i] < 0x20000) return 1;
    return 0;
}

static int was_mapped( uintptr_t page )
{
    size_t i;

    for (i = 0; i < before_count; i++)
        if (page >= before[i].start && page < before[i].end) return 1;
    return 0;
}

static void note_mappings(void)
{
    struct maps_reader reader;
    struct mapping mapping;

    check( !maps_open( &reader, 0 ));
    for (before_count = 0; maps_next( &reader, &mapping ) == 1; before_count++)
    {
        check( before_count < MAX_MAPPINGS );
        before[before_count] = (struct span){ mapping.start, mapping.end };
    }
    maps_close( &reader );
}

static int watch_page( const void *ptr )
{
    return writewatch_watch( (void *)round_down( (uintptr_t)ptr ), page_size() );
}

static void watch_span( struct span span, int watch )
{
    uintptr_t page;
    int ret;

    for (page = span.start; page < span.end; page += page_size())
    {
        if (was_mapped( page ) || is_programs( page )) continue;
        if (!watch)
        {
            writewatch_unwatch( (void *)page, page_size() );
            continue;
        }
        ret = watch_page( (void *)page );
        check( !ret || ret == -EDEADLK );
        if (ret) refused++;
        else accepted++;
    }
}

/* whether a stack of another thread lies there, with glibc */
static int has_stack( const struct mapping *mapping )
{
    DIR *dir = opendir( "/proc/self/task" );
    struct dirent *entry;
    int ret = 0;

    while (!ret && (entry = readdir( dir )))
    {
        uintptr_t head = 0;
        int tid = atoi( entry->d_name );
        size_t size;

        if (tid <= 0 || tid == getpid()) continue;
        if (syscall( SYS_get_robust_list, tid, &head, &size )) continue;
        ret = head >= mapping->start && head < mapping->end;
    }
    closedir( dir );
    return ret;
}

/* Watches all pages that may be the library's, or ends that. A stack looks like any other memory;
 * inaccessible memory may be before it. A sanitizer has data of its own, which all threads need. */
static void watch_all( int watch )
{
    static struct span spans[MAX_MAPPINGS];
    struct mapping mapping, last = { 0 };
    struct maps_reader reader;
    size_t i, count = 0;

    check( !maps_open( &reader, 0 ));
    for (; maps_next( &reader, &mapping ) == 1; last = mapping)
    {
        if (mapping.file || mapping.shared || mapping.name[0]) continue;
        if (mapping.prot != (PROT_READ | PROT_WRITE)) continue;
        if (last.end == mapping.start && !last.prot) continue;
        if (is_sanitized || has_stack( &mapping )) continue;
        check( count < MAX_MAPPINGS );
        spans[count++] = (struct span){ mapping.start, mapping.end };
    }
    maps_close( &reader );
    for (i = 0; i < count; i++) watch_span( spans[i], watch );
}

/* writes, queries and changes of all kinds, with their results */
static void use_library( struct writewatch_tracker *tracker )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .returned =
                                        WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[4];
    const void *pos = memory, *next;
    size_t size = PAGES << page_shift;
    void *addresses[4];
    ULONG_PTR count = 4;
    DWORD granularity;
    char *more;
    size_t i;

    /* what was written before does not matter */
    check( writewatch_tracker_list( tracker, &pos, memory + size, &filter, ranges, 4 ) >= 0 );
    check( writewatch_poll( memory, size, WRITEWATCH_RESET, ranges, 4, &next ) >= 0 );

    memory[0] = memory[page_size()] = memory[9 << page_shift] = 1;
    pos = memory;
    check( writewatch_tracker_list( tracker, &pos, memory + size, &filter, ranges, 4 ) == 2 );
    check( writewatch_poll( memory, size, WRITEWATCH_RESET, ranges, 4, &next ) == 2 );
    check( ranges[1].start == (uintptr_t)memory + (9 << page_shift) );

    for (i = 0; i < PAGES; i++)
    {
        check( VirtualAlloc( views[i], 0x10000, MEM_COMMIT, PAGE_READWRITE ) == views[i] );
        views[i][0] = 1;
        check( VirtualFree( views[i], 0x10000, MEM_DECOMMIT ));
    }
    more = VirtualAlloc( NULL, 0x20000, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                         PAGE_READWRITE );
    check( more != NULL );
    more[0] = 1;
    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, more, 0x20000, addresses, &count,
                           &granularity ) && count == 1 );
    check( VirtualFree( more, 0, MEM_RELEASE ));
}

static int run( const char *name )
{
    int expected = strcmp( name, "scan" ) ? -EDEADLK : 0;
    struct writewatch_tracker *tracker;
    struct tracker *inner;
    size_t i;

    note_mappings();
    if (writewatch_open( unit_form( name ))) return unit_skip( name, writewatch_reason() );
    /* as long as nothing was watched, another backend can be chosen */
    if (expected) check( watch_page( &i ) == expected && watch_page( &errno ) == expected );
    check( writewatch_watch( NULL, page_size() ) < 0 );
    check( writewatch_tracker_open( &tracker, NULL, 0, 0 ) == -EINVAL );
    check( !VirtualAlloc( (void *)0x10000, 0x10000, MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE ));
    check( !writewatch_open( unit_form( name )));

    memory = mmap( NULL, PAGES << page_shift, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    check( memory != MAP_FAILED );
    memset( memory, 1, PAGES << page_shift );
    for (i = 0; i < PAGES; i++)
        views[i] = VirtualAlloc( NULL, 0x20000, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( !writewatch_watch( memory, PAGES << page_shift ));
    check( !writewatch_tracker_open( &tracker, memory, PAGES << page_shift,
                                     WRITEWATCH_TRACK_DROPS ));
    use_library( tracker );

    check( writewatch_open( unit_form( name )) == -EBUSY );

    watch_all( 1 );
    inner = (struct tracker *)tracker;
    check( watch_page( inner ) == expected );
    check( watch_page( inner->pages ) == expected );
    check( watch_page( inner->contents ) == expected );
    use_library( tracker );
    use_library( tracker );
    printf( "%s: %u pages watched, %u refused\n", name, accepted, refused );
    if (expected && !is_sanitized) check( refused >= 3 );

    watch_all( 0 );
    if (!expected)
    {
        writewatch_unwatch( (void *)round_down( (uintptr_t)inner ), page_size() );
        writewatch_unwatch( (void *)round_down( (uintptr_t)inner->pages ), page_size() );
        writewatch_unwatch( (void *)round_down( (uintptr_t)inner->contents ), page_size() );
    }
    writewatch_tracker_close( tracker );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
