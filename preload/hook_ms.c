/*
 * Hooks for the Windows calling convention, which Wine's system calls use up to some 9.x
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifdef __i386__
#define WINAPI          __attribute__((stdcall))
#else
#define WINAPI          __attribute__((ms_abi))
#endif
#define HOOK_TABLE      hooks_ms
#define CONVENTION      CONVENTION_MS

#include "hook_body.h"
