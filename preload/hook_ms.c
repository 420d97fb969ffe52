/*
 * Hooks for the Windows calling convention, which Wine's system calls use up to some 9.x
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define WINAPI          __attribute__((ms_abi))
#define HOOK_TABLE      hooks_ms
#define CONVENTION_NAME "ms_abi"
#define STATUS_REGISTER REG_RDX     /* second argument of the return to the program */

#include "hook_body.h"
