/*
 * Trackers that begin and end beside a step that does not go on
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Without a tracker steps do not block signals: a handler may interrupt one and list the region
 * itself, or stop the thread, as a collector that stops the world does. No other thread may wait
 * for such a step for ever. Where one does, the runner's limit ends the test. The arguments are
 * backends, otherwise all have their turn.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "engine/step.h"
#include "steps.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 16
#define SIZE  ((size_t)PAGES << page_shift)

static char *memory, *other;   /* two mappings of the same pages, both watched */
static struct watch_region *watched;
static struct writewatch_tracker *tracker;
static int go, result, ended;
static volatile sig_atomic_t handled;

static int has( const int *flag )
{
    return __atomic_load_n( flag, __ATOMIC_SEQ_CST );
}

static void set( int *flag )
{
    __atomic_store_n( flag, 1, __ATOMIC_SEQ_CST );
}

/* how many pages are written, of those that a query would find */
static ssize_t poll_pages(void)
{
    struct writewatch_range ranges[PAGES];
    ssize_t i, count = writewatch_poll( memory, SIZE, 0, ranges, PAGES, NULL ), ret = 0;

    if (count < 0) return count;
    for (i = 0; i < count; i++) ret += (ranges[i].end - ranges[i].start) >> page_shift;
    return ret;
}

/* the first page that the tracker lists, and resets; -1 if there is none */
static long take_page(void)
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1,
                                        .flags = WRITEWATCH_ACROSS };
    struct writewatch_range range;
    const void *pos = memory;
    ssize_t count = writewatch_tracker_list( tracker, &pos, memory + SIZE, &filter, &range, 1 );

    check( count >= 0 );
    return count == 1 ? (long)((range.start - (uintptr_t)memory) >> page_shift) : -1;
}

/* what a tracker lists that is open after all */
static void check_tracker(void)
{
    memory[3 << page_shift]++;
    check( take_page() == 3 && take_page() == -1 );
}

/* a debug build would count the step that was interrupted as one that this begins in */
static void handle( int sig )
{
#ifdef WRITEWATCH_DEBUG
    unsigned int held = *held_locks();

    *held_locks() = 0;
#endif
    (void)sig;
    if (poll_pages() == 1) handled++;
#ifdef WRITEWATCH_DEBUG
    *held_locks() = held;
#endif
}

static void *open_once( void *arg )
{
    (void)arg;
    result = writewatch_tracker_open( &tracker, memory, SIZE, 0 );
    if (result) check( strstr( writewatch_reason(), "a query of memory in the range" ));
    return NULL;
}

static void *open_patiently( void *arg )
{
    (void)arg;
    while ((result = writewatch_tracker_open( &tracker, memory, SIZE, 0 )) == -EAGAIN) /* again */;
    set( &ended );
    return NULL;
}

static void *add_view( void *arg )
{
    (void)arg;
    result = writewatch_tracker_add_view( tracker, memory, SIZE, other );
    if (result) check( strstr( writewatch_reason(), "a query of the view" ));
    return NULL;
}

static void *close_tracker( void *arg )
{
    (void)arg;
    while (!has( &go )) sched_yield();
    writewatch_tracker_close( tracker );
    set( &ended );
    return NULL;
}

static enum region_step enter( struct watch_region *region )
{
    enum region_step step = enter_beside( region, region->base, region->end );

    check( step != STEP_NONE );
    return step;
}

/* in another thread, until it has returned */
static void call( void *(*function)( void * ) )
{
    pthread_t thread;

    go = 1;
    check( !pthread_create( &thread, NULL, function, NULL ));
    check( !pthread_join( thread, NULL ));
}

/* a step that does not end before the call does */
static void test_stopped(void)
{
    struct watch_region *view = region_get( (uintptr_t)other, (uintptr_t)other + SIZE );
    enum region_step step = enter( watched );

    check( poll_pages() == 1 );
    call( open_once );
    check( result == -EAGAIN );
    check( poll_pages() == 1 );   /* the region is open, and as it was */
    leave_beside( watched, step );
    call( open_once );
    check( !result );
    check_tracker();

    step = enter( view );
    call( add_view );
    check( result == -EAGAIN );
    check_tracker();
    leave_beside( view, step );
    call( add_view );
    check( !result );
    other[3 << page_shift]++;
    check( take_page() == 3 );

    /* such a step has not got as far as the tracker */
    step = enter( watched );
    call( close_tracker );
    check( poll_pages() == 1 );
    leave_beside( watched, step );
    region_put( view );
    call( open_once );
    check( !result );
    check_tracker();
    writewatch_tracker_close( tracker );
}

