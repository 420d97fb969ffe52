/*
 * Settings that keep writewatch from being active, or from saying so
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "check.h"

/* whether the preloaded library has a backend of that name */
int is_backend( const char *name )
{
    return !strcmp( name, "scan" ) || !strcmp( name, "scan:marked" ) ||
           !strcmp( name, "scan:unmarked" );
}

/***********************************************************************
 *           check_settings
 */
void check_settings( struct report *report )
{
    const char *value, *reason;

    if ((value = getenv( "WRITEWATCH" )) && !strcmp( value, "off" ))
    {
        report->switched_off = 1;
        add_finding( report, PROBLEM, "switched-off", "WRITEWATCH=off switches writewatch off.",
                     "unset WRITEWATCH" );
    }
    if ((value = getenv( "WINE_DISABLE_KERNEL_WRITEWATCH" )) && *value && strcmp( value, "0" ))
    {
        report->switched_off = 1;
        add_finding( report, PROBLEM, "switched-off-wine",
                     "WINE_DISABLE_KERNEL_WRITEWATCH switches writewatch off, and Wine's own kernel "
                     "watches as well.", "unset WINE_DISABLE_KERNEL_WRITEWATCH" );
    }
    if ((value = getenv( "WRITEWATCH_BACKEND" )) && *value)
    {
        if (is_backend( value )) report->backend = value;
        else
        {
            report->switched_off = 1;
            add_finding( report, PROBLEM, "backend-unknown",
                         join( "WRITEWATCH_BACKEND names ", value, ", which is no backend for Wine; "
                               "with it writewatch is not active." ),
                         "unset WRITEWATCH_BACKEND, or set it to scan, scan:marked or "
                         "scan:unmarked" );
        }
    }
    if ((value = getenv( "WRITEWATCH_LOG" )) && (reason = log_problem( value )))
        add_finding( report, WARNING, "log-unusable", join( "It is not logged: ", reason, "." ),
                     "Name a file in a folder that you can write to, or - for standard error." );
    if ((value = getenv( "LD_PRELOAD" )) && strstr( value, LIBRARY ))
        add_finding( report, NOTE, "preloaded-already",
                     join( "LD_PRELOAD names " LIBRARY " already: ", value, "" ),
                     "This does no harm: a command run by writewatch has it once." );
}
