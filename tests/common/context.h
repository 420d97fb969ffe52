/*
 * Where a signal interrupted a thread
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef TESTS_CONTEXT_H
#define TESTS_CONTEXT_H

#include <stdint.h>
#include <ucontext.h>

/* for programs outside the library, which cannot use its sys/cpu.h */
static inline uintptr_t get_counter( const ucontext_t *context )
{
#if defined(__x86_64__)
    return context->uc_mcontext.gregs[REG_RIP];
#elif defined(__i386__)
    return context->uc_mcontext.gregs[REG_EIP];
#elif defined(__aarch64__)
    return context->uc_mcontext.pc;
#endif
}

static inline void set_counter( ucontext_t *context, uintptr_t pc )
{
#if defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RIP] = pc;
#elif defined(__i386__)
    context->uc_mcontext.gregs[REG_EIP] = pc;
#elif defined(__aarch64__)
    context->uc_mcontext.pc = pc;
#endif
}

#endif /* TESTS_CONTEXT_H */
