/*
 * Children by fork() with trackers: the child goes on, and nothing of the parent changes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In a child each tracker lists all that may have been written, once; from then on it is exact. The
 * arguments are backends, otherwise all have their turn.
 */

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "../common/random.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES    96
#define TRACKERS 3    /* the second follows drops, the third has another mapping of the shared memory */
#define STEPS    400

static const char *backend;

/* memory of one kind, and what is known of it */
static struct memory
{
    const char   *name;
    char         *base;
    unsigned char written[TRACKERS][PAGES];
    unsigned char filled[PAGES];             /* has contents */
} memories[] = { { .name = "allocated" }, { .name = "private" }, { .name = "shared" } };

#define MEMORIES (sizeof(memories) / sizeof(memories[0]))

#define ALLOCATED memories[0]
#define SHARED    memories[2]

/* of all three, which each tracker has in its range */
static char *first, *end, *view;
static struct writewatch_tracker *trackers[TRACKERS];

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static void write_page( struct memory *memory, size_t page, int through_view )
{
    unsigned int i;

    through_view = through_view && memory == &SHARED;
    ++*(volatile char *)((through_view ? view : memory->base) + bytes( page ));
    for (i = 0; i < TRACKERS; i++)
        if (!through_view || i == TRACKERS - 1) memory->written[i][page] = 1;
    memory->filled[page] = 1;
}

/* notes in found what a tracker lists, and resets it; whether that succeeded */
static int take( unsigned int who, unsigned char found[MEMORIES][PAGES] )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1,
                                        .flags = WRITEWATCH_ACROSS };
    struct writewatch_range ranges[32];
    const void *pos = first;
    ssize_t i, count = 0;
    size_t k;

    memset( found, 0, MEMORIES * sizeof(*found) );
    while (pos < (void *)end &&
           (count = writewatch_tracker_list( trackers[who], &pos, end, &filter, ranges, 32 )) >= 0)
        for (i = 0; i < count; i++)
            for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
                for (k = 0; k < MEMORIES; k++)
                {
                    uintptr_t offset = ranges[i].start - (uintptr_t)memories[k].base;

                    if (offset < bytes( PAGES )) found[k][offset >> page_shift]++;
                }
    if (count >= 0) return 1;
    fprintf( stderr, "%s: list of tracker %u: %s\n", backend, who, writewatch_reason() );
    unit_failures++;
    return 0;
}

/* each page is listed once if it was written, and not otherwise */
static void compare( unsigned int who, const char *process )
{
    unsigned char found[MEMORIES][PAGES];
    size_t k, i;

    if (!take( who, found )) return;
    for (k = 0; k < MEMORIES; k++)
    {
        unsigned int missed = 0, untrue = 0;

        for (i = 0; i < PAGES; i++)
        {
            if (found[k][i] < memories[k].written[who][i]) missed++;
            if (found[k][i] > memories[k].written[who][i]) untrue++;
            memories[k].written[who][i] = 0;
        }
        if (!missed && !untrue) continue;
        fprintf( stderr, "%s, %s, tracker %u, %s: %u missed, %u false\n", backend, process, who,
                 memories[k].name, missed, untrue );
        unit_failures++;
    }
}

/* In a new child a tracker lists what was written or has contents, all of the memory that the
 * program has mapped itself, and each page of it once. */
static void take_over( unsigned int who, const char *process )
{
    unsigned char found[MEMORIES][PAGES];
    size_t k, i;

    if (!take( who, found )) return;
    for (k = 0; k < MEMORIES; k++)
    {
        unsigned int missed = 0, twice = 0;

        for (i = 0; i < PAGES; i++)
        {
            int due = memories[k].written[who][i] || memories[k].filled[i] ||
                      &memories[k] != &ALLOCATED;

            if (found[k][i] < due) missed++;
            if (found[k][i] > 1) twice++;
            memories[k].written[who][i] = 0;
        }
        if (!missed && !twice) continue;
        fprintf( stderr, "%s, %s, tracker %u, %s: at first %u missed, %u twice\n", backend, process,
                 who, memories[k].name, missed, twice );
        unit_failures++;
    }
}

/* random writes and lists; those of the trackers from "from" on are left to others */
static void steps( uint64_t state, unsigned int from, const char *process )
{
    unsigned int i;

    for (i = 0; i < STEPS && !unit_failures; i++)
    {
        struct memory *memory = &memories[next_random( &state ) % MEMORIES];
        size_t page = next_random( &state ) % PAGES;

        switch (next_random( &state ) % 8)
        {
        case 0: compare( next_random( &state ) % from, process ); break;
        case 1: (void)*(volatile char *)(memory->base + bytes( page )); break;
        case 2: if (from == TRACKERS) check( !ResetWriteWatch( memory->base, bytes( PAGES )));
                break;
        default: write_page( memory, page, next_random( &state ) % 2 ); break;
        }
    }
    for (i = 0; i < from; i++) compare( i, process );
}

