/*
 * Memory that is needed to serve a fault, and cannot be watched by faults
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OWN_MEMORY_H
#define WRITEWATCH_OWN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct watch_region;

/* Finds out what of it the program's memory holds, before it is watched by this thread, and forgets
 * that again. Without any lock, as the C library may take some of its own. */
extern void own_memory_look( uintptr_t start, uintptr_t end );
extern void own_memory_forget(void);

/* Whether a region that is being attached holds any of it: 0, or -EDEADLK. Writers' lock held. */
extern int own_memory_check( const struct watch_region *region );

/* why memory was refused last, "" if none was */
extern const char *own_memory_notice(void);

#endif /* WRITEWATCH_OWN_MEMORY_H */
