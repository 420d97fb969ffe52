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

/* The program may have put its handler in the place of ours and call ours from it; we call it, and
 * so it would go on for ever. A call by a handler has the context of the signal that we passed on,
 * and lies deeper in the stack than the first one: it is then led to the next older handler. A
 * handler may also have been left by longjmp(): a new signal in the same place has the
 * same frame again. */
static __thread struct
{
    void        *context;
    char        *frame;
    int          index;    /* the one that is running */
} passed;

/***********************************************************************
 *           signal_chain_is_first
 */
int signal_chain_is_first( const struct signal_chain *chain )
{
    struct sigaction action;

    return !sigaction( chain->sig, NULL, &action ) && (action.sa_flags & SA_SIGINFO) &&
           action.sa_sigaction == chain->handler;
}

/* libc leaves anything in what the kernel has no signals for */
static int is_same( const struct sigaction *left, const struct sigaction *right )
{
    return left->sa_sigaction == right->sa_sigaction && left->sa_flags == right->sa_flags &&
           !memcmp( &left->sa_mask, &right->sa_mask, NSIG / 8 );
}

/***********************************************************************
 *           note_action
 *
 * Makes a handler of the program the one that signals are passed on to. Returns 0 or -EBUSY.
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
 * What is there is noted before ours takes its place, so that no signal finds nothing to be passed
 * on to. All signals are blocked in our handler: one whose handler touches watched memory would
 * come back to it. On the alternate stack, if the thread has one: the stack itself may be watched.
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
 * Nothing handles the signal: the process ends by it, with the state of the fault for a core file.
 */
static void act_by_default( int sig, const siginfo_t *info )
{
    struct sigaction action;

    memset( &action, 0, sizeof(action) );
    action.sa_handler = SIG_DFL;
    sigaction( sig, &action, NULL );
    /* a fault happens again when we return; what somebody has sent does not */
    if (info->si_code <= 0)
        raw_syscall3( SYS_tgkill, raw_syscall3( SYS_getpid, 0, 0, 0 ),
                      raw_syscall3( SYS_gettid, 0, 0, 0 ), sig );
}

/* The signals that the program would have blocked in its handler. Not those of faults, though: a
 * handler that writes to watched memory would end the process, as it would not without us. */
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

/***********************************************************************
 *           signal_chain_next
 */
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
