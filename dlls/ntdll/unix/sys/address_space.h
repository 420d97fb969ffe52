/*
 * What the kernel says of this process's address space
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_ADDRESS_SPACE_H
#define WRITEWATCH_ADDRESS_SPACE_H

#include <stddef.h>
#include <stdint.h>

struct mapping
{
    uintptr_t start;
    uintptr_t end;
    int       prot;
    int       shared;
    int       file;    /* there is one behind it */
};

/* The first mapping that ends behind an address. Returns 0 if there is none, or -errno, or 1. */
extern int find_mapping( uintptr_t addr, struct mapping *mapping );

/* Where a range of that size is free within [low, high): the lowest or the highest aligned address.
 * Returns 0 if there is none. It may be taken before the caller gets there. */
extern uintptr_t find_free_range( size_t size, uintptr_t low, uintptr_t high, size_t align,
                                  int top_down );

#endif /* WRITEWATCH_ADDRESS_SPACE_H */
