/*
 * Ending a registration with userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNREGISTER_H
#define WRITEWATCH_UNREGISTER_H

#include <stddef.h>
#include <stdint.h>

/* Unregisters memory from uffd: the kernel opens the pages and wakes the threads that wait for
 * them. What belongs to another userfaultfd, in whole granules, stays as it is. Returns 0 or
 * -errno. Any thread, no lock, any signals. */
extern int unregister_own( int uffd, uintptr_t start, uintptr_t end, size_t granule );

#endif /* WRITEWATCH_UNREGISTER_H */
