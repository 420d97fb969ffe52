/*
 * i386: where system calls enter the kernel
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <sys/auxv.h>

#include "sys/cpu.h"

const void *cpu_entry;

void cpu_init(void)
{
    cpu_entry = (const void *)getauxval( AT_SYSINFO );
}
