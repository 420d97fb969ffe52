/*
 * Random operations
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TESTS_GENERATE_H
#define WRITEWATCH_TESTS_GENERATE_H

#include "model.h"
#include "op.h"

/* The same seed gives the same numbers everywhere. */
extern void random_seed( uint64_t seed );
extern uint32_t random_below( uint32_t limit );

/* the next operation, which depends on what is allocated; number marks what it writes */
extern void generate( struct op *op, uint32_t number );

/* a watched region, or NULL if there is none */
extern struct view *random_region( struct space **space );

#endif /* WRITEWATCH_TESTS_GENERATE_H */
