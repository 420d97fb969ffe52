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
#include "hooks.h"
#include "next.h"
#include "preload.h"
#include "record.h"
#include "report.h"
#include "settings.h"
#include "status.h"

/* Every process of the session loads this library: shells, launchers, the wineserver. It does
 * nothing until the process loads Wine's ntdll.so. */

typedef void *dlopen_func( const char *, int );

int preload_active;

const struct hook_table *active_hooks;

static dlopen_func *next_dlopen;

/* of this process, for the log */
static char active_line[360];

static uint64_t fault_cost;

/* Why Wine tracks writes itself, in a way that depends on it if it has kernel watches. */
struct refusal
{
    char        reason[160];
    const char *rest;    /* of the line in the log, for such a Wine */
};

/***********************************************************************
 *           is_disabled
 *
 * Returns whether a setting of the user disables the library. The second is also the switch of
 * Wine's own kernel watches, in trees that have one.
 */
static int is_disabled( struct refusal *refusal )
{
    const char *value;

    refusal->rest = "; Wine's own kernel watches go on";
    snprintf( refusal->reason, sizeof(refusal->reason), "%s",
              is_for_this_program( SETTING_OFF ) ? "switched off for this program" :
                                                   "WRITEWATCH=off" );
    if (is_switched_off()) return 1;
    refusal->rest = "";
    snprintf( refusal->reason, sizeof(refusal->reason), "WINE_DISABLE_KERNEL_WRITEWATCH is set" );
    return (value = secure_getenv( "WINE_DISABLE_KERNEL_WRITEWATCH" )) && *value &&
           strcmp( value, "0" );
}

/***********************************************************************
 *           install
 *
 * Called once, while the process has one thread and no code of ntdll.so has run. On success, all
 * hooks are in place. On failure, nothing has changed, Wine tracks writes itself, and refusal says
 * why.
 */
static int install( void *ntdll, const char *path, struct refusal *refusal )
{
    const size_t len = sizeof(refusal->reason);
    const char *value, *backend;
    struct ntdll_info info;

    if (is_disabled( refusal )) return -1;
    refusal->rest = "; Wine's own kernel watches go on";
    if (inspect_ntdll( ntdll, path, &info, refusal->reason, len )) return -1;
    /* what the kernel refuses to us it may refuse to Wine */
    refusal->rest = "; Wine's own watches go on";
    backend = setting( SETTING_BACKEND );
    if (watch_open( backend && *backend ? backend : NULL, refusal->reason, len )) return -1;
    active_hooks = info.convention;
    if (patch_ntdll( &info, refusal->reason, len ))
    {
        watch_close();
        return -1;
    }
    value = setting( SETTING_STATS );
    polls_are_timed = value && !strcmp( value, "1" );
    if (polls_are_timed) fault_cost = measure_fault_cost();
    preload_active = 1;
    return 0;
}

static void load_ntdll( void *ntdll, const char *path )
{
    struct refusal refusal;
    const char *form;
    char line[300];

    program_name();
    find_wine_version( ntdll );
    wine_has_kernel_watches = has_kernel_watches( ntdll );
    if (install( ntdll, path, &refusal ))
    {
        snprintf( line, sizeof(line), "not active: %s%s", refusal.reason,
                  wine_has_kernel_watches ? refusal.rest : "" );
        log_not_active( line );
        return;
    }
    form = watch_form_reason();
    snprintf( active_line, sizeof(active_line), "active, %s (%s%s%s)%s", watch_backend_name(),
              watch_mechanism(), *form ? ": " : "", form,
              wine_has_kernel_watches ? ", in place of Wine's own kernel watches" : "" );
    log_active( active_line, 0 );
    record_open();
}

void begin_status(void)
{
    static int begun;
    struct status_page *page;

    if (begun++) return;
    if ((page = status_open())) page->fault_cost = fault_cost;
    log_active( active_line, 1 );
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

    if (!next_dlopen) next_dlopen = (dlopen_func *)old_dlsym( RTLD_NEXT, "dlopen" );
    if (!path || (len = strlen( path )) < sizeof(ntdll)) return next_dlopen;
    return strcmp( path + len - (sizeof(ntdll) - 1), ntdll ) ? next_dlopen : dlopen_ntdll;
}
