/*
 * The NT types and statuses of the entry points: those of the public header
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_NT_TYPES_H
#define WRITEWATCH_NT_TYPES_H

#include "writewatch_windows.h"

#endif /* WRITEWATCH_NT_TYPES_H */
