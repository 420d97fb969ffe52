/*
 * Which backends there are, best first
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"

static const struct watch_backend * const backends[] =
{
    &scan_backend,
};

#define BACKEND_COUNT (sizeof(backends) / sizeof(backends[0]))

/* open() is called at most once for each; under the writers' lock or while there is one thread */
static enum { UNTRIED, OPENED, FAILED } states[BACKEND_COUNT];

static int open_once( size_t i, char *reason, size_t len )
{
    if (states[i] == UNTRIED)
        states[i] = backends[i]->open( reason, len ) ? FAILED : OPENED;
    return states[i] == OPENED;
}

/* the names, for somebody who asked for another one */
static void list_names( const char *name, char *reason, size_t len )
{
    size_t i, pos = snprintf( reason, len, "no backend has the name %s; there are", name );

    for (i = 0; i < BACKEND_COUNT && pos < len; i++)
        pos += snprintf( reason + pos, len - pos, "%s %s", i ? "," : "", backends[i]->name );
}

/***********************************************************************
 *           open_backend
 *
 * Opens the backend of a name, or the first automatic one that works. On failure returns NULL, and
 * reason says why: for the automatic ones, why the first could not be used.
 */
const struct watch_backend *open_backend( const char *name, char *reason, size_t len )
{
    size_t i;

    if (!name)
    {
        char other[160];
        int told = 0;

        for (i = 0; i < BACKEND_COUNT; i++)
        {
            if (!backends[i]->automatic) continue;
            if (open_once( i, told ? other : reason, told ? sizeof(other) : len )) return backends[i];
            told = 1;
        }
        return NULL;
    }
    for (i = 0; i < BACKEND_COUNT; i++)
        if (!strcmp( backends[i]->name, name )) return open_once( i, reason, len ) ? backends[i] : NULL;
    list_names( name, reason, len );
    return NULL;
}

/***********************************************************************
 *           open_next_backend
 *
 * Where a region goes that a backend could not take. A backend that was asked for by name and is not
 * automatic has no next one.
 */
const struct watch_backend *open_next_backend( const struct watch_backend *backend )
{
    char reason[160];
    size_t i;

    if (!backend->automatic) return NULL;
    for (i = 0; backends[i] != backend; i++) /* nothing */;
    for (i++; i < BACKEND_COUNT; i++)
        if (backends[i]->automatic && open_once( i, reason, sizeof(reason) )) return backends[i];
    return NULL;
}

/***********************************************************************
 *           close_backends
 *
 * When nothing is attached.
 */
void close_backends(void)
{
    size_t i;

    for (i = 0; i < BACKEND_COUNT; i++)
    {
        if (states[i] == OPENED) backends[i]->close();
        states[i] = UNTRIED;
    }
}
