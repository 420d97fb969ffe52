/*
 * The backends of native programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stddef.h>

#include "engine/backend.h"
#include "engine/host.h"
#include "fault/backends.h"
#include "scan/scan.h"

/* Best first. The last two are for comparison, and only used when requested by name. */
const struct watch_backend * const backend_list[] =
{
    &scan_backend,
    &scan_marked_backend,
    &sigbus_backend,
    &mprotect_backend,
    &thread_backend,
    &softdirty_backend,
    NULL
};

_Static_assert( sizeof(backend_list) / sizeof(backend_list[0]) <= MAX_BACKENDS + 1,
                "see backend.c" );