/* a step that goes on when the handler has got its list */
static void test_handler(void)
{
    enum region_step step = enter( watched );
    pthread_t thread;

    ended = handled = 0;
    check( !pthread_create( &thread, NULL, open_patiently, NULL ));
    while (__atomic_load_n( &watched->state, __ATOMIC_SEQ_CST ) != REGION_CLOSED) sched_yield();
    check( !has( &ended ));
    raise( SIGUSR1 );
    check( handled == 1 );
    leave_beside( watched, step );
    check( !pthread_join( thread, NULL ));
    check( !result );
    check_tracker();
    writewatch_tracker_close( tracker );
}

/* a step that has got as far as the tracker: that is there until the step has ended */
static void test_held(void)
{
    struct watch_query query;
    pthread_t thread;
    int i;

    call( open_once );
    check( !result );
    go = ended = 0;
    check( !pthread_create( &thread, NULL, close_tracker, NULL ));
    check( !watch_begin( &query, (uintptr_t)memory, (uintptr_t)memory + SIZE ));
    check( !watch_enter( &query ));
    set( &go );
    for (i = 0; i < 2000; i++) sched_yield();
    for (i = 0; i < 20; i++) usleep( 1000 );
    check( !has( &ended ) && query.region->trackers );
    watch_leave( &query );
    check( !pthread_join( thread, NULL ));
    check( !watched->trackers );
}

/* a step that has not ended when its region becomes two others */
static void test_parts(void)
{
    enum region_step step = enter( watched );

    check( !writewatch_unwatch( memory + SIZE / 2, SIZE / 2 ));
    call( open_once );
    check( result == -EAGAIN );
    leave_beside( watched, step );
    call( open_once );
    check( !result );
    check_tracker();
    writewatch_tracker_close( tracker );
}

static ssize_t try_list(void)
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_range range;
    const void *pos = memory;

    return writewatch_tracker_list( tracker, &pos, memory + SIZE / 2, &filter, &range, 1 );
}

/* a step that has not ended when its memory is watched anew: a list of a tracker fails then */
static void test_anew(void)
{
    enum region_step step;

    region_put( watched );
    watched = region_get( (uintptr_t)memory, (uintptr_t)memory + SIZE / 2 );
    call( open_once );
    check( !result && try_list() == 0 );
    step = enter( watched );
    check( !writewatch_unwatch( memory, SIZE / 2 ) && !writewatch_watch( memory, SIZE / 2 ));
    check( try_list() == -EIO );
    leave_beside( watched, step );
    check( !writewatch_unwatch( memory, SIZE / 2 ) && !writewatch_watch( memory, SIZE / 2 ));
    check( try_list() == 0 );
    check_tracker();
    writewatch_tracker_close( tracker );
}

/* queries and a handler that interrupts them, while trackers come and go */
static void *come_and_go( void *arg )
{
    unsigned int i, rounds = unit_share( 200 );

    (void)arg;
    for (i = 0; i < rounds; i++)
    {
        struct writewatch_tracker *one;
        int ret = writewatch_tracker_open( &one, memory, SIZE, 0 );

        if (!ret) writewatch_tracker_close( one );
        else if (ret != -EAGAIN) result = ret;
    }
    set( &ended );
    return NULL;
}

static void test_signals(void)
{
    struct itimerval timer = { { 0, 700 }, { 0, 700 } }, none = { { 0, 0 }, { 0, 0 } };
    void *addresses[PAGES];
    pthread_t thread;
    sigset_t set;

    result = ended = 0;
    sigemptyset( &set );
    sigaddset( &set, SIGALRM );
    pthread_sigmask( SIG_BLOCK, &set, NULL );
    check( !pthread_create( &thread, NULL, come_and_go, NULL ));
    pthread_sigmask( SIG_UNBLOCK, &set, NULL );
    check( !setitimer( ITIMER_REAL, &timer, NULL ));
    while (!has( &ended ))
    {
        ULONG_PTR count = PAGES;
        DWORD granularity;

        if (GetWriteWatch( 0, memory, SIZE, addresses, &count, &granularity ) || count != 1) break;
    }
    check( has( &ended ));
    check( !setitimer( ITIMER_REAL, &none, NULL ));
    check( !pthread_join( thread, NULL ));
    check( !result );
}

static int run( const char *name )
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };
    int fd = memfd_create( "waits", MFD_CLOEXEC );

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    check( !sigaction( SIGUSR1, &action, NULL ) && !sigaction( SIGALRM, &action, NULL ));
    check( fd != -1 && !ftruncate( fd, SIZE ));
    memory = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    other  = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( memory != MAP_FAILED && other != MAP_FAILED );
    check( !writewatch_watch( memory, SIZE ) && !writewatch_watch( other, SIZE ));
    watched = region_get( (uintptr_t)memory, (uintptr_t)memory + SIZE );
    check( watched != NULL );
    memory[3 << page_shift] = 1;   /* for queries, for good */
    test_stopped();
    test_handler();
    test_held();
    test_signals();
    test_parts();
    test_anew();
    region_put( watched );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
