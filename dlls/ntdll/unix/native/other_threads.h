/*
 * What the C library keeps about other threads
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OTHER_THREADS_H
#define WRITEWATCH_OTHER_THREADS_H

#include <stdint.h>

/* Whether the kernel itself writes to [start, end) for a thread of this process: 0 or 1. Needs
 * /proc. No lock may be held, since the C library may take locks of its own. */
extern int threads_hold( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_OTHER_THREADS_H */
