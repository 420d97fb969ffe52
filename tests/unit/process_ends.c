/*
 * Looking at another process that ends, executes a program, or may not be looked at: an error,
 * never "nothing written"
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/other_pages.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 2000

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* of the other process, which inherits it; nothing protects it, so that all of it is written */
static char *memory;
static int pipe_fds[2];   /* its standard input */

/* Memory of its own for the process; a copy of ours is not touched there. Then it waits. */
static void be_the_other( int executes )
{
    char byte;

    alarm( UNIT_HANGS );
    close( pipe_fds[1] );
    memset( memory, 2, PAGES * page_size() );
    kill( getpid(), SIGSTOP );
    if (executes)
    {
        dup2( pipe_fds[0], 0 );
        execlp( "cat", "cat", NULL );
        _exit( FAIL );
    }
    while (read( pipe_fds[0], &byte, 1 ) == 1) /* again */;
    _exit( PASS );
}

static pid_t start( int executes, int *pidfd )
{
    int status;
    pid_t pid;

    check( !pipe( pipe_fds ));
    if (!(pid = fork())) be_the_other( executes );
    *pidfd = syscall( SYS_pidfd_open, pid, 0 );
    check( *pidfd != -1 );
    check( waitpid( pid, &status, WUNTRACED ) == pid && WIFSTOPPED( status ));
    kill( pid, SIGCONT );
    close( pipe_fds[0] );
    return pid;
}

static void reap( pid_t pid, int pidfd )
{
    close( pipe_fds[1] );
    check( waitpid( pid, NULL, 0 ) == pid );
    close( pidfd );
}

static ssize_t list( struct writewatch_process *process )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    uint64_t base = (uintptr_t)memory, next = 0;
    struct writewatch_range range;
    ssize_t ret = writewatch_process_list( process, base, PAGES * page_size(), &filter, &range, 1,
                                           &next );

    /* a success is complete */
    if (ret >= 0)
        check( ret == 1 && range.start == base && range.end == base + PAGES * page_size() &&
               next == range.end );
    return ret;
}

static struct writewatch_process *open_process( int pidfd )
{
    struct writewatch_process *process = NULL;
    int ret = writewatch_process_open( &process, pidfd );

    check( !ret && !*writewatch_reason() );
    return process;
}

/* whether opening fails so, and the reason has some words */
static int is_refused( int pidfd, int expected, const char *words )
{
    struct writewatch_process *process = NULL;
    int ret = writewatch_process_open( &process, pidfd );

    if (ret == expected && !process && strstr( writewatch_reason(), words )) return 1;
    fprintf( stderr, "%d (%s): %s\n", ret, strerror( -ret ), writewatch_reason() );
    return 0;
}

/* at any moment of its end */
static void test_end(void)
{
    struct writewatch_range range;
    struct writewatch_process *process;
    unsigned int round, i;
    uint64_t next;
    int pidfd;
    ssize_t ret;
    pid_t pid;

    for (round = 0; round < unit_share( 50 ); round++)
    {
        pid = start( 0, &pidfd );
        if (!(process = open_process( pidfd ))) return;
        check( list( process ) == 1 );
        kill( pid, SIGKILL );
        for (i = 0; i < round; i++) sched_yield();
        while ((ret = list( process )) == 1) /* again */;
        check( ret == -ESRCH );
        check( list( process ) == -ESRCH );
        next = 0;
        check( writewatch_process_regions( process, &range, 1, &next ) == -ESRCH );
        /* before and after its parent knows */
        check( is_refused( pidfd, -ESRCH, "" ));
        check( waitpid( pid, NULL, 0 ) == pid );
        check( list( process ) == -ESRCH );
        check( is_refused( pidfd, -ESRCH, "has ended" ));
        writewatch_process_close( process );
        close( pipe_fds[1] );
        close( pidfd );
    }
}

