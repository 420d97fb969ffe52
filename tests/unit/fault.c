/*
 * The handler of faults beside handlers of the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES 8

static char *memory;       /* watched */
static char *forbidden;    /* a page without access, not watched */
static sigjmp_buf jump;
static volatile int calls, older_calls;
static struct sigaction older;

static size_t bytes( size_t pages )
{
    return pages << page_shift;
}

/* the pages written since the last time, one bit each, or -1 */
static int written(void)
{
    void *addresses[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;
    int ret = 0;

    if (get_write_watch( WRITE_WATCH_FLAG_RESET, memory, bytes( PAGES ), addresses,
                         &count, &granularity ))
        return -1;
    for (i = 0; i < count; i++) ret |= 1 << (((char *)addresses[i] - memory) >> page_shift);
    return ret;
}

static void open_backend_named( const char *name )
{
    char reason[160];

    check( !watch_open( name, reason, sizeof(reason) ));
    memory = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0 );
    check( !watch_add( memory, bytes( PAGES )));
}

static void set_handler( int sig, void (*handler)( int, siginfo_t *, void * ), int flags,
                         struct sigaction *old )
{
    struct sigaction action;

    memset( &action, 0, sizeof(action) );
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigaddset( &action.sa_mask, SIGUSR1 );
    check( !sigaction( sig, &action, old ));
}

static void leave( int sig, siginfo_t *info, void *context )
{
    sigset_t mask;

    (void)context;
    check( info->si_addr == forbidden && info->si_signo == sig );
    check( !sigprocmask( SIG_BLOCK, NULL, &mask ));
    check( sigismember( &mask, SIGUSR1 ) == 1 && sigismember( &mask, SIGUSR2 ) == 0 );
    calls++;
    memory[bytes( 1 )] = 1;   /* a handler may write to watched memory */
    siglongjmp( jump, 1 );
}

static void touch_forbidden(void)
{
    if (sigsetjmp( jump, 1 )) return;
    *(volatile char *)forbidden = 1;
    __asm__ __volatile__( "" ::: "memory" );   /* what follows comes after the fault, or never */
    check( 0 );
}

/* its handler was there before the library's */
static void test_before( const char *name )
{
    int i;

    set_handler( SIGSEGV, leave, 0, NULL );
    set_handler( SIGBUS, leave, 0, NULL );
    open_backend_named( name );
    for (i = 1; i <= 3; i++)
    {
        memory[0] = 1;
        touch_forbidden();
        check( calls == i );
        check( written() == 3 );
    }
    check( !*fault_notice() );
}

static void call_older( int sig, siginfo_t *info, void *context )
{
    calls++;
    older.sa_sigaction( sig, info, context );
}

static void leave_older( int sig, siginfo_t *info, void *context )
{
    older_calls++;
    leave( sig, info, context );
}

/* it installs its own later, in the place of the library's */
static void test_after( const char *name )
{
    int i;

    set_handler( SIGSEGV, leave_older, 0, NULL );
    open_backend_named( name );
    set_handler( SIGSEGV, leave, 0, NULL );
    set_handler( SIGBUS, leave, 0, NULL );
    check( !written() );
    check( *fault_notice() );
    for (i = 1; i <= 3; i++)
    {
        memory[bytes( 7 )] = 1;
        touch_forbidden();
        check( calls == i && !older_calls );
        check( written() == 0x82 );
    }
}

/* the same with a handler that calls the one that it found, which is ours: no circle */
static void test_after_chaining( const char *name )
{
    int i, last = 0;

    set_handler( SIGSEGV, leave_older, 0, NULL );
    open_backend_named( name );
    set_handler( SIGSEGV, call_older, 0, &older );
    for (i = 1; i <= 3; i++)
    {
        touch_forbidden();
        check( older_calls == i );
        /* from the second time on, ours is before it and behind it */
        if (i > 1) check( calls == last + 2 );
        last = calls;
        check( written() == 2 );
    }
    memory[0] = 1;
    check( written() == 1 );
}

/* the same handlers again and again are no other ones; too many others are an error */
static void test_many( const char *name )
{
    int i, sig = strcmp( name, "mprotect" ) ? SIGBUS : SIGSEGV;
    struct sigaction action;

    open_backend_named( name );
    for (i = 0; i < 50 && !written(); i++) set_handler( sig, i & 1 ? leave : leave_older, 0, NULL );
    for (i = 0; i < 50 && !written(); i++) set_handler( sig, leave, SA_RESETHAND, NULL );
    check( !written() && *fault_notice() );

    memset( &action, 0, sizeof(action) );
    action.sa_sigaction = leave;
    action.sa_flags = SA_SIGINFO;
    for (i = 0; i < 20 && !written(); i++)
    {
        sigaddset( &action.sa_mask, SIGRTMIN + i );
        check( !sigaction( sig, &action, NULL ));
    }
    check( i > 3 && i < 20 );
    check( strstr( fault_notice(), "too many" ) != NULL );
    check( written() == -1 );
    /* one that is known is not too many */
    set_handler( sig, leave, 0, NULL );
    check( !written() );
    check( !strstr( fault_notice(), "too many" ));
}

