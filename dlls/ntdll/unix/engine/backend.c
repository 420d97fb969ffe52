/*
 * Finding and opening backends
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/backend.h"
#include "engine/host.h"

/* open() is called at most once for each, under the change lock or while there is one thread */
static enum { UNTRIED, OPENED, FAILED } states[MAX_BACKENDS];
static char reasons[MAX_BACKENDS][160];
static int reopen_errors[MAX_BACKENDS];

/* the message about the first region that was moved; never changes once has_moved is set */
static char moved[160];
static int has_moved;

static int open_once( size_t i, char *reason, size_t len )
{
    if (states[i] == UNTRIED)
        states[i] = backend_list[i]->open( reasons[i], sizeof(reasons[i]) ) ? FAILED : OPENED;
    if (states[i] == FAILED) snprintf( reason, len, "%s", reasons[i] );
    return states[i] == OPENED;
}

/* whether a table goes by a name: that of its backend, or that with its form, as in scan:marked */
static int has_name( const struct watch_backend *backend, const char *name )
{
    size_t len = strlen( backend->name );

    if (strncmp( backend->name, name, len )) return 0;
    if (!name[len]) return 1;
    return backend->form && name[len] == ':' && !strcmp( backend->form, name + len + 1 );
}

/* lists the known names, for a caller that gave an unknown one */
static void list_names( const char *name, char *reason, size_t len )
{
    size_t i, pos = snprintf( reason, len, "no backend is named %s; known backends:", name );

    for (i = 0; backend_list[i] && pos < len; i++)
        pos += snprintf( reason + pos, len - pos, "%s %s%s%s", i ? "," : "", backend_list[i]->name,
                         backend_list[i]->form ? ":" : "",
                         backend_list[i]->form ? backend_list[i]->form : "" );
}

/* whether a backend of that name exists, working or not */
int has_backend( const char *name )
{
    size_t i;

    for (i = 0; backend_list[i]; i++) if (has_name( backend_list[i], name )) return 1;
    return 0;
}

/* why an earlier form of a backend is not used; "" if there is none, or it was not tried */
const char *form_reason( const struct watch_backend *backend )
{
    size_t i;

    for (i = 0; backend_list[i] && backend_list[i] != backend; i++)
        if (states[i] == FAILED && !strcmp( backend_list[i]->name, backend->name ))
            return reasons[i];
    return "";
}

/***********************************************************************
 *           open_backend
 *
 * Opens the backend of that name, or for NULL the first automatic one that works. Of several forms
 * the first that works is used. Returns NULL on failure. In both cases reason says why the best
 * backend is not used, in the words of the last form that was tried; it is "" if that backend is
 * used, in whatever form.
 */
const struct watch_backend *open_backend( const char *name, char *reason, size_t len )
{
    const char *best = NULL;
    char other[160];
    size_t i;

    *reason = 0;
    for (i = 0; backend_list[i]; i++)
    {
        if (name ? !has_name( backend_list[i], name ) : !backend_list[i]->automatic) continue;
        if (!best) best = backend_list[i]->name;
        /* cppcheck-suppress legacyUninitvar ; open_once() fills it on failure */
        if (strcmp( best, backend_list[i]->name ))
        {
            if (open_once( i, other, sizeof(other) )) return backend_list[i];
        }
        else if (open_once( i, reason, len ))
        {
            *reason = 0;
            return backend_list[i];
        }
    }
    if (!best) list_names( name, reason, len );
    return NULL;
}

/***********************************************************************
 *           open_next_backend
 *
 * Opens the backend for a region that this one cannot watch; another form of the same backend does
 * not count. A backend that was requested by name and is not automatic has no next one.
 */
const struct watch_backend *open_next_backend( const struct watch_backend *backend )
{
    char reason[160];
    size_t i;

    if (!backend->automatic) return NULL;
    for (i = 0; backend_list[i] != backend; i++) /* nothing */;
    for (i++; backend_list[i]; i++)
        if (backend_list[i]->automatic && strcmp( backend_list[i]->name, backend->name ) &&
            open_once( i, reason, sizeof(reason) ))
            return backend_list[i];
    return NULL;
}

void note_moved_region( const struct watch_backend *from, const struct watch_backend *to, int err )
{
    if (has_moved) return;
    snprintf( moved, sizeof(moved), "%s cannot watch some of the memory (%s); %s watches it",
              from->name, strerror( -err ), to->name );
    __atomic_store_n( &has_moved, 1, __ATOMIC_RELEASE );
}

const char *moved_region_notice(void)
{
    return __atomic_load_n( &has_moved, __ATOMIC_ACQUIRE ) ? moved : "";
}

/* nothing may be attached */
void close_backends(void)
{
    size_t i;

    for (i = 0; backend_list[i]; i++)
    {
        if (states[i] == OPENED) backend_list[i]->close();
        states[i] = UNTRIED;
    }
}

void reopen_backends(void)
{
    size_t i;

    for (i = 0; backend_list[i]; i++)
        reopen_errors[i] = states[i] == OPENED ? backend_list[i]->reopen() : 0;
}

int reopened_backend( const struct watch_backend *backend )
{
    size_t i;

    backend = original_backend( backend );
    for (i = 0; backend_list[i] && backend_list[i] != backend; i++) /* nothing */;
    return backend_list[i] ? reopen_errors[i] : -EIO;
}
