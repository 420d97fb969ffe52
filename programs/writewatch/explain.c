/*
 * writewatch --explain: which settings apply to a program, where they come from, and why
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "config.h"

/* the name of a program without its folder, in small letters; the library knows 63 bytes of it */
static char *program_of( const char *path )
{
    const char *name = path, *p;
    char *ret, *q;

    for (p = path; *p; p++) if (*p == '/' || *p == '\\') name = p + 1;
    ret = join( name, "", "" );
    if (strlen( ret ) > 63) ret[63] = 0;
    for (q = ret; *q; q++) if (*q >= 'A' && *q <= 'Z') *q += 'a' - 'A';
    return ret;
}

/* how a file has it: yes and no for what the variables have */
static const char *in_words( enum key key, const char *value )
{
    const char *variable = key_rows[key].yes ? read_truth( key, value ) : NULL;

    if (!*value) return key == KEY_OFF ? "no" : key_rows[key].by_default;
    if (!variable) return value;
    /* WRITEWATCH says whether it is on, the key whether it is off */
    if (key == KEY_OFF) return strcmp( variable, "on" ) ? "no" : "yes";
    return strcmp( variable, "1" ) ? "no" : "yes";
}

static void print_setting( const struct setting *setting )
{
    printf( "%s:%u", setting->file, setting->line );
    if (setting->program) printf( ", for [%s]", setting->program );
    else printf( ", for all programs" );
}

/* the lines that would apply but for the one that does */
static void print_others( const struct config *config, enum key key, const char *program,
                          const struct setting *chosen )
{
    size_t i;

    for (i = 0; i < config->count; i++)
    {
        const struct setting *other = &config->settings[i];

        if (other->key != key || other == chosen) continue;
        if (other->program && strcmp( other->program, program )) continue;
        printf( "%10sit goes before ", "" );
        print_setting( other );
        putchar( '\n' );
    }
}

static void explain_key( const struct config *config, enum key key, const char *program )
{
    struct choice choice = choose( config, key, program );
    const struct key_row *row = &key_rows[key];

    printf( "%-9s ", row->name );
    if (choice.option) printf( "%s\n%10sby the option %s\n", in_words( key, choice.variable ), "",
                               choice.option );
    else if (choice.variable) printf( "%s\n%10sby the environment variable %s=%s\n",
                                      in_words( key, choice.variable ), "", row->variable,
                                      choice.variable );
    else if (choice.setting)
    {
        const struct setting *setting = choice.setting;
        const char *value = setting->value;

        if (row->yes) value = strcmp( value, row->yes ) ? "no" : "yes";
        printf( "%s\n%10sby ", *value ? value : row->by_default, "" );
        print_setting( setting );
        putchar( '\n' );
    }
    else printf( "%s\n%10sby default, as nothing sets it\n", row->by_default, "" );
    if (choice.option || choice.variable || choice.setting)
        print_others( config, key, program, choice.setting );
}

/***********************************************************************
 *           run_explain
 */
int run_explain( struct runner *runner, int count, char **args )
{
    const char *error, *value, *programs;
    struct config config;
    enum key key;
    char *program;

    (void)runner;
    if (count != 1 || !*args[0])
        fail( EXIT_USAGE, "--explain needs the name of one program, as in "
              "writewatch --explain game.exe" );
    if (read_config( &config, &error )) fail( EXIT_USAGE, "%s", error );
    settle_variables();
    program = program_of( args[0] );
    printf( "What applies to %s:\n", program );
    for (key = 0; key < KEY_COUNT; key++) explain_key( &config, key, program );
    if ((value = getenv( "WINE_DISABLE_KERNEL_WRITEWATCH" )) && *value && strcmp( value, "0" ))
        printf( "WINE_DISABLE_KERNEL_WRITEWATCH is set: writewatch is off whatever is above.\n" );
    if ((programs = getenv( "WRITEWATCH_PROGRAMS" )))
        printf( "A writewatch around this one has read the files; for single programs it passes:\n"
                "%10s%s\n", "", *programs ? programs : "nothing" );
    return finish_output( 0 );
}
