/*
 * Watching memory that is needed to serve a fault: stacks, and the library's own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each part works as for any memory, or is refused with EDEADLK where it would end the process. The
 * arguments are backends, otherwise all have their turn.
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/region.h"
#include "engine/watch.h"
#include "native/process.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define STACK_PAGES (WATCHED_PAGES + TOP_PAGES)
#define LOCAL_PAGES 16

/* the backend works by faults */
static int by_faults;

/* what is watched of a stack: not the top, where the thread-local data may lie, with
 * ThreadSanitizer 193 pages of it */
#define WATCHED_PAGES 60
#ifdef __SANITIZE_THREAD__
#define TOP_PAGES (MIN_PAGES + LOCAL_PAGES + 200)
#else
#define TOP_PAGES (MIN_PAGES + LOCAL_PAGES + 2)
#endif
#define MIN_PAGES ((size_t)sysconf( _SC_THREAD_STACK_MIN ) >> page_shift)
#define MAX_PAGES 1024

/* how deep a thread writes, in pages: into those that are watched. The thread-local data is at the
 * top of the stack with glibc, and elsewhere with musl. */
#ifdef __GLIBC__
#define DEPTH (MIN_PAGES + 22)
#else
#define DEPTH (TOP_PAGES + 12)
#endif

/* more than the smallest stack has room for */
static __thread volatile char local[LOCAL_PAGES * 4096];

static char *stack;
static char *first_stack;

static char *map_pages( size_t count )
{
    char *ptr = mmap( NULL, count << page_shift, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    check( ptr != MAP_FAILED );
    memset( ptr, 1, count << page_shift );
    return ptr;
}

/* watches one page that something lies in */
static int watch_page( const void *ptr )
{
    return writewatch_watch( (void *)round_down( (uintptr_t)ptr ), page_size() );
}

static int unwatch_page( const void *ptr )
{
    return writewatch_unwatch( (void *)round_down( (uintptr_t)ptr ), page_size() );
}

/* writes deep into the stack */
static __attribute__((noinline)) void use_stack( size_t depth )
{
    volatile char data[page_size()];

    data[0] = data[sizeof(data) - 1] = 1;
    if (depth) use_stack( depth - 1 );
    data[1] = 1;
}

/* whether many pages of the watched part are reported */
static int stack_is_written(void)
{
    static void *addresses[MAX_PAGES];
    ULONG_PTR count = MAX_PAGES;
    DWORD granularity;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, stack, WATCHED_PAGES << page_shift, addresses,
                       &count, &granularity )) return 0;
    return count >= 8;
}

/* A thread and its own stack. A query that keeps faults waiting would meet one itself, on whatever
 * stack signals are handled. */
static void *own_stack( void *arg )
{
    if (by_faults)
    {
        check( writewatch_watch( stack, STACK_PAGES << page_shift ) == -EDEADLK );
        check( strstr( writewatch_reason(), "stack" ) != NULL );
        /* nor any part of it */
        check( watch_page( stack ) == -EDEADLK );
        check( watch_page( &arg ) == -EDEADLK );
        use_stack( DEPTH );
        return NULL;
    }
    check( !writewatch_watch( stack, STACK_PAGES << page_shift ));
    use_stack( DEPTH );
    check( stack_is_written() );
    use_stack( DEPTH );
    check( stack_is_written() );
    return NULL;
}

static void *own_stack_alternate( void *arg )
{
    stack_t alternate = { .ss_sp = map_pages( 16 ), .ss_size = (size_t)16 << page_shift };

    check( !sigaltstack( &alternate, NULL ));
    check( watch_page( (char *)alternate.ss_sp + page_size() ) == (by_faults ? -EDEADLK : 0) );
    return own_stack( arg );
}

static void *local_data( void *arg )
{
    check( watch_page( &errno ) == (by_faults ? -EDEADLK : 0) );
    return arg;
}

/* the first thread's, which waits meanwhile */
static void *other_stack( void *arg )
{
    check( watch_page( first_stack ) == (by_faults ? -EDEADLK : 0) );
    return arg;
}

static pthread_t begin_thread( void *(*func)( void * ))
{
    pthread_attr_t attr;
    pthread_t thread;

    check( !pthread_attr_init( &attr ));
    check( !pthread_attr_setstack( &attr, stack, STACK_PAGES << page_shift ));
    check( !pthread_create( &thread, &attr, func, NULL ));
    return thread;
}

