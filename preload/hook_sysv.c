/*
 * The system calls of Wine, as in 10.0: called by the convention of Unix
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define WINAPI          __attribute__((sysv_abi))
#define HOOK_TABLE      hooks_sysv
#define CONVENTION_NAME "sysv_abi"
#define STATUS_REGISTER REG_RSI     /* the second argument of what returns to the program */

#include "hook_body.h"
