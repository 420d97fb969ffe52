/*
 * The benchmark: time, threads and page tables, on Windows and natively
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_BENCH_SYSTEM_H
#define WRITEWATCH_BENCH_SYSTEM_H

/* nanoseconds since some point of time */
extern double now_ns(void);

extern void sleep_ms( unsigned int ms );

/* Threads end the program when they cannot be had. */
struct thread;
extern struct thread *start_thread( void (*func)( void *arg ), void *arg );
extern void join_thread( struct thread *thread );

/* The page tables of this process, KiB, or -1 if they cannot be found out. Under Wine the process
 * is looked for in /proc by the tag, which must stand on its command line. */
extern double page_tables_kib( const char *tag );

#endif /* WRITEWATCH_BENCH_SYSTEM_H */
