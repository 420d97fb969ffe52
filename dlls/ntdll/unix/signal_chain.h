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

/* A signal, our handler of it, and what the program had or put in its place, oldest first. */
struct signal_chain
{
    int              sig;
    void           (*handler)( int sig, siginfo_t *info, void *context );
    unsigned int     replaced;     /* how often the program has put its own in the place of ours */
    unsigned int     count;        /* never becomes less */
    struct sigaction actions[MAX_CHAIN];
};

/* Puts our handler first, if it is not. Returns 0 or -errno. One thread at a time. */
extern int signal_chain_install( struct signal_chain *chain );

/* whether it is first */
extern int signal_chain_is_first( const struct signal_chain *chain );

/* What our handler does with a signal that is not for us. frame is its __builtin_frame_address( 0 ). */
extern void signal_chain_next( struct signal_chain *chain, siginfo_t *info, void *context, void *frame );

#endif /* WRITEWATCH_SIGNAL_CHAIN_H */
