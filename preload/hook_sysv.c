/*
 * Hooks for the Unix calling convention, which Wine's system calls use in 10.0
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define WINAPI          __attribute__((sysv_abi))
#define HOOK_TABLE      hooks_sysv
#define CONVENTION_NAME "sysv_abi"
#define STATUS_REGISTER REG_RSI     /* second argument of the return to the program */

#include "hook_body.h"
