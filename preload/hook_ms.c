/*
 * The system calls of Wine, as up to some 9.x: called by the convention of Windows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define WINAPI          __attribute__((ms_abi))
#define HOOK_TABLE      hooks_ms
#define CONVENTION_NAME "ms_abi"
#define STATUS_REGISTER REG_RDX     /* the second argument of what returns to the program */

#include "hook_body.h"
