/*
 * The keys of the configuration, and their values
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runner.h"
#include "config.h"

const struct key_row key_rows[KEY_COUNT] =
{
    [KEY_OFF]     = { "off",     "WRITEWATCH",         "off", "on", "no" },
    [KEY_BACKEND] = { "backend", "WRITEWATCH_BACKEND", NULL, NULL, "scan, in the form that works" },
    [KEY_LOG]     = { "log",     "WRITEWATCH_LOG",     NULL, NULL, "none" },
    [KEY_STATS]   = { "stats",   "WRITEWATCH_STATS",   "1", "0", "no" },
    [KEY_LOG_ALL] = { "log-all", "WRITEWATCH_LOG_ALL", "1", "0", "no" },
    [KEY_STATUS]  = { "status",  "WRITEWATCH_STATUS",  "1", "0", "yes" },
};

static const char * const truths[] = { "yes", "no", "on", "off", "true", "false", "1", "0" };
static const char * const backends[] = { "scan", "scan:marked", "scan:unmarked" };

#define COUNT( array ) (sizeof(array) / sizeof((array)[0]))

/* whether the preloaded library has a backend of that name */
int is_backend( const char *name )
{
    size_t i;

    for (i = 0; i < COUNT( backends ); i++) if (!strcmp( name, backends[i] )) return 1;
    return 0;
}

/***********************************************************************
 *           distance
 *
 * How many characters must be put in, left out or changed to make one word of the other; more than
 * what makes sense to ask for is not counted.
 */
static unsigned int distance( const char *word, const char *other )
{
    unsigned int row[32], before, above, i, j, len = strlen( other );

    if (strlen( word ) >= 31 || len >= 31) return 31;
    for (j = 0; j <= len; j++) row[j] = j;
    for (i = 0; word[i]; i++)
    {
        before = row[0]++;
        for (j = 1; j <= len; j++)
        {
            above = row[j];
            row[j] = before + (word[i] != other[j - 1]);
            if (above + 1 < row[j]) row[j] = above + 1;
            if (row[j - 1] + 1 < row[j]) row[j] = row[j - 1] + 1;
            before = above;
        }
    }
    return row[len];
}

/* the nearest of some words */
static const char *nearest( const char *word, const char * const *words, size_t count )
{
    const char *ret = words[0];
    size_t i;

    for (i = 1; i < count; i++)
        if (distance( word, words[i] ) < distance( word, ret )) ret = words[i];
    return ret;
}

/***********************************************************************
 *           find_key
 */
int find_key( const char *name, enum key *key, const char **error )
{
    const char *names[KEY_COUNT];
    unsigned int i;

    for (i = 0; i < KEY_COUNT; i++)
    {
        names[i] = key_rows[i].name;
        if (strcmp( name, names[i] )) continue;
        *key = i;
        return 1;
    }
    *error = join( "there is no key \"", name,
                   join( "\"; did you mean \"", nearest( name, names, KEY_COUNT ), "\"?" ));
    return 0;
}

/* the value of the variable for a word that means yes or no, in any case; NULL for other words */
const char *read_truth( enum key key, const char *value )
{
    size_t i;

    for (i = 0; i < COUNT( truths ); i++)
        if (!strcasecmp( value, truths[i] )) return i % 2 ? key_rows[key].no : key_rows[key].yes;
    return NULL;
}

/***********************************************************************
 *           read_value
 */
const char *read_value( enum key key, const char *value, const char **error )
{
    const char *ret, *home = getenv( "HOME" );

    if (key_rows[key].yes)
    {
        if ((ret = read_truth( key, value ))) return ret;
        *error = join( "\"", value, join( "\" is neither yes nor no; did you mean \"",
                                          nearest( value, truths, COUNT( truths )), "\"?" ));
        return NULL;
    }
    if (key == KEY_BACKEND)
    {
        if (is_backend( value )) return value;
        *error = join( "there is no backend \"", value,
                       join( "\"; did you mean \"",
                             nearest( value, backends, COUNT( backends )), "\"?" ));
        return NULL;
    }
    if (value[0] == '~' && value[1] == '/' && home && *home == '/')
        value = join( home, value + 1, "" );
    if (!*value || *value == '/' || !strcmp( value, "-" )) return value;
    *error = join( "\"", value, "\" is no absolute path: it must begin with / or ~/, or be - for "
                   "standard error" );
    return NULL;
}
