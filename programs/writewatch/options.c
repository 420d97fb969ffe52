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
#include "check_report.h"
#include "config.h"

static int print_help( struct runner *runner, int count, char **args );

static int print_version( struct runner *runner, int count, char **args )
{
    (void)runner; (void)count; (void)args;
    puts( "writewatch " VERSION );
    return finish_output( 0 );
}

static void option_log( struct runner *runner, const char *value )
{
    if (!*value) fail( EXIT_USAGE, "--log needs the name of a file, or - for stderr." );
    runner->log = value;
    set_option( KEY_LOG, value, "--log" );
}

static void option_stats( struct runner *runner, const char *value )
{
    (void)value;
    runner->stats = 1;
    set_option( KEY_STATS, "1", "--stats" );
}

static void option_log_all( struct runner *runner, const char *value )
{
    (void)runner; (void)value;
    set_option( KEY_LOG_ALL, "1", "--log-all" );
}

static void option_record( struct runner *runner, const char *value )
{
    if (!*value) fail( EXIT_USAGE, "--record needs the name of a file." );
    runner->record = value;
}

static void option_off( struct runner *runner, const char *value )
{
    (void)value;
    runner->off = 1;
    set_option( KEY_OFF, "off", "--off" );
}

static void option_json( struct runner *runner, const char *value )
{
    (void)value;
    runner->json = 1;
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
    { "log", 'l', "FILE", "log to FILE (- for stderr) which Wine processes are watched, or why not",
      option_log, NULL },
    { "log-all", 0, NULL, "log all Wine processes, also those that watch no memory",
      option_log_all, NULL },
    { "stats", 's', NULL, "log counts when a process exits (to stderr without --log)",
      option_stats, NULL },
    { "record", 0, "FILE", "record what programs ask of write watches, for writewatch-replay",
      option_record, NULL },
    { "off", 0, NULL, "run COMMAND without the library", option_off, NULL },
    { "check", 0, NULL, "say whether it works here and with which Wines: --check [WINE...]", NULL,
      run_check },
    { "status", 0, NULL, "say what running programs watch, and those that ended last", NULL,
      print_status },
    { "json", 0, NULL, "with --check: say so as JSON", option_json, NULL },
    { "explain", 0, NULL, "say which settings apply to a program: --explain game.exe", NULL,
      run_explain },
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
           "       writewatch --check [--json] [WINE...]\n"
           "       writewatch --explain PROGRAM\n"
           "       writewatch --status [PID|NAME]\n"
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
           "  WRITEWATCH=off                     stand aside: Wine tracks writes itself\n"
           "  WINE_DISABLE_KERNEL_WRITEWATCH=1   the same, and Wine's own switch\n"
           "  WRITEWATCH_LOG=FILE                as --log FILE\n"
           "  WRITEWATCH_LOG_ALL=1               as --log-all\n"
           "  WRITEWATCH_STATS=1                 as --stats\n"
           "  WRITEWATCH_RECORD=FILE             as --record FILE\n"
           "Files: ~/.config/writewatch.conf and " SYSCONFDIR "/writewatch.conf\n"
           "\n"
           "The exit status is that of COMMAND. 125 means a mistake in the options or files, 126\n"
           "that COMMAND cannot be run, 127 that COMMAND or " LIBRARY " does not exist.\n",
           stdout );
    return finish_output( 0 );
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
    if (runner->json && runner->instead != run_check)
        fail( EXIT_USAGE, "--json is for --check." );
    return optind;
}
