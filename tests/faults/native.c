/*
 * fault injection in native programs: each call of each backend fails in each way
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kinds.h"
#include "native.h"

/* Run by tests/faults/inject. For each case a child goes through all phases, once; this process
 * never touches the library. A case names a phase, a kind, a number among the calls of that kind
 * from the beginning of the phase on, an errno, and whether the calls after it fail too. First a
 * child without a case counts the calls. Prints a line a case: backend, phase, kind, errno, which
 * call, outcome, and how many calls failed. */

#define TIME_LIMIT 600   /* seconds, only for what would hang */

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

struct shared *shared;
const struct fault_case *current;
char file_name[64];

/* asks the injector; it sees this call and answers it */
long ask( const char *format, ... )
{
    static unsigned int seq;
    char path[800], text[760];
    struct stat unused;
    va_list args;

    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    snprintf( path, sizeof(path), "/writewatch-inject/%u.%d/%s", ++seq, getpid(), text );
    return syscall( SYS_newfstatat, AT_FDCWD, path, &unused, 0 );
}

/***********************************************************************
 *           reaches_program
 *
 * Where a fault is the documented end: a page of a file that cannot be brought (restore), and a
 * page that the kernel will not let be written although it is asked again and again (mprotect).
 */
static int reaches_program( int sig )
{
    const char *kind;

    if (!current) return 0;
    kind = kinds[current->kind].name;
    if (sig == SIGBUS && !strcmp( shared->phase, "restore" ))
        return !strcmp( kind, "UFFDIO_COPY" ) || !strcmp( kind, "pread" );
    return sig == SIGSEGV && !strcmp( current->backend, "mprotect" ) &&
           !strcmp( kind, "mprotect" ) && !strcmp( current->mode, "ever" );
}

/***********************************************************************
 *           run_child
 *
 * Returns whether its outcome is right.
 */
static int run_child( const char *backend )
{
    struct timespec limit = { TIME_LIMIT, 0 };
    struct pollfd end = { .events = POLLIN };
    int status = 0, ready;
    pid_t pid;

    shared->done = shared->wrong = shared->refused = 0;
    shared->phases = 0;
    shared->outcome[0] = 0;
    if (!(pid = fork())) go_through_phases( backend );
    end.fd = syscall( SYS_pidfd_open, pid, 0 );
    while ((ready = ppoll( &end, 1, &limit, NULL )) < 0 && errno == EINTR) /* nothing */;
    close( end.fd );
    if (ready != 1)
    {
        ask( "end" );
        kill( pid, SIGKILL );
        waitpid( pid, &status, 0 );
        snprintf( shared->outcome, sizeof(shared->outcome), "WRONG: hangs in %s", shared->phase );
        shared->wrong = 1;
        return 0;
    }
    waitpid( pid, &status, 0 );
    ask( "end" );
    if (!shared->done && WIFSIGNALED( status ) && reaches_program( WTERMSIG( status )))
        snprintf( shared->outcome, sizeof(shared->outcome), "SIG%s where a page is touched",
                  sigabbrev_np( WTERMSIG( status )));
    else if (!shared->done)
    {
        char reason[32] = "";

        snprintf( reason, sizeof(reason), WIFSIGNALED( status ) ? "SIG%s" : "exit",
                  WIFSIGNALED( status ) ? sigabbrev_np( WTERMSIG( status )) : "" );
        snprintf( shared->outcome, sizeof(shared->outcome), "WRONG: ends in %s by %s",
                  shared->phase, reason );
        shared->wrong = 1;
    }
    return !shared->wrong;
}

static unsigned long cases, wrongs, never;

/***********************************************************************
 *           run_case
 */
static void run_case( const struct fault_case *fault )
{
    char which[32], *p;
    long failed;

    current = fault;
    if (!run_child( fault->backend )) wrongs++;
    failed = ask( "end" );
    /* how often threads read is up to them */
    if (!failed && strcmp( kinds[fault->kind].name, "read" ) &&
        strcmp( kinds[fault->kind].name, "poll" )) never++;
    cases++;
    if (!strcmp( fault->mode, "ever" ) && fault->first == 1) strcpy( which, "all" );
    else if (!strcmp( fault->mode, "ever" ))
        snprintf( which, sizeof(which), "from %ld", fault->first );
    else snprintf( which, sizeof(which), "%s%ld", !strcmp( fault->mode, "once" ) ? "" :
                   !strcmp( fault->mode, "late" ) ? "made, then " : "half made, then ",
                   fault->first );
    for (p = shared->outcome; (p = strchr( p, '/' )); p++) *p = ' ';
    ask( "tell/%s/%s/%s/%s/%s/%s", fault->backend, shared->names[fault->phase],
         kinds[fault->kind].name, errnos[fault->err].name, which,
         *shared->outcome ? shared->outcome : "nothing to be seen" );
}

/***********************************************************************
 *           run_backend
 *
 * With all: every call of a phase, up to a limit, fails in every way. Otherwise the first one of
 * each phase fails in some, and those of the first phase in which a kind is called in every way.
 */
