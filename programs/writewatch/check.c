/*
 * writewatch --check: whether Windows programs would be served here, and if not, why
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <string.h>

#include "runner.h"
#include "check_report.h"

/* whether the answer depends on this one */
static int counts( const struct report *report, const struct wine *wine )
{
    size_t i;

    if (report->named) return wine->named;
    if (wine->chosen) return 1;
    for (i = 0; i < report->wine_count; i++) if (report->wines[i].chosen) return 0;
    return 1;
}

/* whether all are served that were found in the same way, of 64 bits where there are such */
static int group_is_served( const struct report *report, const char *found_by )
{
    const struct wine *wines = report->wines;
    size_t i;
    int bits = 0, ret = 1;

    for (i = 0; i < report->wine_count; i++)
        if (!strcmp( wines[i].found_by, found_by ) && wines[i].bits > bits) bits = wines[i].bits;
    for (i = 0; i < report->wine_count; i++)
        if (!strcmp( wines[i].found_by, found_by ) && wines[i].bits == bits)
            ret &= wines[i].verdict == SERVED;
    return ret;
}

/***********************************************************************
 *           wines_are_served
 *
 * Whether a program would be served by each Wine that is named; or by the one that the command wine
 * is; or without such a command by any.
 */
static int wines_are_served( const struct report *report )
{
    const struct wine *wines = report->wines;
    size_t i, served = 0, total = 0;
    int chosen = 0;

    for (i = 0; i < report->wine_count; i++)
    {
        chosen |= wines[i].chosen;
        if (!counts( report, &wines[i] )) continue;
        total++;
        served += group_is_served( report, wines[i].found_by );
    }
    return report->named || chosen ? served == total : served != 0;
}

static int has_problem( const struct report *report, const char *id )
{
    size_t i;

    for (i = 0; i < report->finding_count; i++)
        if (report->findings[i].severity == PROBLEM && !strcmp( report->findings[i].id, id ))
            return 1;
    return 0;
}

/***********************************************************************
 *           run_check
 *
 * args are Wines to examine. Returns 0 if programs would be served, and otherwise 1.
 */
int run_check( struct runner *runner, int count, char **args )
{
    struct report report = { .mechanism = "", .reason = "" };
    const char *reason = "";
    size_t j;
    int i;

    uname( &report.system );
    report.root = find_root();
    if (!(report.preload = preload_list( report.root, &reason )))
        add_finding( &report, PROBLEM, "library-missing", reason,
                     "Build and install writewatch anew." );
    check_settings( &report );
    check_kernel( &report );

    for (i = 0; i < count; i++)
    {
        if (!strcmp( args[i], "--json" )) runner->json = 1;
        else if (args[i][0] == '-')
            fail( EXIT_USAGE, "--check takes commands and directories, not %s.", args[i] );
        else report.named++;
    }
    if (!report.named) find_wines( &report );
    for (i = 0; i < count; i++)
        if (args[i][0] != '-' && name_wine( &report, args[i] )) run_trials( &report, args[i] );
    for (j = 0; j < report.wine_count; j++) check_wine( &report, &report.wines[j] );

    report.served = report.kernel_serves && report.preload && !report.switched_off &&
                    !has_problem( &report, "wine-not-found" ) &&
                    !has_problem( &report, "wine-old" ) &&
                    (report.wine_count || report.trial_count);
    if (report.wine_count && !wines_are_served( &report )) report.served = 0;
    for (j = 0; j < report.trial_count; j++)
    {
        const struct trial *trial = &report.trials[j];

        /* a Wine need not run 32-bit programs */
        if (trial->bits == 32 && !*trial->pages) continue;
        if (!trial->active || !trial->exact) report.served = 0;
    }

    if (runner->json) print_json( &report );
    else print_report( &report );
    return finish_output( report.served ? 0 : 1 );
}
