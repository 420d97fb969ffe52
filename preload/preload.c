/*
 * Takes over Wine's write watches when ntdll.so is loaded
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/watch.h"
#include "next.h"
#include "preload.h"

/* Every process of the session loads this library: shells, launchers, the wineserver. It does
 * nothing until the process loads Wine's ntdll.so. */

typedef void *dlopen_func( const char *, int );

int preload_active;

const struct hook_table *active_hooks;

static dlopen_func *next_dlopen;

/***********************************************************************
 *           get_refusal
 *
 * Returns which setting of the user disables the library, or NULL.
 */
static const char *get_refusal(void)
{
    const char *value;

    if ((value = secure_getenv( "WRITEWATCH" )) && !strcmp( value, "off" )) return "WRITEWATCH=off";
    if ((value = secure_getenv( "WINE_DISABLE_KERNEL_WRITEWATCH" )) && *value &&
        strcmp( value, "0" ))
        return "WINE_DISABLE_KERNEL_WRITEWATCH is set";
    return NULL;
}

/***********************************************************************
 *           install
 *
 * Called once, while the process has one thread and no code of ntdll.so has run. On success, all
 * hooks are in place. On failure, nothing has changed, Wine tracks writes itself, and reason says
 * why.
 */
static int install( void *ntdll, const char *path, char *reason, size_t len )
{
    const char *refusal = get_refusal(), *value, *backend;
    struct ntdll_info info;

    if (refusal)
    {
        snprintf( reason, len, "%s", refusal );
        return -1;
    }
    if (inspect_ntdll( ntdll, path, &info, reason, len )) return -1;
    backend = secure_getenv( "WRITEWATCH_BACKEND" );
    if (watch_open( backend && *backend ? backend : NULL, reason, len )) return -1;
    active_hooks = info.convention;
    if (patch_ntdll( &info, reason, len ))
    {
        watch_close();
        return -1;
    }
    value = secure_getenv( "WRITEWATCH_STATS" );
    watch_stats.enabled = value && !strcmp( value, "1" );
    preload_active = 1;
    return 0;
}

static void load_ntdll( void *ntdll, const char *path )
{
    char reason[160], line[300];
    const char *form;

    if (install( ntdll, path, reason, sizeof(reason) ))
        snprintf( line, sizeof(line), "not active: %s", reason );
    else
    {
        form = watch_form_reason();
        snprintf( line, sizeof(line), "active, %s (%s%s%s)", watch_backend_name(),
                  watch_mechanism(), *form ? ": " : "", form );
    }
    log_start( line );
}

static void *dlopen_ntdll( const char *path, int mode )
{
    static int done;
    void *handle = next_dlopen( path, mode );

    if (handle && !done++) load_ntdll( handle, path );
    return handle;
}

/***********************************************************************
 *           choose_dlopen
 *
 * Returns the function that dlopen.S jumps to.
 */
__attribute__((visibility("hidden"))) dlopen_func *choose_dlopen( const char *path )
{
    static const char ntdll[] = "/ntdll.so";
    size_t len;

    if (!next_dlopen) next_dlopen = (dlopen_func *)dlsym( RTLD_NEXT, "dlopen" );
    if (!path || (len = strlen( path )) < sizeof(ntdll)) return next_dlopen;
    return strcmp( path + len - (sizeof(ntdll) - 1), ntdll ) ? next_dlopen : dlopen_ntdll;
}

__attribute__((destructor)) static void report(void)
{
    if (!preload_active || !watch_stats.enabled) return;
    log_line( "exit: %lu regions, %lu polls, %lu pages reported, %lu resets", watch_stats.regions,
              watch_stats.polls, watch_stats.pages, watch_stats.resets );
}