static void run_backend( const char *backend, int all )
{
    static const char * const late[] = { "late", "half" };
    struct fault_case fault = { .backend = backend };
    unsigned int err_count = all ? ERRNO_COUNT : 9;
    unsigned int seen[KIND_COUNT] = { 0 }, i, turn = 0;
    unsigned long before = cases;
    /* each fault waits for a thread; and which backend is best is found out by opening it */
    int slow = !strcmp( backend, "thread" );
    unsigned int phases;
    long n, count;

    current = NULL;
    shared->refused = 0;
    if (!run_child( backend ) || shared->refused || *shared->outcome)
    {
        printf( "%s: %s\n", backend, *shared->outcome ? shared->outcome : "no outcome" );
        if (shared->wrong || !shared->refused) wrongs++;
        return;
    }
    phases = all || strcmp( backend, "best" ) ? shared->phases : 2;
    for (fault.phase = 0; fault.phase < phases; fault.phase++)
        for (fault.kind = 0; fault.kind < KIND_COUNT; fault.kind++)
        {
            if (!(count = shared->counts[fault.phase][fault.kind])) continue;
            for (fault.err = 0; fault.err < err_count; fault.err++)
            {
                if (!all && seen[fault.kind] && fault.err != turn % err_count) continue;
                for (n = 1; n <= count && n <= (all ? 40 : 1); n++)
                {
                    fault.first = n;
                    fault.mode = "once";
                    run_case( &fault );
                    fault.mode = "ever";
                    if (n < 4 && (all || !slow || !seen[fault.kind])) run_case( &fault );
                }
            }
            /* what was done is reported as failed */
            if (kinds[fault.kind].part == COMMAND)
                for (i = 0; i < 2; i++)
                {
                    if (i && strcmp( kinds[fault.kind].name, "PAGEMAP_SCAN" )) continue;
                    fault.mode = late[i];
                    for (n = 1; n <= count && n <= (all ? 40 : seen[fault.kind] ? 1 : 3); n++)
                    {
                        fault.first = n;
                        fault.err = i ? 1 : 6;   /* EPERM, EFAULT */
                        run_case( &fault );
                    }
                }
            seen[fault.kind] = 1;
            turn++;
        }
    printf( "%s: %lu cases\n", backend, cases - before );
    fflush( stdout );
}

/***********************************************************************
 *           run_one
 *
 * BACKEND PHASE KIND ERRNO NUMBER once|ever|late|half
 */
static int run_one( char **argv )
{
    struct fault_case fault = { .backend = argv[0], .first = atol( argv[4] ), .mode = argv[5] };

    current = NULL;
    run_child( fault.backend );
    for (fault.phase = 0; fault.phase < shared->phases; fault.phase++)
        if (!strcmp( shared->names[fault.phase], argv[1] )) break;
    for (fault.kind = 0; fault.kind < KIND_COUNT; fault.kind++)
        if (!strcmp( kinds[fault.kind].name, argv[2] )) break;
    for (fault.err = 0; fault.err < ERRNO_COUNT; fault.err++)
        if (!strcmp( errnos[fault.err].name, argv[3] )) break;
    if (fault.phase == shared->phases || fault.kind == KIND_COUNT || fault.err == ERRNO_COUNT)
        return 125;
    printf( "%ld calls\n", shared->counts[fault.phase][fault.kind] );
    run_case( &fault );
    return wrongs != 0;
}

/***********************************************************************
 *           main
 *
 * usage: native [--all] BACKEND... | --case BACKEND PHASE KIND ERRNO NUMBER MODE
 */
int main( int argc, char **argv )
{
    unsigned int data[64 * 1024] = { 0 }, i;
    int fd, all = 0;

    if (argc > 1 && !strcmp( argv[1], "--all" ))
    {
        all = 1;
        argv++;
    }
    close_range( 3, ~0u, 0 );   /* what is not ours */
    if (ask( "end" ) < 0)
    {
        fprintf( stderr, "to be run by tests/faults/inject\n" );
        return 125;
    }
    shared = mmap( NULL, (sizeof(*shared) + 4095) & ~4095ul, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
    strcpy( file_name, "/tmp/writewatch-faults.XXXXXX" );
    if (shared == MAP_FAILED || (fd = mkostemp( file_name, O_CLOEXEC )) == -1) return 125;
    for (i = 0; i < 64; i++) data[i * 1024 + 2] = 4000 + i;
    if (write( fd, data, sizeof(data) ) != sizeof(data)) return 125;
    close( fd );

    if (argc == 8 && !strcmp( argv[1], "--case" ))
    {
        all = run_one( argv + 2 );
        unlink( file_name );
        return all;
    }
    for (argv++; *argv; argv++) run_backend( *argv, all );
    unlink( file_name );
    printf( "%lu cases, %lu wrong, %lu in which nothing failed\n", cases, wrongs, never );
    return wrongs || never || !cases;
}
