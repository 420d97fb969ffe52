/*
 * Making a sequence that fails as short as it can be
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TESTS_SHRINK_H
#define WRITEWATCH_TESTS_SHRINK_H

#include "op.h"

/* Runs a sequence in a process of its own, which says nothing, or prints the sequence as a program.
 * Returns whether it fails there. */
extern int sequence_fails( const struct ops *ops, int print );

/* Shortens a sequence that fails, and makes its numbers small. Returns how many runs it took. */
extern unsigned int shrink( struct ops *ops );

#endif /* WRITEWATCH_TESTS_SHRINK_H */
