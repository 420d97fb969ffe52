/*
 * What depends on the processor
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CPU_H
#define WRITEWATCH_CPU_H

/* A processor has a directory in sys/arch/ with this header and user_memory.S. */
#ifdef __x86_64__
#include "sys/arch/x86_64/cpu.h"
#elif defined(__i386__)
#include "sys/arch/i386/cpu.h"
#else
#error sys/cpu.h does not know this processor yet
#endif

/* the last address that a program can use */
#define CPU_LAST_ADDRESS (~(uintptr_t)0 >> (8 * sizeof(uintptr_t) - CPU_ADDRESS_BITS))

/* 64 bits that change in one step: without the attribute they may lie across two cache lines in a
 * 32-bit program */
typedef uint64_t atomic_word __attribute__((aligned(8)));

#endif /* WRITEWATCH_CPU_H */