static void in_thread( void *(*func)( void * ))
{
    stack = map_pages( STACK_PAGES );
    check( !pthread_join( begin_thread( func ), NULL ));
    writewatch_unwatch( stack, STACK_PAGES << page_shift );
    munmap( stack, STACK_PAGES << page_shift );
}

static pthread_barrier_t ready, watched;

static void *use_watched( void *arg )
{
    stack_t alternate = { .ss_sp = map_pages( 16 ), .ss_size = (size_t)16 << page_shift };

    check( !sigaltstack( &alternate, NULL ));
    pthread_barrier_wait( &ready );
    pthread_barrier_wait( &watched );
    use_stack( DEPTH );
    return arg;
}

/* Another thread's, which handles signals on another stack. At the top of the stack is what glibc
 * keeps about the thread, and the kernel writes there. */
static void test_watched_by_other(void)
{
    pthread_t thread;
#ifdef __GLIBC__
    int refused = by_faults;
#else
    int refused = 0;
#endif

    stack = map_pages( STACK_PAGES );
    thread = begin_thread( use_watched );
    pthread_barrier_wait( &ready );
    if (refused || !by_faults)
    {
        check( writewatch_watch( stack, STACK_PAGES << page_shift ) == (refused ? -EDEADLK : 0) );
        if (refused) check( strstr( writewatch_reason(), "about a thread" ) != NULL );
        else check( !writewatch_unwatch( stack, STACK_PAGES << page_shift ));
    }
    check( !writewatch_watch( stack, WATCHED_PAGES << page_shift ));
    pthread_barrier_wait( &watched );
    check( !pthread_join( thread, NULL ));
    check( stack_is_written() );
    check( !writewatch_unwatch( stack, WATCHED_PAGES << page_shift ));
}

#ifdef __GLIBC__
#define KERNEL_PLACES 3

static void *thread_pointer(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return (void *)pthread_self();
#else
    return __builtin_thread_pointer();
#endif
}

/* where the kernel writes for this thread, and its list of robust mutexes; NULL: nowhere */
static void find_places( char *places[KERNEL_PLACES] )
{
    const ptrdiff_t *sequence = dlsym( RTLD_DEFAULT, "__rseq_offset" );
    uint64_t id = 0;   /* a 64-bit kernel stores as many bytes for a 32-bit program */
    size_t size;

    memset( places, 0, KERNEL_PLACES * sizeof(*places) );
    check( !syscall( SYS_get_robust_list, 0, &places[0], &size ));
    if (!prctl( PR_GET_TID_ADDRESS, &id, 0, 0, 0 )) places[1] = (char *)(uintptr_t)id;
    if (sequence) places[2] = (char *)thread_pointer() + *sequence;
}

static void *show_places( void *arg )
{
    find_places( arg );
    pthread_barrier_wait( &ready );
    pthread_barrier_wait( &watched );
    return NULL;
}

/* whether the watch of a page is refused just where it must be */
static void watch_beside_thread( char *page, char *const places[KERNEL_PLACES] )
{
    int i, ret, held = 0;

    for (i = 0; i < KERNEL_PLACES; i++)
        held |= places[i] && (char *)round_down( (uintptr_t)places[i] ) == page;
    ret = writewatch_watch( page, page_size() );
    check( ret == (by_faults && held ? -EDEADLK : 0) );
    if (!ret) check( !writewatch_unwatch( page, page_size() ));
}

/* What glibc keeps about a thread lies on one page or across two, as its stack ends anywhere. */
static void test_kernel_places(void)
{
    size_t size = STACK_PAGES << page_shift, less;
    char *places[KERNEL_PLACES];
    int i, across = 0;

    stack = map_pages( STACK_PAGES );
    for (less = 0; less < page_size(); less += 256)
    {
        pthread_attr_t attr;
        pthread_t thread;

        check( !pthread_attr_init( &attr ));
        check( !pthread_attr_setstack( &attr, stack, size - less ));
        check( !pthread_create( &thread, &attr, show_places, places ));
        pthread_barrier_wait( &ready );
        for (i = 1; i <= 3; i++)
            watch_beside_thread( stack + size - ((size_t)i << page_shift), places );
        across += places[2] && ((uintptr_t)places[0] ^ (uintptr_t)places[2]) >= page_size();
        pthread_barrier_wait( &watched );
        check( !pthread_join( thread, NULL ));
    }
    if (places[2]) check( across );
    munmap( stack, size );
}
#endif

static void *only_use( void *arg )
{
    local[0] = 1;
    use_stack( DEPTH );
    return arg;
}

