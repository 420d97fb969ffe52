/*
 * The settings of the user: where they come from, and which apply
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CONFIG_H
#define WRITEWATCH_CONFIG_H

#include <stddef.h>

enum key { KEY_OFF, KEY_BACKEND, KEY_LOG, KEY_STATS, KEY_LOG_ALL, KEY_STATUS, KEY_COUNT };

/* One key: its name in files, and the variable by which the library gets it. */
struct key_row
{
    const char *name;
    const char *variable;
    const char *yes, *no;      /* what the variable has for these; NULL if it is no yes or no */
    const char *by_default;    /* for --explain */
};

extern const struct key_row key_rows[KEY_COUNT];

/* One line of a file. */
struct setting
{
    enum key    key;
    const char *program;       /* in small letters; NULL: all programs */
    const char *value;         /* as the variable has it */
    const char *file;
    unsigned int line;
    unsigned int rank;         /* of the file: the user's is 0 and goes before the system's, 1 */
};

struct config
{
    struct setting *settings;
    size_t          count;
};

/* What applies to a program, and why: a setting, or a variable of the environment, or neither. */
struct choice
{
    const struct setting *setting;
    const char           *variable;   /* its value */
    const char           *option;     /* the option that has set the variable, or NULL */
};

/* keys.c: values as the variables have them; NULL and a clause in *error if there is no such one */
extern int find_key( const char *name, enum key *key, const char **error );
extern const char *read_value( enum key key, const char *value, const char **error );
extern const char *read_truth( enum key key, const char *value );

/* config.c: reads the files. Returns 0, or -1 and a sentence with file and line. */
extern int read_config( struct config *config, const char **error );

/* apply.c */
extern void settle_variables(void);
extern void set_option( enum key key, const char *value, const char *option );
extern struct choice choose( const struct config *config, enum key key, const char *program );
extern void apply_config( const struct config *config );

#endif /* WRITEWATCH_CONFIG_H */
