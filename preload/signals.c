/*
 * Signals that suspend or end a thread, and faults, while it is in a query
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
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"

/* Wine suspends a thread by SIGUSR1 and ends it by SIGQUIT, wherever it is. In a query that would
 * keep or lose pages that were taken from the kernel and not yet handed over; on Windows a system
 * call is never left half done. So these two wait until the thread has come out of uninterrupted
 * code, and has let go of the lock of those who change what is watched. A fault in uninterrupted
 * code means that the caller's pointer is bad; Wine would return to the program from the middle of
 * the query, and we go on with the status of the fault instead, to put things right first.
 *
 * The handlers run on any stack and with any segment registers, like Wine's own: before they know
 * that the thread is in our code they use neither thread-local storage nor a stack protector. */

#define HANDLER __attribute__((noinline, no_stack_protector))

typedef void (*handler_func)( int, siginfo_t *, void * );

static handler_func wine_quit, wine_usr1, wine_segv, wine_bus, wine_trap;

/* one bit for each signal that this thread has yet to take */
static __thread volatile unsigned int deferred;

#ifdef __x86_64__
static inline uintptr_t get_pc( const ucontext_t *context )
{
    return context->uc_mcontext.gregs[REG_RIP];
}
#endif

static __attribute__((noinline)) void defer( int sig )
{
    deferred |= 1u << sig;
}

/* whether the thread must not be stopped where it is */
static HANDLER int must_go_on( const ucontext_t *context )
{
    return in_uninterrupted_code( get_pc( context )) || owned_lock_is_held();
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
 * Wine returns the status of a fault in a system call to the program, by a register that it sets in
 * the context. Without one that is a warning or an error the fault is an access violation.
 */
static __attribute__((noinline)) int get_fault_status( const ucontext_t *context )
{
    unsigned int status = context->uc_mcontext.gregs[active_hooks->status_register];

    return status >= 0x80000000 && (int)status < -MAX_ERRNO ? (int)status : STATUS_ACCESS_VIOLATION;
}

/***********************************************************************
 *           access_fault
 *
 * Wine comes first: the fault may be one that it resolves, as for memory which it watches itself,
 * or a guard page, which ends with it. If it resolved nothing it has set up the return to the
 * program, and that is what we take back.
 */
static __attribute__((noinline)) void access_fault( int sig, siginfo_t *info, ucontext_t *context )
{
    ucontext_t saved;
    int status;

    memcpy( saved.uc_mcontext.gregs, context->uc_mcontext.gregs, sizeof(saved.uc_mcontext.gregs) );
    context->uc_mcontext.gregs[active_hooks->status_register] = 0;
    wine_segv( sig, info, context );
    status = get_pc( context ) == get_pc( &saved ) ? 0 : get_fault_status( context );
    memcpy( context->uc_mcontext.gregs, saved.uc_mcontext.gregs, sizeof(saved.uc_mcontext.gregs) );
    if (status) user_access_fail( context, status );
}

static HANDLER void segv_handler( int sig, siginfo_t *info, void *context )
{
    if (is_user_access( get_pc( context ))) access_fault( sig, info, context );
    else wine_segv( sig, info, context );
}

/* A page of a mapped file that is not there any more. Wine can do nothing about it, and might try
 * again for ever, as the page is writable for all that it knows. Alignment is its business. */
static HANDLER void bus_handler( int sig, siginfo_t *info, void *context )
{
    if (info->si_code > 0 && info->si_code != BUS_ADRALN && is_user_access( get_pc( context )))
        user_access_fail( context, STATUS_ACCESS_VIOLATION );
    else wine_bus( sig, info, context );
}

/* A data breakpoint of the program on what a query stores. As on Windows, system calls do not meet
 * breakpoints; and Wine's handler may be ended by SIGQUIT, in the middle of the query. */
static HANDLER void trap_handler( int sig, siginfo_t *info, void *context )
{
    if (!must_go_on( context )) wine_trap( sig, info, context );
}

/***********************************************************************
 *           guard_signal
 *
 * Puts a handler before Wine's, which it calls or jumps to. Flags and masks remain, except that a
 * fault is not left half done: Wine takes a lock to look at it and blocks its other signals, but
 * would let the thread be ended with the lock held.
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
 * Done when memory is first watched: Wine has set up its handlers by then, and a process that
 * watches nothing keeps them as they are. Returns 0, or -1 if there is no handler of Wine's.
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
 * To be called after each piece of uninterrupted code, outside of it and without the lock: what
 * arrives from now on is not deferred, and what arrived before has been noted. May not return.
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
 * In a child by fork().
 */
void forget_deferred_signals(void)
{
    deferred = 0;
}
