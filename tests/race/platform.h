/*
 * What the race test needs of the system beside the calls under test
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file for each system stands behind this; nothing else asks which one it is.
 */

#ifndef WRITEWATCH_RACE_PLATFORM_H
#define WRITEWATCH_RACE_PLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <windows.h>

/* Opens the library. Returns NULL and what is tested, or a sentence why nothing can be. */
extern const char *platform_open( const char **name );

/* Lets the library know nothing of blocks, so that it always asks the kernel exactly. Returns 0 if
 * it is not in this program. */
extern int claim_sparse(void);

/* A thread, and waiting for its end. Without one the test cannot go on: NULL. */
extern void *start_thread( void (*func)( void *arg ), void *arg );
extern void join_thread( void *thread );

/* Lets others run; sleeps. */
extern void yield_thread(void);
extern void sleep_ms( unsigned int ms );

/* since some moment */
extern uint64_t microseconds(void);

/* A system call that copies a word to the calling thread's memory. Returns 1 if it was written. */
extern int write_by_read( void *addr, uint32_t value );

/* One that writes to the memory of any process. */
extern int write_to_process( void *addr, uint32_t value );

/* Moves pages out of memory where there is swap. Returns 0 if this system has no such call. */
extern int page_out( void *addr, size_t size );

#endif /* WRITEWATCH_RACE_PLATFORM_H */
