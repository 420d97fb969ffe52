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

/* A system call that copies a word to the calling thread's memory. Returns 1 if it was written. */
extern int write_by_read( void *addr, uint32_t value );

/* One that writes to the memory of any process. */
extern int write_to_process( void *addr, uint32_t value );

#endif /* WRITEWATCH_RACE_PLATFORM_H */
