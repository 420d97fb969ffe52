/*
 * Which backends there are, best first
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "backend.h"

static const struct watch_backend * const backends[] =
{
    &scan_backend,
};

/***********************************************************************
 *           open_backend
 *
 * Opens the first backend that works. Called once, before any memory is watched.
 * On failure returns NULL, and reason says why the last one could not be used.
 */
const struct watch_backend *open_backend( char *reason, size_t len )
{
    size_t i;

    for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
        if (!backends[i]->open( reason, len )) return backends[i];
    return NULL;
}
