/*
 * The report of --check for programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <string.h>

#include "runner.h"
#include "check_report.h"

/***********************************************************************
 *           utf8_length
 *
 * The number of bytes of the character at the start of a string, as RFC 3629 allows it; 0 if there
 * is none: a path may have any bytes.
 */
static size_t utf8_length( const unsigned char *p )
{
    unsigned int value, len, i;

    if (*p < 0x80) return 1;
    if (*p >= 0xc2 && *p <= 0xdf) { len = 2; value = *p & 0x1f; }
    else if ((*p & 0xf0) == 0xe0) { len = 3; value = *p & 0x0f; }
    else if (*p >= 0xf0 && *p <= 0xf4) { len = 4; value = *p & 0x07; }
    else return 0;
    for (i = 1; i < len; i++)
    {
        if ((p[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (p[i] & 0x3f);
    }
    if (len == 3 && (value < 0x800 || (value >= 0xd800 && value <= 0xdfff))) return 0;
    if (len == 4 && (value < 0x10000 || value > 0x10ffff)) return 0;
    return len;
}

static void print_string( const char *string )
{
    const unsigned char *p = (const unsigned char *)string;
    size_t len;

    putchar( '"' );
    for (; *p; p += len)
    {
        if (!(len = utf8_length( p )))
        {
            fputs( "\\ufffd", stdout );
            len = 1;
        }
        else if (*p == '"' || *p == '\\') printf( "\\%c", *p );
        else if (*p < ' ' || *p == 0x7f) printf( "\\u%04x", *p );
        else fwrite( p, 1, len, stdout );
    }
    putchar( '"' );
}

/* one member of an object: behind another unless it is the first */
static void print_member( const char *name, const char *value, int first )
{
    printf( "%s\"%s\": ", first ? "" : ", ", name );
    print_string( value );
}

static void print_truth( const char *name, int value )
{
    printf( ", \"%s\": %s", name, value ? "true" : "false" );
}

static void print_wines( const struct report *report )
{
    static const char * const verdicts[] =
    {
        [SERVED]         = "served",
        [KERNEL_REFUSED] = "kernel-refused",
        [NOT_RECOGNISED] = "not-recognised",
        [NOT_CHANGEABLE] = "not-changeable",
        [NOT_LOADED]     = "not-loaded",
        [NOT_PROBED]     = "not-probed",
    };
    size_t i;

    fputs( ",\n  \"wines\": [", stdout );
    for (i = 0; i < report->wine_count; i++)
    {
        const struct wine *wine = &report->wines[i];

        fputs( i ? ",\n    {" : "\n    {", stdout );
        print_member( "ntdll", wine->ntdll, 1 );
        print_member( "found_by", wine->found_by, 0 );
        printf( ", \"bits\": %d", wine->bits );
        print_member( "version", wine->version, 0 );
        print_member( "verdict", verdicts[wine->verdict], 0 );
        print_truth( "served", wine->verdict == SERVED );
        print_truth( "own_kernel_watches", wine->own_watches );
        print_truth( "chosen", wine->chosen || wine->named );
        print_member( "reason", wine->reason, 0 );
        putchar( '}' );
    }
    fputs( report->wine_count ? "\n  ]" : "]", stdout );
}

static void print_trials( const struct report *report )
{
    size_t i;

    fputs( ",\n  \"trials\": [", stdout );
    for (i = 0; i < report->trial_count; i++)
    {
        const struct trial *trial = &report->trials[i];

        fputs( i ? ",\n    {" : "\n    {", stdout );
        print_member( "command", trial->command, 1 );
        printf( ", \"bits\": %d", trial->bits );
        print_truth( "active", trial->active );
        print_truth( "exact", trial->exact );
        print_member( "pages", trial->pages, 0 );
        print_member( "log", trial->log, 0 );
        putchar( '}' );
    }
    fputs( report->trial_count ? "\n  ]" : "]", stdout );
}

static void print_findings( const struct report *report )
{
    static const char * const severities[] = { "note", "warning", "problem" };
    size_t i;

    fputs( ",\n  \"findings\": [", stdout );
    for (i = 0; i < report->finding_count; i++)
    {
        const struct finding *finding = &report->findings[i];

        fputs( i ? ",\n    {" : "\n    {", stdout );
        print_member( "id", finding->id, 1 );
        print_member( "severity", severities[finding->severity], 0 );
        print_member( "sentence", finding->sentence, 0 );
        print_member( "remedy", finding->remedy, 0 );
        putchar( '}' );
    }
    fputs( report->finding_count ? "\n  ]" : "]", stdout );
}

/***********************************************************************
 *           print_json
 */
void print_json( const struct report *report )
{
    fputs( "{\n  ", stdout );
    print_member( "version", VERSION, 1 );
    print_truth( "served", report->served );
    print_truth( "switched_off", report->switched_off );
    fputs( ",\n  \"kernel\": {", stdout );
    print_member( "release", report->system.release, 1 );
    print_member( "machine", report->system.machine, 0 );
    print_truth( "served", report->kernel_serves );
    print_member( "mechanism", report->mechanism, 0 );
    print_member( "reason", report->reason, 0 );
    fputs( "},\n  ", stdout );
    print_member( "library", report->preload ? report->preload : "", 1 );
    print_wines( report );
    print_trials( report );
    print_findings( report );
    fputs( "\n}\n", stdout );
}
