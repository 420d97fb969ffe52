/*
 * A sequence as a program for the headers of the conformance tests
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TESTS_PRINT_H
#define WRITEWATCH_TESTS_PRINT_H

#include "op.h"
#include "platform.h"

/* In this order; before and after are called for each step. */
extern void print_head(void);
extern void print_before( const struct op *op );
extern void print_after( NTSTATUS expect );
extern void print_state(void);
extern void print_tail(void);

#endif /* WRITEWATCH_TESTS_PRINT_H */
