/*
 * The status of a fault on i386: the second argument of Wine's way back to the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WINE_FAULT_I386_H
#define WRITEWATCH_WINE_FAULT_I386_H

#include <stdint.h>
#include <ucontext.h>

/* Wine's handler moves the stack pointer to the start of the stack of the system call, where it
 * writes a return address and two arguments. What was there are arguments of the hook that the
 * program has called: hook_body.h passes them on by value, and uses none of them after a fault. */
static inline void wine_fault_prepare( ucontext_t *context )
{
    (void)context;
}

static inline unsigned int wine_fault_status( const ucontext_t *context )
{
    return ((const unsigned int *)(uintptr_t)context->uc_mcontext.gregs[REG_ESP])[2];
}

#endif /* WRITEWATCH_WINE_FAULT_I386_H */
