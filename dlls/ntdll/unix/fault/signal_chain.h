/*
 * Signal handlers before those of the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_SIGNAL_CHAIN_H
#define WRITEWATCH_SIGNAL_CHAIN_H

#include <signal.h>

#define MAX_CHAIN 8

/* What the program had or put in the place of ours. It may be running, so it is never changed. */
struct chained_action
{
    struct sigaction action;
    int              older;    /* what the program finds behind it; -1: nothing */
    int              spent;    /* was for once (SA_RESETHAND), and has been called */
};

/* A signal, our handler of it, and those of the program, each noted once. A program that goes back
 * to one that it had before (save and restore) goes back in this list as well. */
struct signal_chain
{
    int                   sig;
    void                (*handler)( int sig, siginfo_t *info, void *context );
    unsigned int          replaced;    /* how often by one of the program */
    int                   full;        /* ours could not be put back: too many others */
    int                   count;
    int                   newest;      /* the program's present one */
    struct chained_action chained[MAX_CHAIN];
};

/* Puts our handler first, if it is not. Returns 0 or -errno: EBUSY if the program has had MAX_CHAIN
 * different ones. One thread at a time. */
extern int signal_chain_install( struct signal_chain *chain );

/* whether it is first */
extern int signal_chain_is_first( const struct signal_chain *chain );

/* What our handler does with a signal that is not for us.
 * frame is its __builtin_frame_address( 0 ). */
extern void signal_chain_next( struct signal_chain *chain, siginfo_t *info, void *context,
                               void *frame );

#endif /* WRITEWATCH_SIGNAL_CHAIN_H */