/* another program has other memory */
static void test_exec(void)
{
    struct writewatch_process *process, *again;
    struct writewatch_range range;
    uint64_t next = 0;
    int pidfd, status;
    ssize_t ret;
    pid_t pid;

    check( !pipe( pipe_fds ));
    if (!(pid = fork())) be_the_other( 1 );
    pidfd = syscall( SYS_pidfd_open, pid, 0 );
    check( waitpid( pid, &status, WUNTRACED ) == pid && WIFSTOPPED( status ));
    process = open_process( pidfd );
    check( list( process ) == 1 );
    kill( pid, SIGCONT );
    while ((ret = list( process )) == 1) /* again */;
    check( ret == -ESTALE );
    check( writewatch_process_regions( process, &range, 1, &next ) == -ESTALE );
    if ((again = open_process( pidfd ))) check( !writewatch_process_regions( again, &range, 1,
                                                                             &next ));
    writewatch_process_close( again );
    close( pipe_fds[0] );
    reap( pid, pidfd );
    check( list( process ) == -ESRCH );
    writewatch_process_close( process );
}

static void *wait_for_end( void *arg )
{
    char byte;

    while (read( pipe_fds[0], &byte, 1 ) == 1) /* again */;
    _exit( PASS );
    return arg;
}

/* memory whose first thread has ended is that of the others */
static void test_first_thread(void)
{
    struct writewatch_process *process;
    pthread_t thread;
    int pidfd, status;
    char path[64], line[128];
    pid_t pid;

    check( !pipe( pipe_fds ));
    if (!(pid = fork()))
    {
        close( pipe_fds[1] );
        memset( memory, 2, PAGES * page_size() );
        pthread_create( &thread, NULL, wait_for_end, NULL );
        pthread_exit( NULL );
    }
    pidfd = syscall( SYS_pidfd_open, pid, 0 );
    snprintf( path, sizeof(path), "/proc/%d/status", pid );
    for (status = 0; !status; sched_yield())
    {
        FILE *file = fopen( path, "r" );

        while (fgets( line, sizeof(line), file )) status |= !strncmp( line, "State:\tZ", 8 );
        fclose( file );
    }
    process = open_process( pidfd );
    check( list( process ) == 1 );
    writewatch_process_close( process );
    close( pipe_fds[0] );
    reap( pid, pidfd );
}

/* what the test does at the moment at which a process is opened by its number */
static void (*before_opening)(void);
extern int __real_other_pages_open( struct other_pages *pages, uint32_t pid, char *path );
extern int __wrap_other_pages_open( struct other_pages *pages, uint32_t pid, char *path );

int __wrap_other_pages_open( struct other_pages *pages, uint32_t pid, char *path )
{
    void (*function)(void) = before_opening;

    before_opening = NULL;
    if (function) function();
    return __real_other_pages_open( pages, pid, path );
}

static pid_t old_pid, new_pid;
static int clone_error;

/* Another process with the number of one that has ended; -1 where that is not allowed. */
static void reuse_number(void)
{
    struct { uint64_t words[8], set_tid, set_tid_size, cgroup; } args = { .words = { 0 } };

    memset( &args, 0, sizeof(args) );
    args.words[4]     = SIGCHLD;
    args.set_tid      = (uintptr_t)&old_pid;
    args.set_tid_size = 1;
    kill( old_pid, SIGKILL );
    check( waitpid( old_pid, NULL, 0 ) == old_pid );
    new_pid = syscall( SYS_clone3, &args, sizeof(args) );
    clone_error = errno;
    if (new_pid) return;
    for (;;) pause();
}

static void test_reused_number(void)
{
    int pidfd;

    old_pid = start( 0, &pidfd );
    before_opening = reuse_number;
    check( is_refused( pidfd, -ESRCH, "has ended" ));
    check( !before_opening );
    if (new_pid > 0)
    {
        check( new_pid == old_pid );
        check( is_refused( pidfd, -ESRCH, "has ended" ));
        kill( new_pid, SIGKILL );
        waitpid( new_pid, NULL, 0 );
    }
    else printf( "not tested: a number that is reused (%s)\n", strerror( clone_error ));
    close( pipe_fds[1] );
    close( pidfd );
}

