/*
 * The handlers that stand before Wine's: which signals wait, and until when
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include "../../preload/owned_lock.h"
#include "../../preload/preload.h"
#include "nt_types.h"
#include "sys/user_memory.h"
#include "unit.h"

/* the preloaded library's, beside the native one's that the test is linked with */
#define change_lock              preload_change_lock
#define change_unlock            preload_change_unlock
#define leave_uninterrupted_code preload_leave_uninterrupted_code
#define lock_for_fork            preload_lock_for_fork
#define unlock_after_fork        preload_unlock_after_fork
#include "../../preload/watch_lock.c"

void begin_child(void)
{
}

static const struct hook_table table = { .convention = CONVENTION_SYSV };
const struct hook_table *active_hooks = &table;

static volatile int quits, suspends, faults;
static volatile int quits_in_fault;    /* SIGQUITs that came while a fault was being handled */
static volatile int in_fault;
static uintptr_t resume_at;            /* where a fault goes on; 0: it is tried again */
static unsigned int status;            /* what the program gets then; 0: nothing */
static char *page, *hole;              /* the latter of a file that has become shorter */

static void quit( int sig, siginfo_t *info, void *context )
{
    (void)sig, (void)info, (void)context;
    quits++;
    if (in_fault) quits_in_fault++;
}

static void suspend( int sig, siginfo_t *info, void *context )
{
    (void)sig, (void)info, (void)context;
    suspends++;
}

/* as Wine does it: the status is the second argument of what returns to the program */
static void return_to_program( ucontext_t *context )
{
#ifdef __i386__
    static unsigned int arguments[3];

    arguments[2] = status;
    context->uc_mcontext.gregs[REG_ESP] = (uintptr_t)arguments;
#else
    if (status) context->uc_mcontext.gregs[REG_RSI] = status;
#endif
    context_resume( context, resume_at, 0 );
}

/* Wine's looks at the fault, with a lock held, and returns to the program at another place */
static void fault( int sig, siginfo_t *info, void *context )
{
    (void)sig, (void)info;
    in_fault = 1;
    faults++;
    raise( SIGQUIT );
    raise( SIGUSR1 );
    if (resume_at) return_to_program( context );
    else mprotect( page, 4096, PROT_READ | PROT_WRITE );
    in_fault = 0;
}

static void install( int sig, void (*handler)( int, siginfo_t *, void * ))
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

    /* as Wine has it: it blocks SIGUSR1 in its handlers, and not SIGQUIT */
    sigaddset( &action.sa_mask, SIGUSR1 );
    check( !sigaction( sig, &action, NULL ));
}

/* ThreadSanitizer keeps signals until the thread calls a function that it knows. */
static void take_signals(void)
{
    usleep( 1 );
}

/* sends both signals and says how many of them were taken */
static int send_both(void)
{
    int before = quits + suspends;

    raise( SIGQUIT );
    raise( SIGUSR1 );
    take_signals();
    return quits + suspends - before;
}

static void *other_thread( void *arg )
{
    (void)arg;
    check( send_both() == 2 );
    return NULL;
}

/* a thread is neither ended nor suspended with the lock held, and others are not kept from it */
static void test_lock(void)
{
    pthread_t thread;

    check( send_both() == 2 );
    owned_lock_acquire();
    check( send_both() == 0 );
    check( send_both() == 0 );
    check( !pthread_create( &thread, NULL, other_thread, NULL ) && !pthread_join( thread, NULL ));
    owned_lock_release();
    quits = suspends = 0;
    deliver_deferred_signals();
    take_signals();
    check( quits == 1 && suspends == 1 );
    deliver_deferred_signals();
    take_signals();
    check( quits == 1 && suspends == 1 );
}

/* what waited comes by each way out: that of the lock, and that of code that found nothing to do */
static void test_ways_out(void)
{
    quits = suspends = 0;
    change_lock();
    check( send_both() == 0 );
    change_unlock();
    take_signals();
    check( quits == 1 && suspends == 1 );

    owned_lock_acquire();
    check( send_both() == 0 );
    owned_lock_release();
    leave_uninterrupted_code();
    take_signals();
    check( quits == 2 && suspends == 2 );

    /* those that wait during a fork() are for the parent alone */
    lock_for_fork();
    check( send_both() == 0 );
    unlock_after_fork( 0 );
    take_signals();
    check( quits == 3 && suspends == 3 );
    lock_for_fork();
    check( send_both() == 0 );
    unlock_after_fork( 1 );
    deliver_deferred_signals();
    take_signals();
    check( quits == 3 && suspends == 3 );
}

/* nor while Wine looks at a fault; it has SIGUSR1 blocked itself */
static void test_fault(void)
{
    quits = suspends = faults = quits_in_fault = 0;
    check( !mprotect( page, 4096, PROT_NONE ));
    *(volatile char *)page = 1;
    take_signals();
    check( faults == 1 && quits == 1 && suspends == 1 );
    check( !quits_in_fault );
}

static void return_here(void)
{
    fprintf( stderr, "the program went on in the middle of a query\n" );
    _exit( FAIL );
}

/* a fault of the program's pointer in a query is the query's: it fails, or if Wine makes the access
 * possible it goes on */
static void test_access(void)
{
    uintptr_t value = 0;

    check( !mprotect( page, 4096, PROT_NONE ));
    resume_at = (uintptr_t)return_here;
    status = 0;
    check( user_load_pointer( page, &value ) == (int)STATUS_ACCESS_VIOLATION );
    check( user_store_pointer( page, 1 ) == (int)STATUS_ACCESS_VIOLATION );
    status = STATUS_GUARD_PAGE_VIOLATION;
    check( user_store32( page, 1 ) == (int)STATUS_GUARD_PAGE_VIOLATION );
    check( user_swap_pointer( page, 1, &value ) == (int)STATUS_GUARD_PAGE_VIOLATION );
    resume_at = 0;
    check( !user_store_pointer( page, 7 ) );
    check( !user_load_pointer( page, &value ) && value == 7 );
    status = 0;

    /* a fault that Wine can do nothing about */
    faults = 0;
    check( user_load_pointer( hole, &value ) == (int)STATUS_ACCESS_VIOLATION );
    check( user_store_pointer( hole, 1 ) == (int)STATUS_ACCESS_VIOLATION );
    check( !faults );
}

int main(void)
{
    int fd = unit_temp_file();
    struct sigaction action;

    check( fd != -1 );
    hole = mmap( NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( hole != MAP_FAILED );
    page = mmap( NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( page != MAP_FAILED );

    /* no handlers of Wine's: nothing is changed */
    check( guard_signals() == -1 );
    check( !sigaction( SIGSEGV, NULL, &action ) && action.sa_handler == SIG_DFL );

    install( SIGSEGV, fault );
    install( SIGBUS, fault );
    install( SIGTRAP, fault );
    install( SIGUSR1, suspend );
    install( SIGQUIT, quit );
    check( !guard_signals() );
    check( !guard_signals() );   /* once more does nothing */
    check( !sigaction( SIGUSR1, NULL, &action ) && action.sa_sigaction != suspend );
    check( sigismember( &action.sa_mask, SIGUSR1 ) == 1 );

    test_lock();
    test_ways_out();
    test_fault();
    test_access();
    return unit_result();
}
