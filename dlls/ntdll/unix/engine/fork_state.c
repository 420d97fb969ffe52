/*
 * Whether this process is the one that opened the watches, or a child by fork()
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "engine/fork_state.h"

/* fork_open() puts a page in its place that the kernel clears in children */
static volatile int always_ours = FORK_OURS;

volatile int *fork_state = &always_ours;