static void be_child( unsigned int depth, const char *process );

static pid_t start_child( unsigned int depth, const char *process )
{
    pid_t pid;

    fflush( stdout );
    if ((pid = fork())) return pid;
    alarm( UNIT_HANGS );
    be_child( depth, process );
    _exit( unit_result() );
}

static void wait_for( pid_t pid )
{
    int status;

    if (waitpid( pid, &status, 0 ) == pid && !status) return;
    fprintf( stderr, "%s: child ended with %#x\n", backend, status );
    unit_failures++;
}

static void be_child( unsigned int depth, const char *process )
{
    struct writewatch_tracker *own;
    struct writewatch_range range;
    const void *pos = first;
    unsigned int i;
    pid_t pid;

    for (i = 0; i < TRACKERS; i++) take_over( i, process );
    for (i = 0; i < TRACKERS; i++) compare( i, process );
    steps( 7 + depth, TRACKERS, process );

    /* one of its own, in which nothing is written at first */
    check( !writewatch_tracker_open( &own, first, end - first, 0 ));
    check( !writewatch_tracker_list( own, &pos, end, &(struct writewatch_filter){
           .required = WRITEWATCH_WRITTEN, .flags = WRITEWATCH_ACROSS }, &range, 1 ) && pos == end );
    if (depth)
    {
        pid = start_child( depth - 1, "grandchild" );
        steps( 77 + depth, TRACKERS, process );
        wait_for( pid );
        steps( 78 + depth, TRACKERS, process );
    }
    writewatch_tracker_close( own );
    for (i = 0; i < TRACKERS; i++) writewatch_tracker_close( trackers[i] );
}

static int stop;

/* takes what the last tracker has, so that a fork may come in the middle of a step */
static void *take_all( void *arg )
{
    unsigned char found[MEMORIES][PAGES];

    (void)arg;
    while (!__atomic_load_n( &stop, __ATOMIC_RELAXED )) take( TRACKERS - 1, found );
    return NULL;
}

/* The lists of a thread that the child does not have hold nothing up there, and what they have
 * taken is not missing. */
static void test_busy(void)
{
    pthread_t thread;
    unsigned int i;

    check( !pthread_create( &thread, NULL, take_all, NULL ));
    for (i = 0; i < unit_share( 20 ) && !unit_failures; i++)
    {
        pid_t pid = start_child( 0, "child of a busy parent" );

        steps( 200 + i, TRACKERS - 1, "busy parent" );
        wait_for( pid );
    }
    __atomic_store_n( &stop, 1, __ATOMIC_RELAXED );
    check( !pthread_join( thread, NULL ));
    for (i = 0; i < MEMORIES; i++)
        memset( memories[i].written[TRACKERS - 1], 0, PAGES );
}

static void map_all(void)
{
    int fd = memfd_create( "trackers_fork", MFD_CLOEXEC );
    size_t size = bytes( PAGES ), k;

    check( fd != -1 && !ftruncate( fd, size ));
    ALLOCATED.base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                   PAGE_READWRITE );
    memories[1].base = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    SHARED.base = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    view = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( ALLOCATED.base && memories[1].base != MAP_FAILED && SHARED.base != MAP_FAILED &&
           view != MAP_FAILED );
    first = end = SHARED.base;
    for (k = 0; k < MEMORIES; k++)
    {
        if (memories[k].base < first) first = memories[k].base;
        if (memories[k].base + size > end) end = memories[k].base + size;
    }
    for (k = 1; k < MEMORIES; k++) check( !writewatch_watch( memories[k].base, size ));
    check( !writewatch_watch( view, size ));
}

static int run( const char *name )
{
    unsigned int i;
    pid_t pid;

    backend = name;
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    map_all();
    for (i = 0; i < TRACKERS; i++)
        check( !writewatch_tracker_open( &trackers[i], first, end - first,
                                         i == 1 ? WRITEWATCH_TRACK_DROPS : 0 ));
    check( !writewatch_tracker_add_view( trackers[TRACKERS - 1], SHARED.base, bytes( PAGES ),
                                         view ));
    steps( 1, TRACKERS, "before" );
    for (i = 0; i < 3 && !unit_failures; i++)
    {
        /* some are written for some of the trackers when it forks */
        write_page( &memories[i], 5 + i, 0 );
        compare( i, "parent" );
        pid = start_child( i % 2, "child" );
        steps( 10 + i, TRACKERS, "parent" );
        wait_for( pid );
        steps( 20 + i, TRACKERS, "parent" );
    }
    if (!unit_failures) test_busy();
    for (i = 0; i < TRACKERS; i++) writewatch_tracker_close( trackers[i] );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
