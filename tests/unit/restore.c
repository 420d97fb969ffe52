/*
 * Serving missing pages from a file on first touch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES   1024
#define THREADS 4

static char *base;
static int snapshot;
static unsigned char written[PAGES];

static char *page( size_t index )
{
    return base + index * page_size();
}

static void *map( size_t count )
{
    void *ret = mmap( NULL, count * page_size(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    check( ret != MAP_FAILED );
    return ret;
}

/* what the file says at a page */
static uint32_t content( size_t index )
{
    return index * 2654435761u + 1;
}

static int has_content( size_t index )
{
    uint32_t value = content( index );

    return !memcmp( page( index ), &value, 4 ) &&
           !memcmp( page( index ) + page_size() - 4, &value, 4 );
}

static int make_snapshot( size_t pages )
{
    char block[65536] = { 0 };   /* a page of any size */
    int fd = unit_temp_file();
    size_t i;

    check( fd != -1 );
    check( !ftruncate( fd, 4096 ));
    check( lseek( fd, 4096, SEEK_SET ) == 4096 );
    for (i = 0; i < pages; i++)
    {
        uint32_t value = content( i );

        memcpy( block, &value, 4 );
        memcpy( block + page_size() - 4, &value, 4 );
        check( write( fd, block, page_size() ) == (ssize_t)page_size() );
    }
    return fd;
}

static void query( int reset )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, pos = 0;
    ULONG granularity;
    size_t i;

    check( !get_write_watch( reset, base, PAGES * page_size(), addresses, &count, &granularity ));
    for (i = 0; i < PAGES; i++)
    {
        if (!written[i]) continue;
        if (pos < count) check( addresses[pos] == page( i ));
        pos++;
        if (reset) written[i] = 0;
    }
    check( pos == count );
}

static void *use_pages( void *arg )
{
    unsigned int seed = (uintptr_t)arg, i;

    for (i = 0; i < 600; i++)
    {
        size_t index = rand_r( &seed ) % PAGES;

        if (rand_r( &seed ) % 4) check( has_content( index ));
        else
        {
            /* as the first touch, or a later one; in the middle of the page */
            __atomic_store_n( page( index ) + 100, 1, __ATOMIC_RELAXED );
            __atomic_store_n( &written[index], 1, __ATOMIC_SEQ_CST );
        }
    }
    return NULL;
}

/* threads that read and write pages while they come in */
static void test_restore( int flags )
{
    struct writewatch_restore *restore = NULL;
    pthread_t threads[THREADS];
    int file = snapshot, i;
    size_t n;

    base = mmap( NULL, PAGES * page_size(), PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0 );
    memset( written, 0, sizeof(written) );
    check( !writewatch_watch( base, PAGES * page_size() ));
    *page( 7 ) = 'k';
    written[7] = 1;
    query( 1 );
    *page( 8 ) = 'k';
    written[8] = 1;

    check( !writewatch_restore_start( &restore, base, PAGES * page_size(), file, 4096 ));
    query( 0 );
    /* pages that were there stay */
    check( *page( 7 ) == 'k' && !page( 7 )[1] && *page( 8 ) == 'k' );
    memcpy( page( 7 ), (uint32_t[]){ content( 7 ) }, 4 );
    memcpy( page( 8 ), (uint32_t[]){ content( 8 ) }, 4 );
    memcpy( page( 7 ) + page_size() - 4, (uint32_t[]){ content( 7 ) }, 4 );
    memcpy( page( 8 ) + page_size() - 4, (uint32_t[]){ content( 8 ) }, 4 );
    written[7] = written[8] = 1;

    for (i = 0; i < THREADS; i++)
        check( !pthread_create( &threads[i], NULL, use_pages, (void *)(uintptr_t)(i + 1) ));
    for (i = 0; i < THREADS; i++) pthread_join( threads[i], NULL );
    query( 0 );
    for (n = 0; n < PAGES - 100; n++) check( has_content( n ));
    query( 1 );
    query( 0 );
    page( 3 )[5]++;
    page( 500 )[5]++;
    written[3] = written[500] = 1;
    query( 0 );

    /* after that pages that were never touched are zeros, and the watch goes on */
    check( !madvise( page( 1000 ), 8 * page_size(), MADV_REMOVE ) || flags == MAP_PRIVATE );
    if (flags == MAP_PRIVATE)
    {
        check( !madvise( page( 1000 ), 8 * page_size(), MADV_DONTNEED ));
        /* memory that is protected as a whole: an empty entry counts as written */
        if (strstr( writewatch_mechanism(), ", marked" )) memset( written + 1000, 1, 8 );
    }
    writewatch_restore_stop( restore );
    check( !*(volatile char *)page( 1001 ));
    /* filled with zeros, protected */
    written[1001] = 0;
    *page( 1003 ) = 1;
    check( page( 1003 )[0] == 1 && !page( 1003 )[1] );
    written[1003] = 1;
    query( 1 );
    page( 1001 )[9] = 1;
    written[1001] = 1;
    query( 1 );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
}

