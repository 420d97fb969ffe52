/*
 * What depends on the processor
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CPU_H
#define WRITEWATCH_CPU_H

/* A processor has a directory in sys/arch/ with this header and user_memory.S. */
#if defined(__x86_64__)
#include "sys/arch/x86_64/cpu.h"
#elif defined(__aarch64__)
#include "sys/arch/aarch64/cpu.h"
#else
#error sys/cpu.h does not know this processor yet
#endif

#endif /* WRITEWATCH_CPU_H */
