/*
 * Descriptors that the program takes away or reuses: a query says what is true, or that it cannot
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: descriptors [NAME...]    all backends if none is named
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "writewatch.h"

#include "engine/watch.h"
#include "fault/fault.h"
#include "fault/userfault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES     64
#define MAX_FDS   8

/* what takes the place of a descriptor; NULL: nothing */
static const char * const others[] =
{
    NULL, "/dev/zero", "/dev/null", "/proc/self/pagemap", "/proc/self/maps", "userfaultfd",
};

#define OTHER_COUNT (sizeof(others) / sizeof(others[0]))

static char *memory;

static char *page_at( size_t index )
{
    return memory + (index << page_shift);
}

/* the numbers that a process has now, and has not in the list before */
static size_t list_descriptors( int *fds, const int *before, size_t before_count )
{
    DIR *dir = opendir( "/proc/self/fd" );
    struct dirent *entry;
    size_t count = 0, i;

    while ((entry = readdir( dir )))
    {
        int fd = atoi( entry->d_name );

        if (entry->d_name[0] == '.' || fd == dirfd( dir )) continue;
        for (i = 0; i < before_count && before[i] != fd; i++) /* nothing */;
        if (i == before_count && count < MAX_FDS * 8) fds[count++] = fd;
    }
    closedir( dir );
    return count;
}

static int open_other( const char *name )
{
    if (!strcmp( name, "userfaultfd" ))
    {
        struct uffdio_api api = { .api = UFFD_API };
        int fd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY );

        if (fd != -1) ioctl( fd, UFFDIO_API, &api );
        return fd;
    }
    return open( name, O_RDONLY | O_CLOEXEC );
}

static void take_away( int fd, const char *name )
{
    int other;

    if (!name)
    {
        check( !close( fd ));
        return;
    }
    if ((other = open_other( name )) == -1) return;
    check( dup2( other, fd ) == fd );
    close( other );
}

/* The pages that were written, or an error. Returns 1 if it is an error. */
static int ask( ULONG flags, const unsigned char *expected, const char *what )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    unsigned char reported[PAGES] = { 0 };
    ULONG granularity;
    size_t i;

    if (get_write_watch( flags, memory, PAGES << page_shift, addresses, &count, &granularity ))
        return 1;
    for (i = 0; i < count; i++) reported[((char *)addresses[i] - memory) >> page_shift] = 1;
    for (i = 0; i < PAGES; i++)
        if (expected[i] && !reported[i])
        {
            fprintf( stderr, "%s: page %zu is not reported, with success\n", what, i );
            unit_failures++;
            break;
        }
    return 0;
}

