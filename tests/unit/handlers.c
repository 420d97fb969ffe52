/*
 * Programs that handle faults themselves, from before they use the library or from then on
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * With each backend: writes are reported, bad pointers are errors (row 34), the program's own
 * faults reach its handler as they would without us, and what it did to our handler is reported.
 */

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGE ((SIZE_T)page_size())
#define PART (16 * PAGE)

enum how { PLAIN, OLD_CALL, SIGINFO, ON_STACK, HOWS };
enum when { BEFORE, AFTER, AFTER_CHAINING, WHENS };

static const char * const how_names[] = { "plain", "signal()", "SA_SIGINFO", "SA_ONSTACK" };
static const char * const when_names[] = { "before", "after", "after, chaining" };

static enum how how;
static enum when when;
static char *memory;      /* watched */
static char *forbidden;   /* a page without access */
static char *beyond;      /* a page beyond the end of its file */
static char stack[0x10000];
static sigjmp_buf jump;
static volatile int calls, passed_on;
static struct sigaction found[2];   /* what was there before ours: SIGSEGV, SIGBUS */

static int on_stack( const char *ptr )
{
    return ptr >= stack && ptr < stack + sizeof(stack);
}

static void handle_plain( int sig )
{
    (void)sig;
    calls++;
    siglongjmp( jump, 1 );
}

static void handle_info( int sig, siginfo_t *info, void *context )
{
    const char *addr = info->si_addr;
    char here;

    if (when == AFTER_CHAINING && addr != forbidden && addr != beyond)
    {
        passed_on++;
        found[sig == SIGBUS].sa_sigaction( sig, info, context );
        return;
    }
    check( addr == (sig == SIGBUS ? beyond : forbidden) && info->si_signo == sig );
    if (how == ON_STACK) check( on_stack( &here ));
    calls++;
    siglongjmp( jump, 1 );
}

static void install( int sig )
{
    struct sigaction action;

    memset( &action, 0, sizeof(action) );
    if (how == SIGINFO || how == ON_STACK)
    {
        action.sa_sigaction = handle_info;
        action.sa_flags = SA_SIGINFO | (how == ON_STACK ? SA_ONSTACK : 0);
    }
    else action.sa_handler = handle_plain;
    if (how == OLD_CALL) check( signal( sig, handle_plain ) != SIG_ERR );
    else check( !sigaction( sig, &action, &found[sig == SIGBUS] ));
}

static void install_both(void)
{
    install( SIGSEGV );
    install( SIGBUS );
}

/* the page of memory that is written, or -1 if that is not one */
static long poll_page(void)
{
    void *pages[16];
    ULONG_PTR count = 16;
    DWORD granularity;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PART, pages, &count, &granularity ))
        return -1;
    return count == 1 ? (long)(((char *)pages[0] - memory) / PAGE) : -1;
}

static int is_refused( void *pages, void *count, void *granularity )
{
    SetLastError( 0 );
    if (!GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PART, pages, count, granularity )) return 0;
    return GetLastError() == ERROR_NOACCESS;
}

/* each call begins right after the handler was put in the place of ours, if it is */
static void test_pointers(void)
{
    void (*again)(void) = when == BEFORE ? NULL : install_both;
    void *pages[16];
    ULONG_PTR count = 16;
    DWORD granularity;
    MEMORY_BASIC_INFORMATION *info = (void *)forbidden;
    DWORD old;

    /* nothing is stored to an array unless a page is written */
    *(volatile char *)memory = 1;
    if (again) again();
    check( is_refused( forbidden, &count, &granularity ));
    if (again) again();
    check( is_refused( pages, forbidden, &granularity ));
    if (again) again();
    check( is_refused( pages, &count, forbidden ));
    if (again) again();
    check( is_refused( beyond, &count, &granularity ));
    if (again) again();
    check( !VirtualQuery( memory, info, sizeof(*info) ) && GetLastError() == ERROR_NOACCESS );
    if (again) again();
    check( !VirtualProtect( memory, PART, PAGE_READWRITE, (DWORD *)beyond ));
    if (again) again();
    check( VirtualProtect( memory, PART, PAGE_READWRITE, &old ) && old == PAGE_READWRITE );
    check( poll_page() == 0 );
    check( !calls );
}

static void touch( char *addr )
{
    if (sigsetjmp( jump, 1 )) return;
    *(volatile char *)addr = 1;
    __asm__ __volatile__( "" ::: "memory" );   /* what follows comes after the fault, or never */
    check( 0 );
}

static void test_faults(void)
{
    int i;

    for (i = 1; i <= 3; i++)
    {
        memory[i * PAGE] = 1;
        touch( forbidden );
        check( calls == 2 * i - 1 );
        touch( beyond );
        check( calls == 2 * i );
        check( poll_page() == i );
    }
}

/* opens the backend; returns whether that works here */
static int prepare( const char *backend )
{
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    int fd = memfd_create( "short", MFD_CLOEXEC );

    check( !ftruncate( fd, 2 * PAGE ));
    forbidden = mmap( NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    beyond = mmap( NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( forbidden != MAP_FAILED && beyond != MAP_FAILED );
    check( !ftruncate( fd, 0 ));
    if (how == ON_STACK) check( !sigaltstack( &alternate, NULL ));

    if (when == BEFORE) install_both();
    if (writewatch_open( backend )) return 0;
    memory = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( memory != NULL );
    return 1;
}

/* with one of the handlers, installed at one time */
static int run_one( const char *backend )
{
    if (!prepare( backend ))
    {
        int ret = unit_skip( backend, writewatch_reason() );

        return unit_failures ? FAIL : ret;
    }
    memory[5 * PAGE] = 1;
    check( poll_page() == 5 );
    check( !writewatch_reason()[0] );

    if (when == AFTER_CHAINING)
    {
        /* no call of ours between installing and writing: it is the program that leads us there */
        install_both();
        memory[6 * PAGE] = 1;
        check( passed_on == (!strcmp( backend, "sigbus" ) || !strcmp( backend, "mprotect" )) );
        check( poll_page() == 6 );
    }
    test_pointers();
    test_faults();
    if (when == BEFORE) check( !writewatch_reason()[0] );
    else check( strstr( writewatch_reason(), "replaced" ) != NULL );
    return unit_result();
}

static int run( const char *backend )
{
    int ret = SKIP, result;

    for (when = 0; when < WHENS; when++)
        for (how = 0; how < HOWS; how++)
        {
            /* a handler of one argument has nothing to pass on */
            if (when == AFTER_CHAINING && how != SIGINFO && how != ON_STACK) continue;
            if ((result = unit_in_child( backend, run_one )) == SKIP) return ret;
            if (result == FAIL) printf( "that was %s, %s\n", when_names[when], how_names[how] );
            ret = unit_both( ret, result );
        }
    return ret;
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
