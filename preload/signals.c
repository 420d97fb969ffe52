/*
 * Handles signals that arrive while a thread is in a query or a change
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "nt_types.h"
#include "owned_lock.h"
#include "preload.h"
#include "sys/cpu.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"
#include "wine_fault.h"

/* Wine suspends a thread with SIGUSR1 and ends it with SIGQUIT at any instruction. In a query that
 * would delay or lose pages that were taken from the kernel but not yet handed over; on Windows a
 * system call never stops halfway. So both signals are deferred until the thread has left
 * uninterrupted code and has released the lock for changes. A fault in uninterrupted code means
 * that the caller's pointer is bad. Wine would return to the program from the middle of the query;
 * we continue the query with the status of the fault instead, so that it can clean up first.
 *
 * Like Wine's handlers, ours run on any stack and with any segment registers: until they know that
 * the thread is in our code they use neither thread-local storage nor a stack protector. */

#define HANDLER __attribute__((noinline, no_stack_protector))

typedef void (*handler_func)( int, siginfo_t *, void * );

static handler_func wine_quit, wine_usr1, wine_segv, wine_bus, wine_trap;

/* one bit for each deferred signal of this thread */
static __thread volatile unsigned int deferred;

static __attribute__((noinline)) void defer( int sig )
{
    deferred |= 1u << sig;
}

/* whether the thread must not be stopped here */
static HANDLER int must_go_on( const ucontext_t *context )
{
    return in_uninterrupted_code( context ) || owned_lock_is_held();
}

static HANDLER void quit_handler( int sig, siginfo_t *info, void *context )
{
    if (must_go_on( context )) defer( sig );
    else wine_quit( sig, info, context );
}

static HANDLER void usr1_handler( int sig, siginfo_t *info, void *context )
{
    if (must_go_on( context )) defer( sig );
    else wine_usr1( sig, info, context );
}

/***********************************************************************
 *           get_fault_status
 *
 * Wine returns the status of a fault in a system call to the program. If it cannot be found, the
 * fault is an access violation.
 */
static __attribute__((noinline)) int get_fault_status( const ucontext_t *context )
{
    unsigned int status = wine_fault_status( context );

    return status >= 0x80000000 && (int)status < -MAX_ERRNO ? (int)status : STATUS_ACCESS_VIOLATION;
}

/***********************************************************************
 *           access_fault
 *
 * Wine's handler runs first: it may resolve the fault, for example in memory that Wine watches
 * itself, or clear a guard page. If it does not resolve the fault, it sets up the return to the
 * program, and we undo that.
 */
static __attribute__((noinline)) void access_fault( int sig, siginfo_t *info, ucontext_t *context )
{
    ucontext_t saved;
    int status;

    memcpy( saved.uc_mcontext.gregs, context->uc_mcontext.gregs, sizeof(saved.uc_mcontext.gregs) );
    wine_fault_prepare( context );
    wine_segv( sig, info, context );
    status = context_pc( context ) == context_pc( &saved ) ? 0 : get_fault_status( context );
    memcpy( context->uc_mcontext.gregs, saved.uc_mcontext.gregs, sizeof(saved.uc_mcontext.gregs) );
    if (status) user_access_fail( context, status );
}

static HANDLER void segv_handler( int sig, siginfo_t *info, void *context )
{
    if (is_user_access( context_pc( context ))) access_fault( sig, info, context );
    else wine_segv( sig, info, context );
}

/* A mapped file no longer has the page. Wine cannot resolve that and might retry forever, as it
 * takes the page for writable. Alignment faults are left to Wine. */
static HANDLER void bus_handler( int sig, siginfo_t *info, void *context )
{
    if (info->si_code > 0 && info->si_code != BUS_ADRALN && is_user_access( context_pc( context )))
        user_access_fail( context, STATUS_ACCESS_VIOLATION );
    else wine_bus( sig, info, context );
}

/* The program has a data breakpoint on memory that a query stores to. As on Windows, system calls
 * do not trigger breakpoints; besides, SIGQUIT could end Wine's handler in a query. */
static HANDLER void trap_handler( int sig, siginfo_t *info, void *context )
{
    if (!must_go_on( context )) wine_trap( sig, info, context );
}

/***********************************************************************
 *           guard_signal
 *
 * Installs a handler that passes signals on to Wine's. Flags and mask stay the same, with one
 * exception. Wine takes a lock to look at a fault and blocks its other signals meanwhile, but not
 * SIGQUIT, which could end the thread with the lock held; so we block that signal too.
 */
static int guard_signal( int sig, handler_func handler, handler_func *wine )
{
    struct sigaction action;

    if (sigaction( sig, NULL, &action )) return -1;
    if (!(action.sa_flags & SA_SIGINFO) || !action.sa_sigaction) return -1;
    if (action.sa_sigaction == handler) return 0;
    *wine = action.sa_sigaction;
    action.sa_sigaction = handler;
    if (sig == SIGSEGV || sig == SIGBUS) sigaddset( &action.sa_mask, SIGQUIT );
    return sigaction( sig, &action, NULL );
}

/***********************************************************************
 *           guard_signals
 *
 * Called when memory is first watched: Wine has installed its handlers by then, and in a process
 * that watches nothing they stay in place. Returns 0, or -1 if a handler of Wine's is missing.
 */
int guard_signals(void)
{
    if (guard_signal( SIGSEGV, segv_handler, &wine_segv )) return -1;
    if (guard_signal( SIGBUS, bus_handler, &wine_bus )) return -1;
    if (guard_signal( SIGTRAP, trap_handler, &wine_trap )) return -1;
    if (guard_signal( SIGUSR1, usr1_handler, &wine_usr1 )) return -1;
    return guard_signal( SIGQUIT, quit_handler, &wine_quit );
}

/***********************************************************************
 *           deliver_deferred_signals
 *
 * Sends the deferred signals again. Call it after each piece of uninterrupted code, outside of such
 * code and without the lock: later signals are not deferred, earlier ones have been recorded. Does
 * not return if one of them ends the thread.
 */
void deliver_deferred_signals(void)
{
    unsigned int signals = deferred;

    if (!signals) return;
    deferred = 0;
    if (signals & (1u << SIGUSR1)) syscall( SYS_tgkill, getpid(), syscall( SYS_gettid ), SIGUSR1 );
    if (signals & (1u << SIGQUIT)) syscall( SYS_tgkill, getpid(), syscall( SYS_gettid ), SIGQUIT );
}

/***********************************************************************
 *           forget_deferred_signals
 *
 * For the child of a fork().
 */
void forget_deferred_signals(void)
{
    deferred = 0;
}
