/*
 * Settings of the user, for all programs or for this one
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "preload.h"
#include "settings.h"

/* The runner reads the configuration files and passes what is for all programs in a variable for
 * each setting. What is for single ones is in WRITEWATCH_PROGRAMS:
 *
 *     game.exe:backend=scan:marked;game.exe:log=/tmp/a log;other.exe:off=off
 *
 * NAME:KEY=VALUE, with ; between them and nothing else: no spaces are skipped, nothing is quoted.
 * NAME is in small letters (those of ASCII; case does not count) and at most 63 bytes long, and has
 * no colon, which Windows does not allow either. VALUE is what the variable of the key would have,
 * and has no semicolon. What is not of this form, or longer than the buffer, is ignored. */

static const struct
{
    const char *key;
    const char *variable;
} rows[SETTING_COUNT] =
{
    [SETTING_OFF]     = { "off",     "WRITEWATCH" },
    [SETTING_BACKEND] = { "backend", "WRITEWATCH_BACKEND" },
    [SETTING_LOG]     = { "log",     "WRITEWATCH_LOG" },
    [SETTING_STATS]   = { "stats",   "WRITEWATCH_STATS" },
    [SETTING_LOG_ALL] = { "log-all", "WRITEWATCH_LOG_ALL" },
    [SETTING_STATUS]  = { "status",  "WRITEWATCH_STATUS" },
};

static const char *own[SETTING_COUNT];

/***********************************************************************
 *           take_entry
 *
 * Notes an entry if it is for this program.
 */
static void take_entry( char *entry )
{
    char *key = strchr( entry, ':' ), *value;
    unsigned int i;

    if (!key) return;
    *key++ = 0;
    if (strcasecmp( entry, program_name() ) || !(value = strchr( key, '=' ))) return;
    *value++ = 0;
    for (i = 0; i < SETTING_COUNT; i++) if (!strcmp( key, rows[i].key )) own[i] = value;
}

/* first called when the process begins, while it has one thread */
static void read_own(void)
{
    static char buffer[8192];
    static int done;
    const char *entries;
    char *entry, *next;
    size_t len;

    if (done) return;
    done = 1;
    if (!(entries = secure_getenv( "WRITEWATCH_PROGRAMS" ))) return;
    if ((len = strlen( entries )) >= sizeof(buffer)) return;
    memcpy( buffer, entries, len + 1 );
    for (entry = strtok_r( buffer, ";", &next ); entry; entry = strtok_r( NULL, ";", &next ))
        take_entry( entry );
}

const char *setting( enum setting setting )
{
    read_own();
    return own[setting] ? own[setting] : secure_getenv( rows[setting].variable );
}

int is_for_this_program( enum setting setting )
{
    read_own();
    return own[setting] != NULL;
}

int is_switched_off(void)
{
    static const char * const words[] = { "off", "0", "no", "false" };
    const char *value = setting( SETTING_OFF );
    unsigned int i;

    for (i = 0; value && i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcasecmp( value, words[i] )) return 1;
    return 0;
}
