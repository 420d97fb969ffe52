/*
 * What depends on the processor
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CPU_H
#define WRITEWATCH_CPU_H

#include "sys/atomic_word.h"

/* A processor has a directory in sys/arch/ with this header and user_memory.S. */
#if defined(__x86_64__)
#include "sys/arch/x86_64/cpu.h"
#elif defined(__i386__)
#include "sys/arch/i386/cpu.h"
#elif defined(__aarch64__)
#include "sys/arch/aarch64/cpu.h"
#else
#error sys/cpu.h does not know this processor yet
#endif

/* the last address that a program can have: see also address_space_last() */
#define CPU_LAST_ADDRESS (~(uintptr_t)0 >> (8 * sizeof(uintptr_t) - CPU_ADDRESS_BITS))

/* The numbers of the lowest and the highest set bit, of which there is at least one. In a 32-bit
 * program the compiler's own ways call libgcc, outside of uninterrupted code. */
static inline __attribute__((always_inline)) unsigned int lowest_bit( uint64_t bits )
{
    if (sizeof(long) == sizeof(bits)) return __builtin_ctzl( bits );
    return (uint32_t)bits ? __builtin_ctz( bits ) : 32 + __builtin_ctz( bits >> 32 );
}

static inline __attribute__((always_inline)) unsigned int highest_bit( uint64_t bits )
{
    if (sizeof(long) == sizeof(bits)) return 63 - __builtin_clzl( bits );
    return bits >> 32 ? 63 - __builtin_clz( bits >> 32 ) : 31 - __builtin_clz( bits );
}

#endif /* WRITEWATCH_CPU_H */
