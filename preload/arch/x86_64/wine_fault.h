/*
 * The status of a fault on x86-64: the second argument of Wine's way back to the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WINE_FAULT_X86_64_H
#define WRITEWATCH_WINE_FAULT_X86_64_H

#include <ucontext.h>

#include "../../preload.h"

static inline int wine_status_register(void)
{
    return active_hooks->convention == CONVENTION_MS ? REG_RDX : REG_RSI;
}

static inline void wine_fault_prepare( ucontext_t *context )
{
    context->uc_mcontext.gregs[wine_status_register()] = 0;
}

static inline unsigned int wine_fault_status( const ucontext_t *context )
{
    return context->uc_mcontext.gregs[wine_status_register()];
}

#endif /* WRITEWATCH_WINE_FAULT_X86_64_H */
