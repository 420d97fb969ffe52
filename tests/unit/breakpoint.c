/*
 * A data breakpoint on what a query stores: a signal in the middle of it, and nothing is lost
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As a debugger does, the parent sets the debug registers of a child and goes. The arguments are
 * backends, otherwise all have their turn.
 */

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGE   ((SIZE_T)page_size())
#define PAGES  64
#define ROUNDS 300

static void *results[65536 / sizeof(void *)] __attribute__((aligned( 65536 )));   /* whole pages */
static void *own_results[PAGES];
static ULONG_PTR count;
static ULONG granularity;
static volatile sig_atomic_t traps;

static void trap( int sig, siginfo_t *info, void *context )
{
    (void)sig;
    (void)info;
    (void)context;
    traps++;
}

/* where the breakpoints lie: four bytes each, at most four */
static void *places[] = { &results[0], &results[20], &count, &granularity };

/* returns 0 or the errno */
static int set_breakpoints( pid_t pid )
{
#ifdef __aarch64__
    (void)pid, (void)places;
    return EOPNOTSUPP;
#else
    unsigned long control = 0;
    size_t i, offset = offsetof( struct user, u_debugreg );

    for (i = 0; i < 4; i++)
    {
        if (ptrace( PTRACE_POKEUSER, pid, offset + i * sizeof(long), places[i] )) return errno;
        control |= 1ul << (2 * i) | 0xdul << (16 + 4 * i);   /* when it is written */
    }
    return ptrace( PTRACE_POKEUSER, pid, offset + 7 * sizeof(long), control ) ? errno : 0;
#endif
}

/* the pages first, first + 2, ... are written, and all of them are reported once */
static void poll( char *memory, unsigned int first, void **array )
{
    static const unsigned int n = PAGES / 2;
    unsigned int i;

    for (i = first; i < PAGES; i += 2) *(volatile char *)(memory + i * PAGE) = 1;
    count = PAGES;
    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES * PAGE, array, &count,
                           &granularity ));
    check( count == n && granularity == PAGE );
    for (i = 0; i < n; i++) check( array[i] == memory + (first + 2 * i) * PAGE );
}

/* makes the page of the array one that is not written */
static void arm_results(void)
{
    check( !ResetWriteWatch( results, sizeof(results) ));
}

static int be_traced( const char *name )
{
    struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO };
    char *memory;
    int i;

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    sigaction( SIGTRAP, &action, NULL );
    memory = VirtualAlloc( NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    check( memory != NULL );

    /* not before, as LeakSanitizer stops the threads of a process that exits, which fails while it
     * is traced */
    if (ptrace( PTRACE_TRACEME, 0, NULL, NULL ))
    {
        printf( "no debugger may be used here: %s\n", strerror( errno ));
        return SKIP;
    }
    raise( SIGSTOP );   /* the parent sets the breakpoints */

    *(void * volatile *)&results[0] = NULL;
    check( traps == 1 );
    for (i = 0; i < ROUNDS && !unit_failures; i++)
    {
        /* then the first store is a fault as well */
        if (i == ROUNDS / 2) check( !writewatch_watch( results, sizeof(results) ));
        if (i >= ROUNDS / 2) arm_results();
        traps = 0;
        poll( memory, i & 1, results );
        /* the results, the count, here and there, and the granularity */
        check( traps == 5 );
        poll( memory, i & 1, own_results );
    }

    /* a call that fails after it was stopped by some of them */
    count = PAGES;
    *(volatile char *)memory = 1;
    check( GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES * PAGE, results, &count,
                          (DWORD *)8 ) == ~0u );
    check( !GetWriteWatch( 0, memory, PAGES * PAGE, own_results, &count, &granularity ));
    check( count == 1 && own_results[0] == memory );

    /* LeakSanitizer stops all threads, that of the backend too, and reads the static data: an
     * access that the kernel reports there would wait forever */
    check( !writewatch_unwatch( results, sizeof(results) ));
    return unit_result();
}

/* the debugger, of a child of its own */
static int run( const char *name )
{
    int status, err;
    pid_t pid;

    fflush( stdout );
    if (!(pid = fork()))
    {
        alarm( UNIT_HANGS );
        exit( be_traced( name ));
    }
    while (waitpid( pid, &status, 0 ) == pid && WIFSTOPPED( status ))
    {
        int sig = WSTOPSIG( status );

        if (sig != SIGSTOP)
        {
            ptrace( PTRACE_CONT, pid, NULL, sig );
            continue;
        }
        if ((err = set_breakpoints( pid )))
        {
            printf( "no breakpoint can be set here: %s\n", strerror( err ));
            kill( pid, SIGKILL );
            waitpid( pid, &status, 0 );
            return SKIP;
        }
        ptrace( PTRACE_DETACH, pid, NULL, 0 );
    }
    if (WIFEXITED( status )) return WEXITSTATUS( status );
    printf( "%s: ended by signal %d\n", name, WTERMSIG( status ));
    return FAIL;
}

int main( int argc, char *argv[] )
{
#ifdef __aarch64__
    printf( "a breakpoint of this processor stops before the store, and only a debugger can go on\n" );
    return SKIP;
#endif
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
