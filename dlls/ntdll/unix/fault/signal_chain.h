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

/* A handler that the program had before ours or installed over it. It may be running, so it is
 * never changed. */
struct chained_action
{
    struct sigaction action;
    int              older;    /* the next older one; -1: none */
    int              spent;    /* was for one signal (SA_RESETHAND), which has come */
};

/* A signal, our handler for it, and those of the program, each recorded once. When the program
 * restores one that it had before, that one is the newest again. */
struct signal_chain
{
    int                   sig;
    void                (*handler)( int sig, siginfo_t *info, void *context );
    unsigned int          replaced;    /* how often the program replaced ours */
    int                   full;        /* ours could not be put back: too many others */
    int                   count;
    int                   newest;      /* the program's present one */
    struct chained_action chained[MAX_CHAIN];
};

/* Puts our handler first, if it is not. Returns 0 or -errno: -EBUSY if the program has had
 * MAX_CHAIN different ones. One thread at a time. */
extern int signal_chain_install( struct signal_chain *chain );

/* whether it is first */
extern int signal_chain_is_first( const struct signal_chain *chain );

/* Our handler calls this for a signal that is not ours. frame is its
 * __builtin_frame_address( 0 ). */
extern void signal_chain_next( struct signal_chain *chain, siginfo_t *info, void *context,
                               void *frame );

#endif /* WRITEWATCH_SIGNAL_CHAIN_H */
