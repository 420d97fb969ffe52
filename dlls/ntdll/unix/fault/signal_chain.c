/*
 * Signal handlers before those of the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "fault/signal_chain.h"
#include "sys/raw_syscall.h"
#include "sys/signals.h"

/* The program may have installed its handler over ours and call ours from it. We call that handler,
 * and so on for ever, unless the second call is recognised: it has the context of the signal that
 * we passed on, and its frame is deeper in the stack than the first one. It is passed on to the
 * next older handler. A handler may also have left by longjmp(): a new signal in the same place
 * then has the same frame again. */
static __thread struct
{
    void        *context;
    char        *frame;
    int          index;    /* the one that is running */
} passed;

int signal_chain_is_first( const struct signal_chain *chain )
{
    struct sigaction action;

    return !sigaction( chain->sig, NULL, &action ) && (action.sa_flags & SA_SIGINFO) &&
           action.sa_sigaction == chain->handler;
}

/* libc leaves garbage in the part of a mask that is beyond the signals of the kernel */
static int is_same( const struct sigaction *left, const struct sigaction *right )
{
    return left->sa_sigaction == right->sa_sigaction && left->sa_flags == right->sa_flags &&
           !memcmp( &left->sa_mask, &right->sa_mask, NSIG / 8 );
}

/***********************************************************************
 *           note_action
 *
 * Records a handler of the program as the one that signals are passed on to. Returns 0 or -EBUSY.
 */
static int note_action( struct signal_chain *chain, const struct sigaction *action )
{
    int i = 0;

    while (i < chain->count && !is_same( &chain->chained[i].action, action )) i++;
    if (i == MAX_CHAIN)
    {
        chain->full = 1;
        return -EBUSY;
    }
    if (i == chain->count)
    {
        chain->chained[i].action = *action;
        chain->chained[i].older  = chain->count ? chain->newest : -1;
    }
    chain->chained[i].spent = 0;
    if (chain->count) chain->replaced++;
    __atomic_store_n( &chain->newest, i, __ATOMIC_RELEASE );
    if (i == chain->count) chain->count++;
    return 0;
}

/***********************************************************************
 *           signal_chain_install
 *
 * The present handler is recorded before ours replaces it, so that every signal can be passed on.
 * Ours blocks all signals: a handler that touches watched memory would enter it again. It runs on
 * the alternate stack, if the thread has one, as the stack itself may be watched.
 */
int signal_chain_install( struct signal_chain *chain )
{
    struct sigaction ours, action;

    memset( &ours, 0, sizeof(ours) );
    ours.sa_sigaction = chain->handler;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset( &ours.sa_mask );

    for (;;)
    {
        if (sigaction( chain->sig, NULL, &action )) return -errno;
        if ((action.sa_flags & SA_SIGINFO) && action.sa_sigaction == chain->handler) break;
        if (note_action( chain, &action )) return -EBUSY;
        if (sigaction( chain->sig, &ours, NULL )) return -errno;
    }
    chain->full = 0;
    return 0;
}

/***********************************************************************
 *           act_by_default
 *
 * No handler is left: the signal ends the process. A core file has the state of the fault.
 */
static void act_by_default( int sig, const siginfo_t *info )
{
    struct sigaction action;

    memset( &action, 0, sizeof(action) );
    action.sa_handler = SIG_DFL;
    sigaction( sig, &action, NULL );
    /* a fault repeats when we return; a signal that was sent does not */
    if (info->si_code <= 0)
        raw_syscall3( SYS_tgkill, raw_syscall3( SYS_getpid, 0, 0, 0 ),
                      raw_syscall3( SYS_gettid, 0, 0, 0 ), sig );
}

/* Blocks what the program asked to have blocked in its handler, but not the signals of faults: a
 * handler that writes to watched memory would end the process, which it would not without us. */
static void block_as_asked( int sig, const struct sigaction *action, const ucontext_t *context )
{
    sigset_t mask = action->sa_mask;
    int i;

    for (i = 1; i < NSIG; i++)
        if (sigismember( &context->uc_sigmask, i ) == 1) sigaddset( &mask, i );
    if (!(action->sa_flags & SA_NODEFER)) sigaddset( &mask, sig );
    sigdelset( &mask, SIGSEGV );
    sigdelset( &mask, SIGBUS );
    sigprocmask( SIG_SETMASK, &mask, NULL );
}

void signal_chain_next( struct signal_chain *chain, siginfo_t *info, void *context, void *frame )
{
    __typeof__( passed ) previous = passed;
    struct chained_action *chained;
    const struct sigaction *action;
    sigset_t mask;

    if (passed.context == context && (char *)frame < passed.frame)
    {
        if (chain->chained[passed.index].older < 0)
        {
            act_by_default( chain->sig, info );
            return;
        }
        passed.index = chain->chained[passed.index].older;
    }
    else
    {
        passed.context = context;
        passed.frame   = frame;
        passed.index   = __atomic_load_n( &chain->newest, __ATOMIC_ACQUIRE );
    }
    chained = &chain->chained[passed.index];
    action = &chained->action;

    if (chained->spent) act_by_default( chain->sig, info );
    else if (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN)
    {
        /* a fault cannot be ignored */
        if (action->sa_handler == SIG_DFL || info->si_code > 0) act_by_default( chain->sig, info );
    }
    else
    {
        void (*handler)( int, siginfo_t *, void * ) = action->sa_sigaction;

        if (action->sa_flags & SA_RESETHAND) chained->spent = 1;
        sigprocmask( SIG_SETMASK, NULL, &mask );
        block_as_asked( chain->sig, action, context );
        handler( chain->sig, info, context );
        restore_signals( &mask );
    }
    passed = previous;
}
