/*
 * Whether memory may be written, asked without writing it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WRITABLE_H
#define WRITEWATCH_WRITABLE_H

#include <stdint.h>

extern void writable_open(void);
extern void writable_close(void);

/* Set by a backend that takes write access away, so that the kernel alone cannot tell any more.
 * Returns where the run of pages ends, from start on, of which it knows the same: that the program
 * may write to them (*writable is 1), may not (0), or nothing (-1). In a query, without a lock. */
extern uintptr_t (*may_write)( uintptr_t start, uintptr_t end, int *writable );

/* Returns 0 only if some of [start, end) surely cannot be written. Uninterrupted code. */
extern int is_writable( uintptr_t start, uintptr_t end );

/* whether all of a range is known to be mapped for writing, and to no file,
 * whose end may be missing */
extern int is_plain_memory( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_WRITABLE_H */
