/*
 * The options of the runner
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static int print_help( struct runner *runner, int count, char **args );

static int print_version( struct runner *runner, int count, char **args )
{
    (void)runner; (void)count; (void)args;
    puts( "writewatch " VERSION );
    return 0;
}

static void option_log( struct runner *runner, const char *value )
{
    if (!*value) fail( EXIT_USAGE, "--log needs the name of a file, or - for stderr." );
    runner->log = value;
}

static void option_stats( struct runner *runner, const char *value )
{
    (void)runner; (void)value;
    set_variable( "WRITEWATCH_STATS", "1" );
}

static void option_record( struct runner *runner, const char *value )
{
    if (!*value) fail( EXIT_USAGE, "--record needs the name of a file." );
    runner->record = value;
}

static void option_off( struct runner *runner, const char *value )
{
    (void)runner; (void)value;
    set_variable( "WRITEWATCH", "off" );
}

/* One option, in the order of the help. */
static const struct option_row
{
    const char *name;
    char        letter;    /* 0: the name only */
    const char *argument;  /* the word for it in the help, or NULL */
    const char *help;
    void      (*set)( struct runner *runner, const char *value );
    int       (*instead)( struct runner *runner, int count, char **args );
} rows[] =
{
    { "log", 'l', "FILE", "log to FILE (- for stderr) whether it is active in each Wine process",
      option_log, NULL },
    { "stats", 's', NULL, "with --log: also log counts when a process exits", option_stats, NULL },
    { "record", 0, "FILE", "record what programs ask of write watches, for writewatch-replay",
      option_record, NULL },
    { "off", 0, NULL, "run COMMAND with Wine's own write watches", option_off, NULL },
    { "help", 'h', NULL, "show this text", NULL, print_help },
    { "version", 'V', NULL, "show the version", NULL, print_version },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static int print_help( struct runner *runner, int count, char **args )
{
    char letter[8], words[32];
    unsigned int i;

    (void)runner; (void)count; (void)args;
    fputs( "Usage: writewatch [OPTION...] COMMAND [ARGUMENT...]\n"
           "Runs COMMAND, usually wine, with write watches provided by the Linux kernel.\n\n",
           stdout );
    for (i = 0; i < ROWS; i++)
    {
        strcpy( letter, "    " );
        if (rows[i].letter) snprintf( letter, sizeof(letter), "-%c, ", rows[i].letter );
        snprintf( words, sizeof(words), "%s--%s %s", letter, rows[i].name,
                  rows[i].argument ? rows[i].argument : "" );
        printf( "  %-20s %s\n", words, rows[i].help );
    }
    fputs( "\nExamples: writewatch wine game.exe\n"
           "          writewatch %command%         as a launch option of Steam\n"
           "\n"
           "Environment:\n"
           "  WRITEWATCH=off                     as --off\n"
           "  WINE_DISABLE_KERNEL_WRITEWATCH=1   as --off\n"
           "  WRITEWATCH_LOG=FILE                as --log FILE\n"
           "  WRITEWATCH_STATS=1                 as --stats\n"
           "  WRITEWATCH_RECORD=FILE             as --record FILE\n"
           "\n"
           "The exit status is that of COMMAND. 125 means a mistake in the options, 126 that COMMAND\n"
           "cannot be run, 127 that COMMAND or " LIBRARY " does not exist.\n", stdout );
    return 0;
}

/***********************************************************************
 *           parse_options
 *
 * Carries out the options, up to the first word that is none, and returns its index.
 */
int parse_options( struct runner *runner, int argc, char **argv )
{
    struct option options[ROWS + 1];
    char letters[2 * ROWS + 2] = "+", *p = letters + 1;
    int option;
    unsigned int i;

    memset( options, 0, sizeof(options) );
    for (i = 0; i < ROWS; i++)
    {
        options[i].name    = rows[i].name;
        options[i].has_arg = rows[i].argument ? required_argument : no_argument;
        options[i].val     = 256 + i;
        if (!rows[i].letter) continue;
        *p++ = rows[i].letter;
        if (rows[i].argument) *p++ = ':';
    }

    while ((option = getopt_long( argc, argv, letters, options, NULL )) != -1)
    {
        for (i = 0; i < ROWS; i++)
            if (option == 256 + (int)i || (rows[i].letter && option == rows[i].letter)) break;
        if (i == ROWS)  /* getopt_long() has printed the error */
        {
            fputs( "Try 'writewatch --help'.\n", stderr );
            exit( EXIT_USAGE );
        }
        if (rows[i].set) rows[i].set( runner, optarg );
        if (rows[i].instead && !runner->instead) runner->instead = rows[i].instead;
    }
    return optind;
}
