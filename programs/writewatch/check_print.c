/*
 * The report of --check for people
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <string.h>

#include "runner.h"
#include "check_report.h"

/* begins a line: what it is about, and whether it is as it must be */
static void begin_line( const char *what, const char *answer )
{
    printf( "%-10s %-5s", what, answer );
}

static void print_wine( const struct wine *wine, int first )
{
    static const char * const words[] =
    {
        [SERVED]         = "can be served",
        [KERNEL_REFUSED] = "recognised, but the kernel refuses",
        [NOT_RECOGNISED] = "not recognised",
        [NOT_CHANGEABLE] = "recognised, but its code cannot be changed",
        [NOT_LOADED]     = "cannot be loaded",
        [NOT_PROBED]     = "not examined",
    };

    begin_line( first ? "Wine" : "", wine->verdict == SERVED ? "yes" : "no" );
    printf( "%s, %d bits: %s%s\n%16s %s (%s)\n", *wine->version ? wine->version : "version unknown",
            wine->bits, words[wine->verdict],
            wine->own_watches ? "; it has kernel watches of its own" : "", "", wine->ntdll,
            wine->found_by );
}

static void print_trial( const struct trial *trial, int first )
{
    begin_line( first ? "trial" : "", trial->active && trial->exact ? "yes" : "no" );
    printf( "%s, a program of %d bits: %s\n%16s %s\n", trial->command, trial->bits,
            *trial->pages ? trial->pages : "it did not run", "", trial->log );
}

/***********************************************************************
 *           print_findings
 *
 * Those of one severity, each with what to do.
 */
static void print_findings( const struct report *report, enum severity severity, const char *title )
{
    size_t i, count = 0;

    for (i = 0; i < report->finding_count; i++)
    {
        const struct finding *finding = &report->findings[i];

        if (finding->severity != severity) continue;
        if (!count++) printf( "\n%s:\n", title );
        printf( "- %s\n", finding->sentence );
        if (*finding->remedy) printf( "  %s\n", finding->remedy );
    }
}

/***********************************************************************
 *           print_report
 */
void print_report( const struct report *report )
{
    size_t i;

    printf( "writewatch %s\n\n", VERSION );
    begin_line( "kernel", report->kernel_serves ? "yes" : "no" );
    printf( "%s %s, %s: %s\n", report->system.sysname, report->system.release,
            report->system.machine, report->kernel_serves ? report->mechanism : report->reason );
    begin_line( "library", report->preload ? "yes" : "no" );
    printf( "%s\n", report->preload ? report->preload : LIBRARY " is not there" );
    for (i = 0; i < report->wine_count; i++) print_wine( &report->wines[i], !i );
    for (i = 0; i < report->trial_count; i++) print_trial( &report->trials[i], !i );
    begin_line( "settings", report->switched_off ? "no" : "yes" );
    puts( report->switched_off ? "writewatch is switched off" : "nothing switches writewatch off" );

    print_findings( report, PROBLEM, "What keeps programs from being served" );
    print_findings( report, WARNING, "What is not served, or not as it was asked for" );
    print_findings( report, NOTE, "To be known" );
    printf( "\nWindows programs %s be served here.\n", report->served ? "would" : "would not" );
}
