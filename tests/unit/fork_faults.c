/*
 * Faults of the forking thread while the library has its locks for the fork
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: fork_faults [NAME...]    all that main() names if none is
 */

#include <pthread.h>
#include <signal.h>

#include "fork.h"

/* Functions that pthread_atfork() gets before it gets the library's run while the library has its
 * locks. In the child no memory is watched yet when its function runs. */
static void (*before)(void);
static void (*in_parent)(void);
static void (*in_child)(void);

static void run_before(void)
{
    if (before) before();
}

static void run_in_parent(void)
{
    if (in_parent) in_parent();
}

static void run_in_child(void)
{
    if (in_child) in_child();
}

__attribute__((constructor(101))) static void register_first(void)
{
    if (pthread_atfork( run_before, run_in_parent, run_in_child )) abort();
}

static volatile char *guard;      /* pages of VirtualAlloc: a guard page, and one without access */
static volatile char *watched;    /* written by the functions themselves */
static volatile int faults, codes;

static void count_fault( int sig, siginfo_t *info, void *context )
{
    (void)sig, (void)context;
    faults++;
    if (info->si_code != SEGV_ACCERR) codes++;
    mprotect( (void *)((uintptr_t)info->si_addr & -page_size()), page_size(),
              PROT_READ | PROT_WRITE );
}

static void touch_guard(void)
{
    *guard = 1;
}

static void touch_none(void)
{
    guard[page_size()] = 1;
}

static void write_first(void)
{
    watched[bytes( 1 )] = 1;
}

static void write_second(void)
{
    watched[bytes( 2 )] = 1;
}

static void write_third(void)
{
    watched[bytes( 3 )] = 1;
}

static void fork_with( void (*function)(void), const char *what )
{
    pid_t pid;

    before = function;
    if (!(pid = start_child())) _exit( unit_result() );
    before = NULL;
    check( pid != -1 );
    if (!passed( pid ))
    {
        fprintf( stderr, "%s: %s\n", backend, what );
        unit_failures++;
    }
}

/* a program that has no handler ends */
static int die_of( void (*function)(void) )
{
    int status;
    pid_t pid;

    if (!(pid = start_child()))
    {
        signal( SIGSEGV, SIG_DFL );
        guard = VirtualAlloc( NULL, bytes( 2 ), MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READWRITE | PAGE_GUARD );
        check( guard && VirtualAlloc( (void *)(guard + bytes( 1 )), bytes( 1 ), MEM_COMMIT,
                                      PAGE_NOACCESS ));
        before = function;
        fork();
        _exit( 0 );
    }
    return waitpid( pid, &status, 0 ) == pid && WIFSIGNALED( status ) &&
           WTERMSIG( status ) == SIGSEGV;
}

/* Faults that no backend makes reach the program's handler. A guard page is none there. */
static void test_others( DWORD flags )
{
    struct sigaction action = { .sa_sigaction = count_fault, .sa_flags = SA_SIGINFO }, old;
    DWORD protect;

    check( !sigaction( SIGSEGV, &action, &old ));
    guard = VirtualAlloc( NULL, bytes( 2 ), MEM_RESERVE | MEM_COMMIT | flags, PAGE_READWRITE );
    check( guard && VirtualProtect( (void *)guard, bytes( 1 ), PAGE_READWRITE | PAGE_GUARD,
                                    &protect ));
    check( VirtualProtect( (void *)(guard + bytes( 1 )), bytes( 1 ), PAGE_NOACCESS, &protect ));
    faults = codes = 0;
    fork_with( touch_none, "a page without access" );
    check( faults == 1 && !codes && guard[bytes( 1 )] == 1 );
    fork_with( touch_guard, "a guard page" );
    check( faults == 2 && !codes && *guard == 1 );

    /* guard pages are guard pages again */
    check( VirtualProtect( (void *)guard, bytes( 1 ), PAGE_READWRITE | PAGE_GUARD, &protect ));
    *guard = 2;
    check( faults == 3 && codes == 1 && *guard == 2 );
    check( VirtualFree( (void *)guard, 0, MEM_RELEASE ));
    check( !sigaction( SIGSEGV, &old, NULL ));
    check( die_of( touch_none ));
    check( die_of( touch_guard ));
}

/* the pages that were written in the parent are reported there */
static void test_watched( struct memory *memory )
{
    unsigned char reported[PAGES];
    pid_t pid;

    check( ask( memory, 0, PAGES, 1, reported ) >= 0 );
    memset( memory->written, 0, sizeof(memory->written) );
    watched   = memory->base;
    before    = write_first;
    in_parent = write_second;
    in_child  = write_third;
    if (!(pid = start_child()))
    {
        /* by then it is watched, and all that has contents counts */
        memory->written[1] = memory->written[3] = 1;
        check( ask( memory, 0, PAGES, 1, reported ) >= 0 );
        check( reported[1] && reported[3] );
        _exit( unit_result() );
    }
    before = in_parent = in_child = NULL;
    check( passed( pid ));
    memory->written[1] = memory->written[2] = 1;
    compare( memory, 0, PAGES, 1, "parent" );
}

static int run( const char *name )
{
    struct memory own = { .allocated = 1 };

    backend = name;
    if (writewatch_open( backend )) return unit_skip( backend, writewatch_reason() );
    own.base = VirtualAlloc( NULL, bytes( PAGES ), MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                             PAGE_READWRITE );
    check( own.base != NULL );
    memset( own.base, 1, bytes( PAGES ));
    test_watched( &own );
    test_others( 0 );
    test_others( MEM_WRITE_WATCH );
    test_watched( &own );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_SCAN_UNMARKED | UNIT_SCAN_MARKED | UNIT_FAULTS |
                              UNIT_SOFTDIRTY, run );
}
