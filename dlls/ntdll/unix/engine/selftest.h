/*
 * Proves that a backend reports what was written, and nothing else
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_SELFTEST_H
#define WRITEWATCH_SELFTEST_H

#include <stddef.h>

struct watch_backend;

/* Returns 0, or -errno and the reason. Takes about 100 us. */
extern int selftest_backend( const struct watch_backend *backend, char *reason, size_t len );

/* The same for a backend that works by faults, through the index of regions and queries;
 * selftest_faults.c, in native programs. The change lock is held, or there is one thread. */
extern int selftest_faults( const struct watch_backend *backend, char *reason, size_t len );

#endif /* WRITEWATCH_SELFTEST_H */
