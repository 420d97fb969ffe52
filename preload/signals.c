/*
 * Handles signals that arrive while a thread is in a query or a change
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "nt_types.h"
#include "preload.h"
#include "sys/cpu.h"
#include "sys/user_memory.h"
#include "wine_fault.h"

/* SIGUSR1 and SIGQUIT are deferred (defer.h). A fault in uninterrupted code means that the caller's
 * pointer is bad. Wine would return to the program from the middle of the query; we continue the
 * query with the status of the fault instead, so that it can clean up first. */

typedef void (*handler_func)( int, siginfo_t *, void * );

static handler_func wine_quit, wine_usr1, wine_segv, wine_bus, wine_trap;

static HANDLER void quit_handler( int sig, siginfo_t *info, void *context )
{
    if (!defer_signal( sig, context )) wine_quit( sig, info, context );
}

static HANDLER void usr1_handler( int sig, siginfo_t *info, void *context )
{
    if (!defer_signal( sig, context )) wine_usr1( sig, info, context );
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
