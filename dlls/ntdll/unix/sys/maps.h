/*
 * Which mappings there are, and their protection
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MAPS_H
#define WRITEWATCH_MAPS_H

#include <stdint.h>

/* Calls back for each mapping or part of one in [start, end), ascending. Returns 0, -errno, or what
 * the callback returned if that was not 0. -ENOMEM: some of the range is not mapped.
 * Writers' lock held. */
extern int maps_for_each( uintptr_t start, uintptr_t end,
                          int (*callback)( uintptr_t start, uintptr_t end, int prot ) );

/* The same for all mappings that there are. One thread at a time. */
extern int maps_for_all( int (*callback)( uintptr_t start, uintptr_t end, int prot ) );

#endif /* WRITEWATCH_MAPS_H */