/* a file that ends early: zeros */
static void test_short_file(void)
{
    struct writewatch_restore *restore;
    int fd = make_snapshot( 10 );

    base = map( PAGES );
    memset( written, 0, sizeof(written) );
    check( !writewatch_watch( base, PAGES * page_size() ));
    check( !writewatch_restore_start( &restore, page( 2 ), 100 * page_size(), fd,
                                      4096 + 2 * page_size() ));
    close( fd );
    check( has_content( 9 ) && has_content( 2 ));
    check( !*page( 10 ) && !*page( 60 ) && !*page( 1 ) && !*page( 102 ));
    query( 0 );
    writewatch_restore_stop( restore );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
}

static sigjmp_buf jump;

static void on_sigbus( int sig )
{
    (void)sig;
    siglongjmp( jump, 1 );
}

/* a page that cannot be read is an error where it is touched, never zeros and never a hang */
static void test_read_error(void)
{
    struct sigaction action = { .sa_handler = on_sigbus }, old;
    struct writewatch_restore *restore;
    int fd = open( "/proc/self/mem", O_RDONLY | O_CLOEXEC );
    static char readable[65536] __attribute__((aligned( 65536 )));   /* whole pages */
    volatile int met = 0;

    /* reads where something is mapped, fails where nothing is */
    base = map( PAGES );
    check( !writewatch_watch( base, PAGES * page_size() ));
    memset( written, 0, sizeof(written) );
    readable[5] = 'r';
    check( writewatch_restore_start( &restore, base, 8 * page_size(), fd, 0 ) == -EIO );
    check( !writewatch_restore_start( &restore, base, page_size(), fd, (uintptr_t)readable ));
    check( !memcmp( base, readable, page_size() ));
    writewatch_restore_stop( restore );

    check( !sigaction( SIGBUS, &action, &old ));
    {
        char *area = map( 2 );

        area[0] = 'a';
        check( !mprotect( area + page_size(), page_size(), PROT_NONE ));
        check( !writewatch_restore_start( &restore, page( 100 ), page_size(), fd,
                                          (uintptr_t)area ));
        munmap( area, 2 * page_size() );
    }
    if (!sigsetjmp( jump, 1 )) (void)*(volatile char *)page( 100 );
    else met = 1;
    check( met );
    check( !sigaction( SIGBUS, &old, NULL ));
    writewatch_restore_stop( restore );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
    close( fd );
}

