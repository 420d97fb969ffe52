/*
 * The backends of the preload library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stddef.h>

#include "engine/backend.h"
#include "engine/host.h"
#include "scan/scan.h"

/* Backends that work by faults would need Wine's signal handlers, and would make Wine's system
 * calls on watched memory fail. */
const struct watch_backend * const backend_list[] =
{
    &scan_backend,
    &scan_marked_backend,
    NULL
};
