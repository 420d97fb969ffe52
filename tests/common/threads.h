/*
 * Threads, on each system
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_THREADS_H
#define WRITEWATCH_THREADS_H

/* A thread, and waiting for its end. NULL if there is none to be had. */
extern void *start_thread( void (*func)( void *arg ), void *arg );
extern void join_thread( void *thread );

/* lets others run */
extern void yield_thread(void);

#endif /* WRITEWATCH_THREADS_H */