static void test_arguments(void)
{
    struct writewatch_restore *restore, *other;
    int fds[2], fd, err;
    struct statfs fs;

    base = map( PAGES );
    check( writewatch_restore_start( &restore, base, page_size(), snapshot, 0 ) == -ENOENT );
    check( !writewatch_watch( base, PAGES * page_size() ));
    check( writewatch_restore_start( &restore, base + 1, page_size(), snapshot, 0 ) == -EINVAL );
    check( writewatch_restore_start( &restore, base, 0, snapshot, 0 ) == -EINVAL );
    check( writewatch_restore_start( &restore, base, page_size(), snapshot, -1 ) == -EINVAL );
    check( writewatch_restore_start( &restore, base, (PAGES + 1) * page_size(), snapshot, 0 )
           == -ENOENT );
    check( writewatch_restore_start( &restore, base, page_size(), -1, 0 ) == -EBADF );
    check( !pipe( fds ));
    check( writewatch_restore_start( &restore, base, page_size(), fds[0], 0 ) == -ESPIPE );
    close( fds[0] );
    close( fds[1] );
    check( !writewatch_restore_start( &restore, base, 4 * page_size(), snapshot, 4096 ));
    check( writewatch_restore_start( &other, page( 3 ), page_size(), snapshot, 4096 ) == -EBUSY );
    check( !writewatch_restore_start( &other, page( 4 ), page_size(), snapshot,
                                      4096 + 4 * page_size() ));
    check( has_content( 4 ) && has_content( 1 ));
    writewatch_restore_stop( restore );
    writewatch_restore_stop( other );
    writewatch_restore_stop( NULL );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );

    fd = unit_temp_file();
    check( !ftruncate( fd, page_size() ));
    base = mmap( NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( !writewatch_watch( base, page_size() ));
    /* on tmpfs it is shared memory */
    err = writewatch_restore_start( &restore, base, page_size(), snapshot, 0 );
    check( err == -EOPNOTSUPP || (!err && !fstatfs( fd, &fs ) && fs.f_type == TMPFS_MAGIC) );
    if (!err) writewatch_restore_stop( restore );
    check( !writewatch_unwatch( base, page_size() ));
    munmap( base, page_size() );
    close( fd );
}

/* System calls into pages that are missing: served, or EFAULT for processes that may not handle the
 * kernel's faults; never a hang, and after a touch they work. */
static void test_system_calls( int ordinary_user )
{
    struct writewatch_restore *restore;
    int fds[2];
    ssize_t ret;

    base = map( PAGES );
    memset( written, 0, sizeof(written) );
    check( !pipe( fds ));
    check( write( fds[1], "abcdef", 6 ) == 6 );
    check( !writewatch_watch( base, PAGES * page_size() ));
    check( !writewatch_restore_start( &restore, base, PAGES * page_size(), snapshot, 4096 ));
    ret = read( fds[0], page( 5 ) + 16, 3 );
    if (ordinary_user)
    {
        check( ret == -1 && errno == EFAULT );
        (void)*(volatile char *)page( 5 );
        ret = read( fds[0], page( 5 ) + 16, 3 );
    }
    check( ret == 3 );
    check( has_content( 5 ));
    written[5] = 1;
    query( 1 );
    query( 0 );
    writewatch_restore_stop( restore );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
    close( fds[0] );
    close( fds[1] );
}

/* the same for a user without privileges */
static void test_ordinary_user(void)
{
    char setting = 0;
    int status, fd;
    pid_t pid;

    if (geteuid()) return;
    if ((fd = open( "/proc/sys/vm/unprivileged_userfaultfd", O_RDONLY )) != -1)
    {
        if (read( fd, &setting, 1 ) != 1) setting = 0;
        close( fd );
    }
    fflush( stderr );
    if (!(pid = fork()))
    {
        char arg[16];

        snprintf( arg, sizeof(arg), "%d", setting != '1' );
        if (setgid( 65534 ) || setuid( 65534 )) _exit( FAIL );
        execl( "/proc/self/exe", "restore", arg, NULL );
        _exit( SKIP );
    }
    check( waitpid( pid, &status, 0 ) == pid );
    check( WIFEXITED( status ) &&
           (WEXITSTATUS( status ) == PASS || WEXITSTATUS( status ) == SKIP) );
    if (WIFEXITED( status ) && WEXITSTATUS( status ) == SKIP)
        fprintf( stderr, "skipped: an ordinary user cannot run this here\n" );
}

int main( int argc, char *argv[] )
{
    alarm( UNIT_HANGS );
    if (writewatch_open( unit_scan() ))
    {
        fprintf( stderr, "%s\n", writewatch_reason() );
        return SKIP;
    }
    snapshot = make_snapshot( PAGES );
    if (argc > 1)
    {
        test_system_calls( atoi( argv[1] ));
        return unit_result();
    }
    test_arguments();
    test_restore( MAP_PRIVATE );
    test_restore( MAP_SHARED );
    test_short_file();
    test_read_error();
    if (!geteuid()) test_system_calls( 0 );
    test_ordinary_user();
    return unit_result();
}