/* in a process of its own */
static int try_one( const char *backend, size_t which, const char *other )
{
    unsigned char expected[PAGES] = { 0 };
    int before[MAX_FDS * 8], fds[MAX_FDS * 8];
    size_t before_count, count, i;
    char reason[160], what[128], link[64], target[64] = "";

    alarm( UNIT_HANGS );
    before_count = list_descriptors( before, NULL, 0 );
    check( !fault_handler_install() );
    if (watch_open( backend, reason, sizeof(reason) )) return SKIP;
    memory = mmap( NULL, PAGES << page_shift, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( !watch_add( memory, PAGES << page_shift ));
    check( !watch_commit( memory, PAGES << page_shift ));
    check( !watch_protect( memory, PAGES << page_shift, PROT_READ | PROT_WRITE ));
    for (i = 0; i < PAGES; i += 2) *(volatile char *)page_at( i ) = 1;
    check( !ask( WRITE_WATCH_FLAG_RESET, expected, "before" ));

    count = list_descriptors( fds, before, before_count );
    if (which >= count) return 100;   /* no more of them */
    snprintf( link, sizeof(link), "/proc/self/fd/%d", fds[which] );
    if (readlink( link, target, sizeof(target) - 1 ) == -1) unit_failures++;
    snprintf( what, sizeof(what), "%s: %s taken away, %s", backend, target,
              other ? other : "closed" );
    /* what others need of /proc/self/maps is not looked at here */
    if (strstr( target, "/maps" )) return PASS;
    if (fds[which] < 600)
    {
        fprintf( stderr, "%s has the number %d\n", target, fds[which] );
        unit_failures++;
    }

    for (i = 0; i < PAGES; i += 4)
    {
        *(volatile char *)page_at( i ) = 2;
        expected[i] = 1;
    }
    take_away( fds[which], other );
    check( !fcntl( 0, F_GETFD ) || errno == EBADF );
    for (i = 1; i < PAGES; i += 8)
    {
        *(volatile char *)page_at( i ) = 3;
        expected[i] = 1;
    }
    ask( 0, expected, what );
    if (!ask( WRITE_WATCH_FLAG_RESET, expected, what )) memset( expected, 0, sizeof(expected) );
    expected[9] = expected[40] = 1;
    *(volatile char *)page_at( 9 ) = 4;
    *(volatile char *)page_at( 40 ) = 4;
    ask( 0, expected, what );

    /* what was written remains so when its contents are dropped, and what comes then counts */
    watch_discard( page_at( 32 ), 16 << page_shift );
    *(volatile char *)page_at( 33 ) = 5;
    *(volatile char *)page_at( 34 ) = 5;
    expected[33] = expected[34] = 1;
    ask( 0, expected, what );
    if (!ask( WRITE_WATCH_FLAG_RESET, expected, what )) memset( expected, 0, sizeof(expected) );
    if (!reset_write_watch( memory, PAGES << page_shift )) memset( expected, 0, sizeof(expected) );
    *(volatile char *)page_at( 50 ) = 6;
    expected[50] = 1;
    ask( 0, expected, what );

    /* what took the number is the program's, unless nothing distinguishes it from ours */
    if (other && !(strstr( target, "/pagemap" ) && strstr( other, "/pagemap" )))
    {
        watch_detach( memory, PAGES << page_shift );
        watch_close();
        check( fcntl( fds[which], F_GETFD ) != -1 );
    }
    return unit_result();
}

/* Threads that the library has, by its calls of pthread_create(): others may have been started by a
 * sanitizer. */
static int threads;

struct start
{
    void *(*function)( void * );
    void  *arg;
};

int __real_pthread_create( pthread_t *thread, const pthread_attr_t *attr,
                           void *(*function)( void * ), void *arg );

static void *run_thread( void *arg )
{
    struct start start = *(struct start *)arg;
    void *ret;

    free( arg );
    ret = start.function( start.arg );
    __atomic_sub_fetch( &threads, 1, __ATOMIC_SEQ_CST );
    return ret;
}

int __wrap_pthread_create( pthread_t *thread, const pthread_attr_t *attr,
                           void *(*function)( void * ), void *arg )
{
    struct start *start = malloc( sizeof(*start) );
    int ret;

    start->function = function;
    start->arg = arg;
    __atomic_add_fetch( &threads, 1, __ATOMIC_SEQ_CST );
    if (!(ret = __real_pthread_create( thread, attr, run_thread, start ))) return 0;
    __atomic_sub_fetch( &threads, 1, __ATOMIC_SEQ_CST );
    free( start );
    return ret;
}

static int count_threads(void)
{
    return __atomic_load_n( &threads, __ATOMIC_SEQ_CST );
}

/* The thread that restores ends when its userfaultfd is gone, and no thread waits for it. */
static int try_restore( const char *backend, const char *other )
{
    struct writewatch_restore *restore;
    int before[MAX_FDS * 8], fds[MAX_FDS * 8], fd = unit_temp_file();
    size_t before_count, count, i;
    char reason[160], link[64], target[64];

    alarm( UNIT_HANGS );
    before_count = list_descriptors( before, NULL, 0 );
    if (watch_open( backend, reason, sizeof(reason) )) return SKIP;
    memory = mmap( NULL, PAGES << page_shift, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( !watch_add( memory, PAGES << page_shift ));
    check( !watch_commit( memory, PAGES << page_shift ));
    check( !watch_protect( memory, PAGES << page_shift, PROT_READ | PROT_WRITE ));
    check( !ftruncate( fd, PAGES << page_shift ) && pwrite( fd, "x", 1, 0 ) == 1 );
    check( !writewatch_restore_start( &restore, memory, PAGES << page_shift, fd, 0 ));
    check( *(volatile char *)memory == 'x' && count_threads() == 1 );

    count = list_descriptors( fds, before, before_count );
    for (i = 0; i < count; i++)
    {
        snprintf( link, sizeof(link), "/proc/self/fd/%d", fds[i] );
        memset( target, 0, sizeof(target) );
        if (readlink( link, target, sizeof(target) - 1 ) == -1) unit_failures++;
        if (strstr( target, "userfaultfd" )) take_away( fds[i], other );
    }
    for (i = 0; i < PAGES; i++) *(volatile char *)page_at( i ) = 1;
    while (count_threads()) usleep( 1000 );
    writewatch_restore_stop( restore );
    return unit_result();
}

static int run_restore( const char *backend )
{
    size_t other;
    int status;

    for (other = 0; other < OTHER_COUNT; other++)
    {
        pid_t pid;

        fflush( stdout );
        if (!(pid = fork())) _exit( try_restore( backend, others[other] ));
        if (waitpid( pid, &status, 0 ) != pid) return -1;
        if (status == SKIP << 8) return 0;
        if (status) return -1;
    }
    return OTHER_COUNT;
}

/* counts what was tried; -1 on failure */
static int try_backend( const char *backend )
{
    size_t which, other;
    int tried = 0, status;

    for (which = 0;; which++)
        for (other = 0; other < OTHER_COUNT; other++)
        {
            pid_t pid;

            fflush( stdout );
            if (!(pid = fork())) _exit( try_one( backend, which, others[other] ));
            if (waitpid( pid, &status, 0 ) != pid) return -1;
            if (status == SKIP << 8) return 0;
            if (status == 100 << 8) return tried;
            if (status)
            {
                fprintf( stderr, "%s: descriptor %zu, %s: %s %d\n", backend, which,
                         others[other] ? others[other] : "closed",
                         WIFSIGNALED( status ) ? "signal" : "status",
                         WIFSIGNALED( status ) ? WTERMSIG( status ) : WEXITSTATUS( status ));
                return -1;
            }
            tried++;
        }
}

static int run( const char *backend )
{
    int tried = try_backend( backend );

    if (!tried) return unit_skip( backend, "not here" );
    if (tried > 0 && !strncmp( backend, "scan", 4 ))
    {
        int more = run_restore( backend );

        tried = more < 0 ? more : tried + more;
    }
    if (tried < 0) return FAIL;
    printf( "%s: %d cases\n", backend, tried );
    return PASS;
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_SCAN | UNIT_SCAN_MARKED | UNIT_FAULTS |
                              UNIT_SOFTDIRTY, run );
}
