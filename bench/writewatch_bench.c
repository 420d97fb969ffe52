/*
 * The benchmark: its rows and its command line
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: writewatch_bench [--small] [--tag WORD] [--list] [GROUP...]
 *
 * Without the name of a group all of them are run. The results are lines on standard output: row,
 * value, unit. Three programs are made of this source: see target.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "target.h"

/* A group gives one or more rows that need the same preparation. */
static const struct
{
    const char *name;
    void      (*run)(void);
} groups[] =
{
    { "first_write",     first_write },
    { "rewrite",         rewrite },
    { "allocate",        allocate },
    { "sparse",          poll_sparse },
    { "decommit",        decommit },
    { "tables",          page_tables },
    { "empty_call",      poll_empty_call },
    { "clean",           poll_clean },
    { "random",          poll_random },
    { "every_other",     poll_every_other },
    { "again",           poll_again },
    { "again_small",     poll_again_small },
    { "saved",           poll_saved },
    { "loop64",          poll_loop },
    { "untouched",       poll_untouched },
    { "4g",              poll_4g },
    { "other_thread",    other_thread },
    { "tracked",         tracked_pages },
    { "micro_benchmark", micro_benchmark },
};

#define GROUP_COUNT (sizeof(groups) / sizeof(groups[0]))

static const char *current;   /* the group that runs */

void emit( const char *name, double value, const char *unit )
{
    printf( "%s,%.6g,%s\n", name, value, unit );
    fflush( stdout );
}

void fail( const char *what )
{
    fprintf( stderr, "writewatch_bench: %s%s%s failed\n", current ? current : "",
             current ? ": " : "", what );
    exit( 1 );
}

/* whether a group was asked for */
static int is_wanted( const char *name, char **names, int count )
{
    int i;

    for (i = 0; i < count; i++) if (!strcmp( names[i], name )) return 1;
    return !count;
}

static int is_group( const char *name )
{
    size_t i;

    for (i = 0; i < GROUP_COUNT; i++) if (!strcmp( groups[i].name, name )) return 1;
    return 0;
}

int main( int argc, char **argv )
{
    size_t i;
    int arg;

    for (arg = 1; arg < argc && argv[arg][0] == '-'; arg++)
    {
        if (!strcmp( argv[arg], "--small" )) small = 1;
        else if (!strcmp( argv[arg], "--tag" ) && arg + 1 < argc) tag = argv[++arg];
        else if (!strcmp( argv[arg], "--list" ))
        {
            for (i = 0; i < GROUP_COUNT; i++) printf( "%s\n", groups[i].name );
            return 0;
        }
        else
        {
            fprintf( stderr, "Usage: writewatch_bench [--small] [--tag WORD] [--list] "
                     "[GROUP...]\n" );
            return 2;
        }
    }
    for (i = arg; i < (size_t)argc; i++)
    {
        if (is_group( argv[i] )) continue;
        fprintf( stderr, "writewatch_bench: there is no group %s; --list names them\n", argv[i] );
        return 2;
    }
    target_open();
    for (i = 0; i < GROUP_COUNT; i++)
    {
        if (!is_wanted( groups[i].name, argv + arg, argc - arg )) continue;
        current = groups[i].name;
        groups[i].run();
    }
    return 0;
}
