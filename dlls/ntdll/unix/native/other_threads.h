/*
 * What the C library keeps about other threads
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OTHER_THREADS_H
#define WRITEWATCH_OTHER_THREADS_H

#include <stdint.h>

/* Whether [start, end) has memory that the kernel writes to for any thread of this process, this
 * one included; 1 also for what lies between such places. 0 without /proc, and where the C library
 * names no list of robust mutexes to the kernel (musl). No lock may be held, since the C library
 * may take locks of its own. */
extern int threads_hold( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_OTHER_THREADS_H */
