/*
 * Blocking signals while a lock is held
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_SIGNALS_H
#define WRITEWATCH_SIGNALS_H

#include <signal.h>

/* A handler of the program that runs while this thread holds a lock may call the library and wait
 * for that lock. The mask is that of the calling thread: on Linux sigprocmask() is
 * pthread_sigmask(), which is in libc itself only since glibc 2.32. */
static inline void block_all_signals( sigset_t *old )
{
    sigset_t all;

    sigfillset( &all );
    sigprocmask( SIG_BLOCK, &all, old );
}

/* for code that may touch watched memory: the kernel ends a process that blocks a fault */
static inline void block_all_but_faults( sigset_t *old )
{
    sigset_t most;

    sigfillset( &most );
    sigdelset( &most, SIGSEGV );
    sigdelset( &most, SIGBUS );
    sigprocmask( SIG_BLOCK, &most, old );
}

static inline void restore_signals( const sigset_t *old )
{
    sigprocmask( SIG_SETMASK, old, NULL );
}

#endif /* WRITEWATCH_SIGNALS_H */
