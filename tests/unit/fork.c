/*
 * Children by fork(): nothing of the parent changes, and the child goes on
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: fork [NAME...]    all that main() names if none is
 */

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "engine/host.h"
#include "engine/region.h"
#include "fault/userfault.h"
#include "fork.h"

static void be_child( unsigned int depth, const char *process )
{
    struct memory *inherited = &fresh;
    struct memory own = { .allocated = 0 };
    size_t i;
    pid_t pid;

    check( !*writewatch_reason() || userfault_old_kernel );
    for (i = 0; i < MEMORIES; i++) take_over( memories[i], process );
    steps( depth + 2, STEPS, process );
    check( !strcmp( writewatch_backend_of( inherited->base ), backend )
           || strchr( backend, ':' ));

    /* memory of its own */
    own.base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0 );
    check( !writewatch_watch( own.base, bytes( PAGES )));
    write_page( &own, 7 );
    compare( &own, 0, PAGES, 1, process );
    write_page( &own, 9 );

    if (depth)
    {
        if (!(pid = start_child()))
        {
            be_child( depth - 1, "grandchild" );
            _exit( unit_result() );
        }
        steps( depth + 77, STEPS, process );
        check( passed( pid ));
        steps( depth + 78, STEPS, process );
    }
    compare( &own, 0, PAGES, 1, process );

    /* what a child gives up or drops is its own */
    check( !writewatch_unwatch( mapped.base, bytes( PAGES )));
    check( VirtualFree( fresh.base, 0, MEM_RELEASE ));
    check( !munmap( own.base, bytes( PAGES )));
}

/* a child, its child, and one that does nothing but fork */
static void test_child(void)
{
    unsigned int i;
    pid_t pid;

    for (i = 0; i < 3 && !unit_failures; i++)
    {
        if (!(pid = start_child()))
        {
            if (i == 1)
            {
                if ((pid = start_child())) _exit( !passed( pid ));
                be_child( 0, "grandchild of an idle child" );
            }
            else be_child( i, "child" );
            _exit( unit_result() );
        }
        /* at the same time; what is shared is written by the child, too, but not watched there */
        steps( 10 + i, STEPS, "parent" );
        check( passed( pid ));
        steps( 20 + i, STEPS, "parent" );
    }
}

/* A child that the C library does not know of: calls fail, memory works. */
static void test_unknown_child(void)
{
    unsigned char reported[PAGES];
    pid_t pid;
    size_t i;

    fflush( stdout );
    pid = syscall( SYS_clone, SIGCHLD, 0, 0, 0, 0 );
    if (!pid)
    {
        for (i = 0; i < PAGES; i++)
        {
            if (fresh.committed[i]) write_page( &fresh, i );
            write_page( &mapped, i );
        }
        for (i = 0; i < MEMORIES; i++)
        {
            check( ask( memories[i], 0, PAGES, 1, reported ) == -1 );
            check( ask( memories[i], 0, PAGES, 0, reported ) == -1 );
            check( ResetWriteWatch( memories[i]->base, bytes( PAGES )));
        }
        check( writewatch_watch( mapped.base, bytes( PAGES )));
        check( writewatch_unwatch( mapped.base, bytes( PAGES )));
        check( writewatch_fill( mapped.base, reported, bytes( 1 )));
        check( writewatch_check( mapped.base, bytes( PAGES )));
        check( writewatch_open( NULL ));
        check( !VirtualAlloc( NULL, bytes( 1 ), MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH,
                              PAGE_READWRITE ));
        munmap( mapped.base, bytes( PAGES ));
        _exit( unit_result() );
    }
    check( passed( pid ));
    steps( 30, STEPS, "parent of an unknown child" );
}

/* A child that cannot open anything: calls fail, and nothing hangs. */
static void test_no_descriptors(void)
{
    struct rlimit old, none;
    unsigned char reported[PAGES];
    pid_t pid;
    size_t i;
    int failed = 0;

    check( !getrlimit( RLIMIT_NOFILE, &old ));
    none.rlim_cur = 0;
    none.rlim_max = old.rlim_max;
    check( !setrlimit( RLIMIT_NOFILE, &none ));
    pid = fork();
    if (!pid)
    {
        alarm( UNIT_HANGS );
        for (i = 0; i < PAGES; i++)
        {
            if (fresh.committed[i]) write_page( &fresh, i );
            write_page( &mapped, i );
            write_page( &shared, i );
            write_page( &bare, i );
        }
        for (i = 0; i < MEMORIES; i++)
            if (ask( memories[i], 0, PAGES, 0, reported ) == -1) failed++;
            else compare( memories[i], 0, fresh.base == memories[i]->base ? 1 : PAGES, 0, "poor" );
        if (!strcmp( backend, "mprotect" )) check( !failed );
        else
        {
            check( failed == MEMORIES );
            check( strstr( writewatch_reason(), "in this child" ));
        }
        /* and with descriptors again, memory can be watched anew */
        check( !setrlimit( RLIMIT_NOFILE, &old ));
        memset( mapped.written, 0, PAGES );
        if (!writewatch_watch( mapped.base, bytes( PAGES )))
        {
            compare( &mapped, 0, PAGES, 1, "poor child, anew" );
            write_page( &mapped, 5 );
            compare( &mapped, 0, PAGES, 1, "poor child, anew" );
        }
        _exit( unit_result() );
    }
    check( !setrlimit( RLIMIT_NOFILE, &old ));
    check( passed( pid ));
    steps( 40, STEPS, "parent of a poor child" );
}

