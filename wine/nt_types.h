/*
 * The NT types and statuses of the entry points: Wine's own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_NT_TYPES_H
#define WRITEWATCH_NT_TYPES_H

#include <stdarg.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winnt.h"
#include "winternl.h"

#endif /* WRITEWATCH_NT_TYPES_H */
