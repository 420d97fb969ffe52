/*
 * Settings that keep writewatch from being active, or from saying so
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "check_report.h"
#include "config.h"

/* where a choice comes from, for a sentence */
static const char *source_of( const struct choice *choice, enum key key )
{
    char number[32];

    if (choice->option) return join( "The option ", choice->option, "" );
    if (choice->variable) return join( key_rows[key].variable, "=", choice->variable );
    snprintf( number, sizeof(number), ":%u", choice->setting->line );
    return join( choice->setting->file, number, "" );
}

static const char *remedy_of( const struct choice *choice, enum key key )
{
    if (choice->option) return "Leave the option out.";
    if (choice->variable) return join( "unset ", key_rows[key].variable, "" );
    return "Take the line out of the file, or set another value for single programs there.";
}

/* what applies to a program without a section of its own; the trial is to have it as well */
static struct choice settle( const struct config *config, enum key key )
{
    struct choice choice = choose( config, key, NULL );

    if (choice.setting) set_variable( key_rows[key].variable, choice.setting->value );
    return choice;
}

static const char *value_of( const struct choice *choice )
{
    return choice->setting ? choice->setting->value : choice->variable ? choice->variable : "";
}

/* the programs that are switched off by themselves */
static void note_programs( struct report *report, const struct config *config )
{
    size_t i;

    for (i = 0; i < config->count; i++)
    {
        const struct setting *setting = &config->settings[i];
        struct choice choice;

        if (setting->key != KEY_OFF || !setting->program) continue;
        if (strcmp( setting->value, "off" )) continue;
        choice = choose( config, KEY_OFF, setting->program );
        if (choice.setting == setting)
            add_finding( report, NOTE, "switched-off-program",
                         join( source_of( &choice, KEY_OFF ), " switches writewatch off for ",
                               join( setting->program, ".", "" )),
                         "writewatch --explain PROGRAM says what applies to a program." );
    }
}

/***********************************************************************
 *           check_config
 */
static void check_config( struct report *report )
{
    const char *error, *value, *reason;
    struct config config;
    struct choice choice;

    if (read_config( &config, &error ))
    {
        report->switched_off = 1;  /* no command is run */
        add_finding( report, PROBLEM, "config-mistake", error,
                     "Correct the file: man 5 writewatch.conf. Until then no command is run." );
        config.count = 0;
    }
    note_programs( report, &config );  /* what is settled below is in the environment then */
    choice = settle( &config, KEY_OFF );
    if (!strcmp( value_of( &choice ), "off" ))
    {
        report->switched_off = 1;
        add_finding( report, PROBLEM, "switched-off",
                     join( source_of( &choice, KEY_OFF ), " switches writewatch off.", "" ),
                     remedy_of( &choice, KEY_OFF ));
    }
    choice = settle( &config, KEY_BACKEND );
    if (*(value = value_of( &choice )))
    {
        if (is_backend( value )) report->backend = value;
        else
        {
            report->switched_off = 1;
            add_finding( report, PROBLEM, "backend-unknown",
                         join( source_of( &choice, KEY_BACKEND ), " names no backend for Wine; "
                               "with it writewatch is not active.", "" ),
                         "unset WRITEWATCH_BACKEND, or set it to scan, scan:marked or "
                         "scan:unmarked" );
        }
    }
    choice = settle( &config, KEY_LOG );
    if ((reason = log_problem( value_of( &choice ))))
    {
        report->switched_off = 1;
        add_finding( report, PROBLEM, "log-unusable",
                     join( source_of( &choice, KEY_LOG ), ": ", join( reason, ".", "" )),
                     "Name a file in a folder that you can write to, or - for standard error. "
                     "Until then no command is run." );
    }
}

/***********************************************************************
 *           check_settings
 */
void check_settings( struct report *report )
{
    const char *value;

    settle_variables();
    check_config( report );
    if ((value = getenv( "WINE_DISABLE_KERNEL_WRITEWATCH" )) && *value && strcmp( value, "0" ))
    {
        report->switched_off = 1;
        add_finding( report, PROBLEM, "switched-off-wine",
                     "WINE_DISABLE_KERNEL_WRITEWATCH switches writewatch off, and Wine's own "
                     "kernel watches as well.", "unset WINE_DISABLE_KERNEL_WRITEWATCH" );
    }
    if ((value = getenv( "LD_PRELOAD" )) && strstr( value, LIBRARY ))
        add_finding( report, NOTE, "preloaded-already",
                     join( "LD_PRELOAD names " LIBRARY " already: ", value, "" ),
                     "This does no harm: a command run by writewatch has it once." );
}
