/*
 * Memory that serving a fault needs, and that no fault backend can watch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OWN_MEMORY_H
#define WRITEWATCH_OWN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct watch_region;

/* Data of the library's other parts, or what the C library keeps about a thread. */
enum own_memory { OWN_NOTHING, OWN_DATA, OWN_THREAD };

/* Before this thread watches memory: finds out what of that kind the memory holds, for
 * own_memory_check(), beside what the caller has found. And after: forgets it. No lock may be held,
 * since the C library may take locks of its own. */
extern void own_memory_look( uintptr_t start, uintptr_t end, enum own_memory holds );
extern void own_memory_forget(void);

/* Whether a region that is being attached holds any of it: 0, or -EDEADLK. Change lock held. */
extern int own_memory_check( const struct watch_region *region );

/* Whether a new thread could not begin on this stack: what it writes to first is watched by a
 * backend that needs signals. Takes a lock of the C library's, unless base is NULL. */
extern int own_memory_refuses_stack( const void *base, size_t size );

/* why memory was last refused; "" if it never was */
extern const char *own_memory_notice(void);

#endif /* WRITEWATCH_OWN_MEMORY_H */
