/*
 * Forks while missing pages are served from a file
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: restore_fork [NAME...]    all that main() names if none is
 */

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 2048   /* a multiple of what is read at once */
#define PARTS 8      /* of the memory that threads restore */

/* A new thread of the child may have the stack of one that only the parent has: ThreadSanitizer
 * ends the child then. AddressSanitizer's locks may be those of such threads. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define CHILD_STARTS_THREADS 0
#else
#define CHILD_STARTS_THREADS 1
#endif

static const char *backend;
static int file;

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

static uint32_t content( size_t page )
{
    return page * 2654435761u + 1;
}

static uint32_t value( const char *base, size_t page )
{
    return *(const volatile uint32_t *)(base + bytes( page ));
}

static int make_file(void)
{
    int fd = unit_temp_file();
    size_t i;

    check( fd != -1 && !ftruncate( fd, bytes( PAGES )));
    for (i = 0; i < PAGES; i++)
    {
        uint32_t number = content( i );

        check( pwrite( fd, &number, 4, bytes( i )) == 4 );
    }
    return fd;
}

static char *allocate(void)
{
    char *ret = VirtualAlloc( NULL, bytes( PAGES ), MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READWRITE );

    check( ret != NULL );
    return ret;
}

static struct writewatch_restore *start_restore( char *base, size_t first, size_t count )
{
    struct writewatch_restore *ret = NULL;
    int err = writewatch_restore_start( &ret, base + bytes( first ), bytes( count ), file,
                                        bytes( first ));

    if (err) fprintf( stderr, "%s: no restore: %s\n", backend, strerror( -err ));
    check( !err );
    return ret;
}

static pid_t start_child(void)
{
    pid_t pid;

    fflush( stdout );
    if (!(pid = fork())) alarm( UNIT_HANGS );
    return pid;
}

static void wait_for( pid_t pid )
{
    int status;

    if (waitpid( pid, &status, 0 ) == pid && !status) return;
    fprintf( stderr, "%s: child ended with status %#x\n", backend, status );
    unit_failures++;
}

/* a child can restore memory of its own, and that of its parent anew */
static void restore_in_child( struct writewatch_restore *inherited, char *base )
{
    struct writewatch_restore *restore;
    char *own;
    size_t i;

    if (!CHILD_STARTS_THREADS) _exit( unit_result() );
    own = allocate();
    writewatch_restore_stop( inherited );
    restore = start_restore( own, 0, PAGES );
    for (i = 0; i < PAGES; i += 97) check( value( own, i ) == content( i ));
    writewatch_restore_stop( restore );
    check( VirtualFree( own, 0, MEM_RELEASE ));
    check( value( base, 0 ) == content( 0 ));                     /* was there */
    check( !madvise( base + bytes( 32 ), bytes( 32 ), MADV_DONTNEED ));
    restore = start_restore( base, 0, PAGES );
    check( value( base, 40 ) == content( 40 ));
    writewatch_restore_stop( restore );
    _exit( unit_result() );
}

/* Functions that pthread_atfork() gets before it gets the library's run while the library has its
 * locks, as the C library and the kernel do that use the stack of the thread. */
static const char *touched;
static uint32_t found[2];

static void touch_before(void)
{
    if (touched) found[0] = value( touched, 0 );
}

static void touch_in_parent(void)
{
    if (touched) found[1] = value( touched, PAGES / 2 );
}

__attribute__((constructor(101))) static void register_first(void)
{
    if (pthread_atfork( touch_before, touch_in_parent, NULL )) abort();
}

static void test_touch_in_fork(void)
{
    struct writewatch_restore *restore;
    char *base = allocate();
    pid_t pid;

    restore = start_restore( base, 0, PAGES );
    touched = base;
    if (!(pid = start_child()))
    {
        touched = NULL;
        restore_in_child( restore, base );
    }
    touched = NULL;
    check( found[0] == content( 0 ) && found[1] == content( PAGES / 2 ));
    wait_for( pid );
    check( value( base, PAGES - 1 ) == content( PAGES - 1 ));
    writewatch_restore_stop( restore );
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

static int stop;

/* In VirtualLock() the memory manager's lock is held while pages come in. Users may be refused. */
static void *lock_pages( void *arg )
{
    char *base = arg;

    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
    {
        check( VirtualLock( base, bytes( PAGES )) || GetLastError() == ERROR_ACCESS_DENIED );
        VirtualUnlock( base, bytes( PAGES ));
        syscall( SYS_munlock, base, bytes( PAGES ));   /* sanitizers take munlock() away */
        check( !madvise( base, bytes( PAGES ), MADV_DONTNEED ));
    }
    return NULL;
}

/* one page of many is touched while another thread begins and ends restores */
static void *use_pages( void *arg )
{
    const char *base = arg;
    size_t i;

    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
        for (i = 0; i < PAGES; i += 16)
        {
            uint32_t number = value( base, i );

            check( !number || number == content( i ));
        }
    return NULL;
}

static void *change_restores( void *arg )
{
    struct writewatch_restore *restores[PARTS];
    char *base = arg;
    size_t i, part = PAGES / PARTS;

    while (!__atomic_load_n( &stop, __ATOMIC_SEQ_CST ))
    {
        for (i = 0; i < PARTS; i++) restores[i] = start_restore( base, i * part, part );
        for (i = 0; i < PARTS; i++)
        {
            check( value( base, i * part + 5 ) == content( i * part + 5 ));
            writewatch_restore_stop( restores[i] );
        }
        check( !madvise( base, bytes( PAGES ), MADV_DONTNEED ));
    }
    return NULL;
}

static void test_threads(void)
{
    void *(* const work[])( void * ) = { lock_pages, change_restores, use_pages };
    unsigned int round, rounds = unit_share( 100 );
    struct writewatch_restore *restore;
    char *base = allocate(), *changed = allocate(), *quiet = allocate();
    void * const memory[] = { base, changed, changed };
    pthread_t threads[3];
    pid_t pid;
    size_t i;

    restore = start_restore( base, 0, PAGES );
    for (i = 0; i < 3; i++) check( !pthread_create( &threads[i], NULL, work[i], memory[i] ));
    memcpy( quiet, (uint32_t[]){ content( 0 ) }, 4 );
    for (round = 0; round < rounds && !unit_failures; round++)
    {
        if (!(pid = start_child())) restore_in_child( restore, quiet );
        wait_for( pid );
    }
    __atomic_store_n( &stop, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < 3; i++) pthread_join( threads[i], NULL );
    stop = 0;
    for (i = 0; i < PAGES; i++) check( value( base, i ) == content( i ));
    writewatch_restore_stop( restore );
    check( VirtualFree( base, 0, MEM_RELEASE ) && VirtualFree( changed, 0, MEM_RELEASE ) &&
           VirtualFree( quiet, 0, MEM_RELEASE ));
    printf( "%s: %u children\n", backend, round );
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( backend )) return unit_skip( backend, writewatch_reason() );
    file = make_file();
    test_touch_in_fork();
    test_threads();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_SCAN_UNMARKED | UNIT_SCAN_MARKED, run );
}
