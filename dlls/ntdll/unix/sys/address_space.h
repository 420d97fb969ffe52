/*
 * What lies at an address, and where there is room
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_ADDRESS_SPACE_H
#define WRITEWATCH_ADDRESS_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include "sys/cpu.h"
#include "sys/maps.h"

/* The last address that a program can have. AArch64 has kernels with fewer bits than others, and
 * processors with fewer than the kernel could use. */
#ifdef __aarch64__
extern uintptr_t address_space_last(void);
#else
static inline uintptr_t address_space_last(void)
{
    return CPU_LAST_ADDRESS;
}
#endif

/* The first mapping that ends above an address. Returns 1, 0 if there is none, or -errno. */
extern int find_mapping( uintptr_t addr, struct mapping *mapping );

/* A free range of a size within [low, high): the lowest or the highest aligned address. Returns 0
 * if there is none. Another thread may map something there before the caller does. */
extern uintptr_t find_free_range( size_t size, uintptr_t low, uintptr_t high, size_t align,
                                  int top_down );

#endif /* WRITEWATCH_ADDRESS_SPACE_H */