static void *use_with_alternate( void *arg )
{
    stack_t alternate = { .ss_sp = map_pages( 16 ), .ss_size = (size_t)16 << page_shift };

    check( !sigaltstack( &alternate, NULL ));
    use_stack( DEPTH );
    return arg;
}

/* Memory that was watched before it became a stack. Where signals are needed the thread does not
 * begin; it does if only the part is watched that it uses after it has named another stack for
 * them. */
static void test_later_stack( int by_signals )
{
    size_t size = STACK_PAGES << page_shift;
    pthread_attr_t attr;
    pthread_t thread;
    int i;

    stack = map_pages( STACK_PAGES );
    check( !writewatch_watch( stack, size ));
    if (!by_signals)
    {
        check( !pthread_join( begin_thread( only_use ), NULL ));
        check( stack_is_written() );
    }
    else
    {
        check( !pthread_attr_init( &attr ));
        /* the same memory, or its top alone */
        for (i = 0; i < 2; i++)
        {
            size_t part = (size_t)i * WATCHED_PAGES;

            check( !pthread_attr_setstack( &attr, stack + (part << page_shift),
                                           (STACK_PAGES - part) << page_shift ));
            check( pthread_create( &thread, &attr, only_use, NULL ) == EDEADLK );
            check( strstr( writewatch_reason(), "its stack is watched" ) != NULL );
        }
        check( !stack_is_written() );

#ifdef __GLIBC__
        /* Its first frames alone, below its thread-local data. That musl keeps elsewhere, if there
         * is much of it. */
        check( !writewatch_unwatch( stack, STACK_PAGES << page_shift ));
        check( !watch_page( stack + size - sizeof(local) - 2 * page_size() ));
        check( !pthread_attr_setstack( &attr, stack, size ));
        check( pthread_create( &thread, &attr, only_use, NULL ) == EDEADLK );
#endif
    }
    writewatch_unwatch( stack, STACK_PAGES << page_shift );
    munmap( stack, STACK_PAGES << page_shift );

    stack = map_pages( STACK_PAGES );
    check( !writewatch_watch( stack, WATCHED_PAGES << page_shift ));
    check( !pthread_join( begin_thread( use_with_alternate ), NULL ));
    check( stack_is_written() );
    check( !writewatch_unwatch( stack, WATCHED_PAGES << page_shift ));
    munmap( stack, STACK_PAGES << page_shift );

    /* what the C library maps for a thread, and a smaller part than any thread needs */
    check( !pthread_create( &thread, NULL, only_use, NULL ));
    check( !pthread_join( thread, NULL ));
    check( !process_refuses_stack( NULL, STACK_PAGES << page_shift ));
    check( !process_refuses_stack( (char *)page_size(), ~(size_t)0 ));
}

/* a region, its bitmap, and what else the library writes to */
static void test_data(void)
{
    char *ptr = map_pages( 4 );
    struct watch_region *region;
    struct page_marks *marks;

    check( !writewatch_watch( ptr, (size_t)4 << page_shift ));
    check( (region = region_get( (uintptr_t)ptr, (uintptr_t)ptr + page_size() )) != NULL );
    region_put( region );
    check( (marks = region_marks( region )) != NULL );

    check( watch_page( region ) == (by_faults ? -EDEADLK : 0) );
    if (by_faults) check( strstr( writewatch_reason(), "own data" ) != NULL );
    ptr[0] = 1;
    check( watch_page( marks ) == (by_faults ? -EDEADLK : 0) );
    ptr[page_size()] = 1;
    if (!by_faults)
    {
        check( !unwatch_page( region ));
        check( !unwatch_page( marks ));
    }
    ptr[2 * page_size()] = 1;
    check( !writewatch_unwatch( ptr, (size_t)4 << page_shift ));
    munmap( ptr, (size_t)4 << page_shift );
}

static int run( const char *name )
{
    int by_signals = strcmp( name, "scan" ) && strcmp( name, "thread" );

    by_faults = strcmp( name, "scan" ) != 0;
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    test_data();
    in_thread( own_stack );
    in_thread( own_stack_alternate );
    in_thread( local_data );
    in_thread( other_stack );
    pthread_barrier_init( &ready, NULL, 2 );
    pthread_barrier_init( &watched, NULL, 2 );
    test_watched_by_other();
#ifdef __GLIBC__
    test_kernel_places();
#endif
    test_later_stack( by_signals );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    char here = 0;

    first_stack = &here;
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
