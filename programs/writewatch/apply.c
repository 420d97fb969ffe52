/*
 * Which settings apply, and passing them to the library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "config.h"

/* as long as the buffer of the library, preload/settings.c */
#define MAX_PROGRAMS 8192

static const char *options[KEY_COUNT];

/* whether an entry of WRITEWATCH_PROGRAMS is about a key */
static int is_entry_of( const char *entry, enum key key )
{
    const char *name = strchr( entry, ':' );
    size_t len = strlen( key_rows[key].name );

    return name && !strncmp( name + 1, key_rows[key].name, len ) && name[len + 1] == '=';
}

/***********************************************************************
 *           set_option
 *
 * An option goes before all else, also before what another runner has passed for single programs.
 */
void set_option( enum key key, const char *value, const char *option )
{
    const char *old = getenv( "WRITEWATCH_PROGRAMS" );
    char *copy, *entry, *next, *kept = join( "", "", "" );

    set_variable( key_rows[key].variable, value );
    options[key] = option;
    if (!old) return;
    copy = join( old, "", "" );
    for (entry = strtok_r( copy, ";", &next ); entry; entry = strtok_r( NULL, ";", &next ))
        if (!is_entry_of( entry, key )) kept = join( kept, *kept ? ";" : "", entry );
    set_variable( "WRITEWATCH_PROGRAMS", kept );
}

/***********************************************************************
 *           settle_variables
 *
 * Of the words for yes and no in the environment the library knows one for each key. WRITEWATCH
 * says whether it is on, and is on if it is empty. A runner that this one starts has nothing to
 * warn of.
 */
void settle_variables(void)
{
    const char *value, *settled;
    enum key key;

    for (key = 0; key < KEY_COUNT; key++)
    {
        if (!key_rows[key].yes || !(value = getenv( key_rows[key].variable ))) continue;
        settled = read_truth( key, value );
        if (key == KEY_OFF && settled) settled = strcmp( settled, "on" ) ? "on" : "off";
        if (!settled)
        {
            /* off and status keep what they are by default, which is on */
            settled = key == KEY_OFF ? "on" : key == KEY_STATUS ? "1" : "0";
            if (*value)
                fprintf( stderr, "writewatch: %s=%s means neither yes nor no; it counts as %s.\n",
                         key_rows[key].variable, value, settled );
        }
        set_variable( key_rows[key].variable, settled );
    }
}

/***********************************************************************
 *           choose
 *
 * What applies to a program, or for NULL to those that have no section. The environment goes before
 * the user's file, and that before the system's; in a file the section of the program goes before
 * what is for all.
 */
struct choice choose( const struct config *config, enum key key, const char *program )
{
    struct choice choice = { NULL, getenv( key_rows[key].variable ), options[key] };
    size_t i;

    if (choice.variable) return choice;
    for (i = 0; i < config->count; i++)
    {
        const struct setting *setting = &config->settings[i], *best = choice.setting;

        if (setting->key != key) continue;
        if (setting->program && (!program || strcmp( setting->program, program ))) continue;
        if (best && best->rank < setting->rank) continue;
        if (best && best->rank == setting->rank && best->program) continue;
        choice.setting = setting;
    }
    return choice;
}

/* a log is tried before it is passed on: the library says nothing if it cannot write it */
static void check_value( const struct setting *setting )
{
    char number[32];
    const char *problem;

    if (setting->key != KEY_LOG || !(problem = log_problem( setting->value ))) return;
    snprintf( number, sizeof(number), ":%u: ", setting->line );
    fail( EXIT_USAGE, "%s%s%s.", setting->file, number, problem );
}

/***********************************************************************
 *           apply_config
 *
 * Sets the variables that the library reads.
 */
void apply_config( const struct config *config )
{
    char *programs = join( "", "", "" );
    struct choice choice, general[KEY_COUNT];
    enum key key;
    size_t i;

    for (key = 0; key < KEY_COUNT; key++) general[key] = choose( config, key, NULL );
    for (i = 0; i < config->count; i++)
    {
        const struct setting *setting = &config->settings[i];

        if (!setting->program) continue;
        choice = choose( config, setting->key, setting->program );
        if (choice.setting != setting) continue;
        check_value( setting );
        programs = join( programs, *programs ? ";" : "", setting->program );
        programs = join( programs, ":", join( key_rows[setting->key].name, "=", setting->value ));
    }
    for (key = 0; key < KEY_COUNT; key++)
    {
        if (!general[key].setting) continue;
        check_value( general[key].setting );
        set_variable( key_rows[key].variable, general[key].setting->value );
    }
    if (strlen( programs ) >= MAX_PROGRAMS)
        fail( EXIT_USAGE, "the configuration has more settings of single programs than can be "
              "passed on (%d bytes): leave out some.", MAX_PROGRAMS - 1 );
    if (*programs) set_variable( "WRITEWATCH_PROGRAMS", programs );
}