static void save_and_restore( int sig, siginfo_t *info, void *context )
{
    (void)sig, (void)info, (void)context;
    check( 0 );
}

/* it has another one for a while: afterwards its first one is its own again */
static void test_restored( const char *name )
{
    struct sigaction saved;
    int i;

    set_handler( SIGSEGV, leave, 0, &saved );
    open_backend_named( name );
    for (i = 1; i <= 20; i++)
    {
        set_handler( SIGSEGV, save_and_restore, 0, &saved );
        check( !written() );
        set_handler( SIGSEGV, leave, 0, NULL );
        check( !written() );
        touch_forbidden();
        check( calls == i );
        check( written() == 2 );
    }
}

static void test_once( const char *name )
{
    set_handler( SIGSEGV, leave, SA_RESETHAND, NULL );
    open_backend_named( name );
    touch_forbidden();
    check( calls == 1 );
    *(volatile char *)forbidden = 1;   /* ends us */
}

static void test_default( const char *name )
{
    open_backend_named( name );
    memory[0] = 1;
    check( written() == 1 );
    *(volatile char *)forbidden = 1;   /* ends us */
}

static void test_sent( const char *name )
{
    open_backend_named( name );
    raise( SIGSEGV );                  /* ends us */
}

static void test_ignored( const char *name )
{
    signal( SIGSEGV, SIG_IGN );
    open_backend_named( name );
    raise( SIGSEGV );
    memory[0] = 1;
    check( written() == 1 );
    *(volatile char *)forbidden = 1;   /* ends us */
}

static void test_default_later( const char *name )
{
    set_handler( SIGSEGV, leave, 0, NULL );
    open_backend_named( name );
    signal( SIGSEGV, SIG_DFL );
    check( !written() );
    memory[0] = 1;
    check( written() == 1 );
    *(volatile char *)forbidden = 1;   /* ends us */
}

/* arrays that are bad (row 34) */
static void test_pointers( const char *name )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    check( !fault_handler_install() );
    open_backend_named( name );
    memory[0] = 1;
    check( get_write_watch( 1, memory, bytes( PAGES ), (void **)forbidden, &count, &granularity )
           == STATUS_ACCESS_VIOLATION );
    check( get_write_watch( 1, memory, bytes( PAGES ), addresses, (ULONG_PTR *)forbidden,
                            &granularity )
           == STATUS_ACCESS_VIOLATION );
    check( get_write_watch( 1, memory, bytes( PAGES ), addresses, &count, (ULONG *)forbidden )
           == STATUS_ACCESS_VIOLATION );
    check( get_write_watch( 1, memory, bytes( PAGES ), (void **)(uintptr_t)0x8000000000001000,
                            &count, &granularity )
           == STATUS_ACCESS_VIOLATION );
    check( written() == 1 );
}

static void leave_bus( int sig, siginfo_t *info, void *context )
{
    (void)context;
    check( sig == SIGBUS && info->si_addr == memory + bytes( 5 ));
    calls++;
    siglongjmp( jump, 1 );
}

