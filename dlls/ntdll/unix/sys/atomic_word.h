/*
 * A word of 64 bits that changes in one step
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_ATOMIC_WORD_H
#define WRITEWATCH_ATOMIC_WORD_H

#include <stdint.h>

/* without the attribute it may lie across two cache lines in a 32-bit program */
typedef uint64_t atomic_word __attribute__((aligned(8)));

#endif /* WRITEWATCH_ATOMIC_WORD_H */
