/*
 * Hooks for the Unix calling convention, which Wine's system calls use in 10.0
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define WINAPI                      /* the compiler's own */
#define HOOK_TABLE      hooks_sysv
#define CONVENTION      CONVENTION_SYSV

#include "hook_body.h"