/* a file that became shorter: the signal is the program's, not ours for ever */
static void test_short_file( const char *name )
{
    int fd = memfd_create( "short", MFD_CLOEXEC ), i;

    set_handler( SIGBUS, leave_bus, 0, NULL );
    open_backend_named( name );
    watch_remove( memory, bytes( PAGES ));
    check( !ftruncate( fd, bytes( PAGES )));
    memory = mmap( NULL, bytes( PAGES ), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    if (watch_add_as( memory, bytes( PAGES ), REGION_MIXED, page_shift )) exit( SKIP );
    memory[0] = 1;
    memory[bytes( 5 )] = 1;
    check( written() == 0x21 );
    memory[0] = 1;
    check( !ftruncate( fd, bytes( 4 )));
    for (i = 1; i <= 2; i++)
    {
        if (!sigsetjmp( jump, 1 )) *(volatile char *)(memory + bytes( 5 )) = 1;
        check( calls == i );
    }
    check( written() & 1 );
}

/* The program protects watched memory itself, which it must not: no endless loop comes of it. Only
 * mprotect knows no better than to undo that. */
static void test_own_protection( const char *name )
{
    set_handler( SIGSEGV, leave, 0, NULL );
    open_backend_named( name );
    forbidden = memory + bytes( 3 );
    *forbidden = 1;
    check( !mprotect( forbidden, bytes( 1 ), PROT_READ ));
    if (!strcmp( name, "mprotect" )) *(volatile char *)forbidden = 2;
    else touch_forbidden();
    check( calls == !!strcmp( name, "mprotect" ));
    check( written() == (calls ? 0x0a : 0x08) );
}

static volatile int alarms;

static void write_in_handler( int sig )
{
    (void)sig;
    memory[bytes( alarms++ % PAGES )] = 1;
}

/* a signal at any time whose handler writes to watched memory */
static void test_signals( const char *name )
{
    unsigned int reported = 0, bits;
    timer_t timer;
    struct itimerspec every = { { 0, 50000 }, { 0, 50000 } };

    open_backend_named( name );
    signal( SIGALRM, write_in_handler );
    check( !timer_create( CLOCK_MONOTONIC, NULL, &timer )
           && !timer_settime( timer, 0, &every, NULL ));
    while (alarms < 2000)
    {
        memory[0] = 1;
        bits = written();
        check( bits != ~0u && (bits & 1) );
        reported |= bits;
    }
    timer_delete( timer );
    check( reported == (1 << PAGES) - 1 );
}

/* what is asked for by name and cannot work says why; mprotect needs no descriptor */
static void test_refused( const char *name )
{
    struct rlimit limit, old;
    char reason[160] = "";
    unsigned int i;

    check( watch_open( "no-such", reason, sizeof(reason) ));
    check( strstr( reason, "no-such" ) && strstr( reason, name ) && strstr( reason, "scan" ));
    check( has_backend( name ) && !has_backend( "no-such" ));
    check( !getrlimit( RLIMIT_NOFILE, &old ));
    limit.rlim_cur = 0;
    limit.rlim_max = old.rlim_max;
    check( !setrlimit( RLIMIT_NOFILE, &limit ));
    for (i = 0; i < 2 && strcmp( name, "mprotect" ); i++)
    {
        reason[0] = 0;
        check( watch_open( name, reason, sizeof(reason) ));
        check( strstr( reason, strerror( EMFILE )) != NULL );
        check( !watch_backend_name() );
    }
    check( !setrlimit( RLIMIT_NOFILE, &old ));   /* LeakSanitizer looks at /proc at exit */
}

#define BACKENDS (UNIT_SIGBUS | UNIT_MPROTECT | UNIT_THREAD | UNIT_SOFTDIRTY)
#define HANDLERS (UNIT_SIGBUS | UNIT_MPROTECT)

static const struct
{
    const char  *name;
    void       (*test)( const char *backend );
    unsigned int backends;
    int          ends_by;   /* a signal */
    unsigned int open_mask; /* with these, handlers need the signals that they do not block */
} tests[] =
{
    { "handler before ours",       test_before,         HANDLERS,      0,       0 },
    { "handler after ours",        test_after,          HANDLERS,      0,       UNIT_SIGBUS },
    { "handler that calls ours",   test_after_chaining, UNIT_MPROTECT, 0,       0 },
    { "many handlers",             test_many,           HANDLERS,      0,       0 },
    { "handler for a while",       test_restored,       UNIT_MPROTECT, 0,       0 },
    { "handler for once",          test_once,           HANDLERS,      SIGSEGV, 0 },
    { "default",                   test_default,        HANDLERS,      SIGSEGV, 0 },
    { "sent",                      test_sent,           HANDLERS,      SIGSEGV, 0 },
    { "ignored",                   test_ignored,        HANDLERS,      SIGSEGV, 0 },
    { "default later",             test_default_later,  UNIT_MPROTECT, SIGSEGV, 0 },
    { "pointers",                  test_pointers,       BACKENDS,      0,       0 },
    { "short file",                test_short_file,     HANDLERS,      0,       0 },
    { "own protection",            test_own_protection, HANDLERS,      0,       0 },
    { "signals",                   test_signals,        BACKENDS,      0,       HANDLERS },
    { "refused",                   test_refused,        BACKENDS,      0,       0 },
};

/* ThreadSanitizer blocks all signals while a handler runs. */
#ifdef __SANITIZE_THREAD__
static const int blocks_signals = 1;
#else
static const int blocks_signals = 0;
#endif

/* whether it works here; not asked in the process that the tests begin in */
static int opens( const char *backend )
{
    char reason[160];

    if (watch_open( backend, reason, sizeof(reason) )) return unit_skip( backend, reason );
    return PASS;
}

static int run( const char *backend )
{
    int status, failures = 0, ret = unit_in_child( backend, opens );
    size_t i;

    if (ret != PASS) return ret;
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
    {
        pid_t pid;

        if (!(tests[i].backends & unit_backend_bit( backend ))) continue;
        if (blocks_signals && tests[i].open_mask & unit_backend_bit( backend ))
        {
            printf( "%s, %s: skipped, as all signals are blocked in handlers\n", backend,
                    tests[i].name );
            continue;
        }
        fflush( stdout );
        if (!(pid = fork()))
        {
            alarm( UNIT_HANGS );
            tests[i].test( backend );
            exit( unit_result() );
        }
        check( waitpid( pid, &status, 0 ) == pid );
        if (status == SKIP << 8) printf( "%s, %s: skipped\n", backend, tests[i].name );
        else if (status != tests[i].ends_by && status != (tests[i].ends_by | 0x80))
        {
            printf( "%s, %s: failed, status %x\n", backend, tests[i].name, status );
            failures++;
        }
    }
    return failures ? FAIL : unit_result();
}

int main( int argc, char *argv[] )
{
    const struct rlimit no_core = { 0, 0 };

    page_init();
    forbidden = mmap( NULL, bytes( 1 ), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    setrlimit( RLIMIT_CORE, &no_core );
    return unit_each_backend( argc, argv, BACKENDS, run );
}
