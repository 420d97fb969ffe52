/*
 * Time, and pages in memory, on each system
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file for each system stands behind this and threads.h.
 */

#ifndef WRITEWATCH_SYSTEM_H
#define WRITEWATCH_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

/* since some moment */
extern uint64_t microseconds(void);

extern void sleep_ms( unsigned int ms );

/* Moves pages out of memory; without swap they stay, having lost their recent use. Returns 0 if
 * this system has no such call. */
extern int page_out( void *addr, size_t size );

#endif /* WRITEWATCH_SYSTEM_H */
