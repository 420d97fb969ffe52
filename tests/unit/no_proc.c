/*
 * A program that gives up /proc after it has begun to watch memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It goes into an empty directory by chroot(), as a daemon does, and then needs what the library
 * reads in /proc/self: the mappings, their details, and the pagemap. A child by fork() cannot have
 * its own, so it must work without or fail with a reason.
 *
 * Usage: no_proc [NAME...]    all backends if none is named
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGES 16
#define SIZE  (PAGES * page_size())

/* LeakSanitizer reads /proc when a process exits, and these have none then. */
extern const char *__asan_default_options(void) __attribute__((visibility("default")));

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/* ThreadSanitizer finds no names then, and so not that the backend's thread is known to go on. */
extern const char *__tsan_default_options(void) __attribute__((visibility("default")));

const char *__tsan_default_options(void)
{
    return "report_thread_leaks=0";
}

static char *map_pages( int flags )
{
    char *ptr = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0 );

    check( ptr != MAP_FAILED );
    return ptr;
}

/* polls, and returns the pages that were written as bits; ~0 if that fails */
static unsigned int poll_pages( char *ptr )
{
    void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    DWORD granularity;
    unsigned int pages = 0;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, ptr, SIZE, addresses, &count, &granularity ))
        return ~0u;
    for (i = 0; i < count; i++) pages |= 1u << (((char *)addresses[i] - ptr) >> page_shift);
    return pages;
}

/* whether the memory is watched as it should be, and listed by category */
static void try_memory( char *ptr )
{
    struct writewatch_filter filter =
    {
        .any      = WRITEWATCH_PRESENT | WRITEWATCH_SWAPPED,
        .required = WRITEWATCH_WRITTEN,
        .returned = WRITEWATCH_WRITTEN | WRITEWATCH_PRESENT,
    };
    struct writewatch_range ranges[4];
    const void *next;

    poll_pages( ptr );
    ptr[3 * page_size()] = 1;
    ptr[7 * page_size()] = 1;
    check( writewatch_list( ptr, SIZE, &filter, ranges, 4, &next ) == 2 );
    check( ranges[0].start == (uintptr_t)ptr + 3 * page_size() );
    check( ranges[0].categories == filter.returned );
    check( poll_pages( ptr ) == (1u << 3 | 1u << 7) );
    check( poll_pages( ptr ) == 0 );
    check( !writewatch_check( ptr, SIZE ) );
}

/* watches memory that is mapped now, and ends that */
static void try_new_memory( int flags )
{
    char *ptr = map_pages( flags );

    check( !writewatch_watch( ptr, SIZE ) );
    if (writewatch_granularity( ptr )) try_memory( ptr );
    else fprintf( stderr, "not watched: %s\n", writewatch_reason() );
    check( !writewatch_unwatch( ptr, SIZE ) );
    munmap( ptr, SIZE );
}

static void *watch_often( void *arg )
{
    unsigned int i;
    int flags = arg ? MAP_SHARED : MAP_PRIVATE;

    for (i = 0; i < 20; i++)
    {
        char *ptr = map_pages( flags );

        check( !writewatch_watch( ptr, SIZE ) && !writewatch_unwatch( ptr, SIZE ) );
        munmap( ptr, SIZE );
    }
    return NULL;
}

/* a kept file has one position */
static void try_threads( int shared )
{
    pthread_t threads[4];
    unsigned int i;

    for (i = 0; i < 4; i++)
        check( !pthread_create( &threads[i], NULL, watch_often, shared && i & 1 ? &i : NULL ));
    for (i = 0; i < 4; i++) check( !pthread_join( threads[i], NULL ));
}

/* Windows' calls look for room, and ask about memory that is not theirs */
static void try_allocations(void)
{
    MEMORY_BASIC_INFORMATION info;
    MEM_ADDRESS_REQUIREMENTS needs = { NULL, NULL, 1 << 20 };
    MEM_EXTENDED_PARAMETER param;
    char *ptr;

    memset( &param, 0, sizeof(param) );
    param.Type = MemExtendedParameterAddressRequirements;
    param.Pointer = &needs;
    ptr = VirtualAlloc2( NULL, NULL, SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                         PAGE_READWRITE, &param, 1 );
    check( ptr && !((uintptr_t)ptr & ((1 << 20) - 1)) );
    if (ptr) try_memory( ptr );
    check( VirtualFree( ptr, 0, MEM_RELEASE ));
    check( VirtualQuery( &info, &info, sizeof(info) ) == sizeof(info) );
    check( info.State == MEM_COMMIT );
}

/* in a child: works, or fails and says why */
static int try_child( char *inherited )
{
    char *ptr = map_pages( MAP_PRIVATE );
    unsigned int pages = poll_pages( inherited );

    if (pages == ~0u)
    {
        check( strstr( writewatch_reason(), "in this child" ) != NULL );
        check( writewatch_check( inherited, SIZE ) < 0 );
        check( strstr( writewatch_reason(), "in this child" ) != NULL );
    }
    else
    {
        check( pages & 1u << 2 );
        inherited[5 * page_size()] = 2;
        check( poll_pages( inherited ) == 1u << 5 );
    }
    if (writewatch_watch( ptr, SIZE ))
    {
        check( strstr( writewatch_reason(), "/proc" ) != NULL );
        check( !writewatch_granularity( ptr ) );
    }
    else try_memory( ptr );
    return unit_result();
}

/* what a child does must not be taken for the parent's, whose files it has inherited */
static void try_fork( char *ptr )
{
    int status;
    pid_t pid;

    poll_pages( ptr );
    ptr[2 * page_size()] = 1;
    fflush( NULL );
    if (!(pid = fork())) exit( try_child( ptr ));
    check( waitpid( pid, &status, 0 ) == pid && status == PASS << 8 );
    check( poll_pages( ptr ) == 1u << 2 );
}

/* into an empty directory, in which there is nothing to open */
static int give_up_proc(void)
{
    const char *dir = getenv( "TMPDIR" );
    char name[4096];

    snprintf( name, sizeof(name), "%s/writewatch-no-proc-XXXXXX", dir ? dir : "/tmp" );
    if (!mkdtemp( name )) return 0;
    /* nothing is left of it */
    if (chdir( name ) || rmdir( name )) return 0;
    return !chroot( "." );
}

static int run( const char *backend )
{
    int shared = strcmp( backend, "softdirty" ), fd;
    char *before, *reserved;

    page_init();
    /* before the backend has a thread */
    if (geteuid() && unshare( CLONE_NEWUSER ))
        return unit_skip( backend, "neither root nor a user namespace, so no chroot()" );
    if (writewatch_open( unit_form( backend ))) return unit_skip( backend, writewatch_reason() );
    before = map_pages( MAP_PRIVATE );
    check( !writewatch_watch( before, SIZE ) );
    reserved = VirtualAlloc( NULL, SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE );
    check( reserved != NULL );

    if (!give_up_proc()) return unit_skip( backend, "chroot() is refused" );
    check( open( "/proc/self/maps", O_RDONLY ) == -1 && errno == ENOENT );

    try_memory( before );
    try_memory( reserved );
    try_new_memory( MAP_PRIVATE );
    if (shared) try_new_memory( MAP_SHARED );
    try_allocations();
    try_threads( shared );
    try_fork( reserved );
    try_fork( before );
    try_memory( before );

    /* a program that closes what it does not know gives these up as well; it is told why */
    for (fd = 3; fd < 1024; fd++) close( fd );
    before = map_pages( MAP_PRIVATE );
    check( writewatch_watch( before, SIZE ) == -ENOENT && strstr( writewatch_reason(), "/proc" ));
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