/* Memory that is not in the child at all. */
static void test_not_inherited(void)
{
    struct memory own = { .allocated = 0 };
    unsigned char reported[PAGES];
    pid_t pid;
    size_t i;

    own.base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0 );
    check( !writewatch_watch( own.base, bytes( PAGES )));
    write_page( &own, 1 );
    check( !madvise( own.base, bytes( PAGES ), MADV_DONTFORK ));
    if (!(pid = start_child()))
    {
        /* mprotect asks the kernel nothing that would show it; it reports "written" */
        if (ask( &own, 0, PAGES, 1, reported ) != -1) check( reported[1] && reported[PAGES - 1] );
        for (i = 0; i < MEMORIES; i++) take_over( memories[i], "child with a hole" );
        steps( 4, STEPS, "child with a hole" );
        _exit( unit_result() );
    }
    check( passed( pid ));
    compare( &own, 0, PAGES, 1, "parent of a child with a hole" );
    check( !writewatch_unwatch( own.base, bytes( PAGES )));
    munmap( own.base, bytes( PAGES ));
}

static int find_nothing( struct watch_region *region, struct page_scan *scan )
{
    (void)region;
    scan->next = scan->end;
    return 0;
}

/* With no step in progress: the thread of a backend may serve a fault of the region. */
static void set_backend( struct watch_region *region, const struct watch_backend *backend )
{
    change_lock();
    region_set_state( region, REGION_CLOSED );
    region->backend = backend;
    region_set_state( region, REGION_OPEN );
    change_unlock();
}

/* Memory that cannot be watched in the child: queries of it fail there, although this backend would
 * say that nothing is written. It is in no list, so it cannot be opened anew. */
static void test_refused(void)
{
    struct memory own = { .allocated = 0 };
    const struct watch_backend *real;
    struct watch_backend refused;
    struct watch_region *region;
    unsigned char reported[PAGES];
    pid_t pid;

    own.base = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0 );
    check( !writewatch_watch( own.base, bytes( PAGES )));
    region = region_get( (uintptr_t)own.base, (uintptr_t)own.base + bytes( PAGES ));
    real = region->backend;
    refused = *real;
    refused.collect_written = find_nothing;
    refused.check = NULL;
    refused.hold = refused.release = NULL;
    set_backend( region, &refused );
    if (!(pid = start_child()))
    {
        check( ask( &own, 0, PAGES, 0, reported ) == -1 );
        check( ask( &own, 0, PAGES, 1, reported ) == -1 );
        check( strstr( writewatch_reason(), "in this child" ) != NULL );
        _exit( unit_result() );
    }
    set_backend( region, real );
    check( passed( pid ));
    region_put( region );
    write_page( &own, 1 );
    compare( &own, 0, PAGES, 1, "parent of a child that cannot watch some memory" );
    check( !writewatch_unwatch( own.base, bytes( PAGES )));
    munmap( own.base, bytes( PAGES ));
}

/* A restore ends in the child, which has the pages that are there and may begin another one. */
static void test_restore(void)
{
    struct writewatch_restore *restore, *own;
    int fd = unit_temp_file();
    unsigned char data[256];
    volatile unsigned char *base;
    pid_t pid;
    size_t i;

    for (i = 0; i < 64; i++)
    {
        memset( data, i + 1, sizeof(data) );
        check( pwrite( fd, data, sizeof(data), bytes( i )) == sizeof(data) );
    }
    base = VirtualAlloc( NULL, bytes( 64 ), MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH,
                         PAGE_READWRITE );
    check( !writewatch_restore_start( &restore, (void *)base, bytes( 64 ), fd, 0 ));
    check( base[bytes( 20 )] == 21 );
    if (!(pid = start_child()))
    {
        check( base[bytes( 20 )] == 21 && !base[bytes( 50 )] );
        writewatch_restore_stop( restore );
        check( !writewatch_restore_start( &own, (void *)base, bytes( 64 ), fd, 0 ));
        check( base[bytes( 20 )] == 21 && base[bytes( 1 )] == 2 );
        writewatch_restore_stop( own );
        _exit( unit_result() );
    }
    check( base[bytes( 63 )] == 64 );
    check( passed( pid ));
    check( base[bytes( 40 )] == 41 );
    writewatch_restore_stop( restore );
    check( VirtualFree( (void *)base, 0, MEM_RELEASE ));
    close( fd );
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( backend ))
        return unit_skip( backend, writewatch_reason() );
    page_init();
    open_memories();
    test_child();
    test_unknown_child();
    test_no_descriptors();
    test_not_inherited();
    test_refused();
    if (!strncmp( backend, "scan", 4 )) test_restore();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_SCAN_UNMARKED | UNIT_SCAN_MARKED | UNIT_FAULTS |
                              UNIT_SOFTDIRTY, run );
}