/* another user's process: as root, an ordinary user looks at it; else it is the first process */
static int other_user( const char *name )
{
    struct writewatch_process *process;
    int pidfd, is_root = !getuid();

    (void)name;
    if (!is_root)
    {
        pidfd = syscall( SYS_pidfd_open, 1, 0 );
        if (!writewatch_process_open( &process, pidfd ))
            return unit_skip( "another user", "all processes are this user's" );
    }
    else
    {
        start( 0, &pidfd );
        if (setresgid( 65534, 65534, 65534 ) || setresuid( 65534, 65534, 65534 ) ||
            prctl( PR_SET_DUMPABLE, 1, 0, 0, 0 )) return FAIL;
    }
    check( is_refused( pidfd, -EACCES, "another user's process" ));
    if (is_root) close( pipe_fds[1] );   /* ends it */
    return unit_result();
}

/* one's own process that does not let itself be looked at; root may */
static int not_dumpable( const char *name )
{
    struct writewatch_process *process;
    int pidfd, ret;
    pid_t pid;

    (void)name;
    if (prctl( PR_SET_DUMPABLE, 0, 0, 0, 0 )) return FAIL;
    pid = start( 0, &pidfd );   /* it inherits that */
    ret = writewatch_process_open( &process, pidfd );
    check( getuid() ? ret < 0 && *writewatch_reason() : !ret );
    if (!ret) writewatch_process_close( process );
    reap( pid, pidfd );
    return unit_result();
}

static void test_descriptors(void)
{
    struct writewatch_process *process;
    int fd = open( "/dev/null", O_RDONLY ), pidfd;
    uint64_t stack = 0, from;
    char line[256], path[64];
    struct writewatch_filter filter = { .required = WRITEWATCH_PRESENT };
    struct writewatch_range range;
    FILE *file;

    check( is_refused( fd, -EBADF, "not one of a process" ));
    close( fd );
    check( is_refused( fd, -EBADF, "not open" ));
    check( is_refused( -1, -EBADF, "not open" ));
    writewatch_process_close( NULL );

    /* the one that started this test may have other addresses than a program of 32 bits */
    snprintf( path, sizeof(path), "/proc/%d/maps", getppid() );
    if (!(file = fopen( path, "r" ))) return;
    while (fgets( line, sizeof(line), file ))
        if (strstr( line, "[stack]" )) stack = strtoull( strchr( line, '-' ) + 1, NULL, 16 );
    fclose( file );
    pidfd = syscall( SYS_pidfd_open, getppid(), 0 );
    process = open_process( pidfd );
    close( pidfd );
    from = stack - page_size();
    check( writewatch_process_list( process, from, page_size(), &filter, &range, 1, NULL ) == 1 );
    check( range.start == from && range.end == stack );

    /* a program that closes all descriptors, and opens others */
    for (fd = 3; fd < 1024; fd++) close( fd );
    check( writewatch_process_list( process, from, page_size(), &filter, &range, 1,
                                    NULL ) == -EBADF );
    while ((fd = open( "/dev/zero", O_RDONLY )) >= 0 && fd < 700) /* again */;
    check( writewatch_process_list( process, from, page_size(), &filter, &range, 1,
                                    NULL ) == -EBADF );
    writewatch_process_close( process );
    check( fd < 0 || !fcntl( fd, F_GETFD ));
}

int main(void)
{
    int ret;

    memory = mmap( NULL, PAGES * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    check( memory != MAP_FAILED );
    if (syscall( SYS_pidfd_open, getpid(), 0 ) == -1) return unit_skip( "pidfd_open",
                                                                        strerror( errno ));
    test_end();
    test_exec();
    test_first_thread();
    test_reused_number();
    ret = unit_in_child( "another user", other_user );
    ret = unit_both( ret, unit_in_child( "not dumpable", not_dumpable ));
    test_descriptors();
    return ret == FAIL ? FAIL : unit_result();
}
