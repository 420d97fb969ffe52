/*
 * Reads the configuration files
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner.h"
#include "config.h"

/* A file that is being read. */
struct reader
{
    struct config *config;
    const char    *file;
    unsigned int   rank;
    unsigned int   line;
    const char    *program;    /* of the section; NULL before the first one */
};

static char *trim( char *text )
{
    size_t len;

    text += strspn( text, " \t" );
    len = strlen( text );
    while (len && strchr( " \t\r\n", text[len - 1] )) len--;
    text[len] = 0;
    return text;
}

/* what the library can tell apart: it passes names between signs, and knows 63 bytes of them */
static const char *program_problem( const char *name )
{
    if (!*name) return "a section needs the name of a program, as in [game.exe]";
    if (strpbrk( name, "/\\:*?\"<>|" ))
        return "a section has the name of a program alone, without its folder, as in [game.exe]";
    if (strchr( name, ';' )) return "the name of a program with a semicolon cannot be used";
    if (strlen( name ) > 63) return "the name of a program must not be longer than 63 bytes";
    return NULL;
}

/***********************************************************************
 *           read_section
 *
 * A line [NAME]. Returns what is wrong with it, or NULL.
 */
static const char *read_section( struct reader *reader, char *line )
{
    size_t len = strlen( line );
    const char *problem;
    char *p;

    if (line[len - 1] != ']') return "a section ends with ], as in [game.exe]";
    line[len - 1] = 0;
    line = trim( line + 1 );
    if ((problem = program_problem( line ))) return problem;
    for (p = line; *p; p++) if (*p >= 'A' && *p <= 'Z') *p += 'a' - 'A';
    reader->program = join( line, "", "" );
    return NULL;
}

/* the line of the same file that has set it before, or NULL */
static const struct setting *find_same( const struct reader *reader, enum key key )
{
    const struct config *config = reader->config;
    size_t i;

    for (i = 0; i < config->count; i++)
    {
        const struct setting *other = &config->settings[i];

        if (other->rank != reader->rank || other->key != key) continue;
        if (!other->program != !reader->program) continue;
        if (!other->program || !strcmp( other->program, reader->program )) return other;
    }
    return NULL;
}

/***********************************************************************
 *           read_setting
 *
 * A line KEY = VALUE. Returns what is wrong with it, or NULL.
 */
static const char *read_setting( struct reader *reader, char *line )
{
    struct setting setting = { .program = reader->program, .file = reader->file,
                               .line = reader->line, .rank = reader->rank };
    struct config *config = reader->config;
    char *value = strchr( line, '=' ), number[16];
    const struct setting *same;
    const char *error;

    if (!value) return "a line is \"KEY = VALUE\", \"[PROGRAM]\" or a comment after #";
    *value++ = 0;
    line = trim( line );
    value = trim( value );
    if (!find_key( line, &setting.key, &error )) return error;
    if (!(value = (char *)read_value( setting.key, value, &error ))) return error;
    if (setting.program && strchr( value, ';' ))
        return "the log of one program must not have a semicolon in its path";
    if ((same = find_same( reader, setting.key )))
    {
        snprintf( number, sizeof(number), "%u", same->line );
        return join( line, " is set already, in line ", number );
    }
    setting.value = join( value, "", "" );
    config->settings = realloc( config->settings, (config->count + 1) * sizeof(setting) );
    if (!config->settings) fail( EXIT_USAGE, "out of memory" );
    config->settings[config->count++] = setting;
    return NULL;
}

/* HOME may be that of another user, whose folders cannot be looked into */
static int is_absent( const char *path, int err )
{
    struct stat st;

    return err == ENOENT || err == ENOTDIR || (err == EACCES && stat( path, &st ));
}

/***********************************************************************
 *           read_file
 *
 * A file that does not exist has no settings.
 */
static int read_file( struct config *config, const char *path, unsigned int rank,
                      const char **error )
{
    struct reader reader = { .config = config, .file = path, .rank = rank };
    const char *problem = NULL;
    char *line = NULL, *text, number[32];
    int has_null;
    size_t size = 0;
    ssize_t len;
    FILE *file = fopen( path, "re" );

    if (!file && is_absent( path, errno )) return 0;
    if (!file)
    {
        *error = join( path, " cannot be read: ", strerror( errno ));
        return -1;
    }
    errno = 0;
    while (!problem && (len = getline( &line, &size, file )) != -1)
    {
        reader.line++;
        has_null = memchr( line, 0, len ) != NULL;
        text = trim( line );
        if (has_null) problem = "a line has a null byte";
        else if (*text == '[') problem = read_section( &reader, text );
        else if (*text && *text != '#') problem = read_setting( &reader, text );
    }
    if (problem)
    {
        snprintf( number, sizeof(number), ":%u: ", reader.line );
        /* a question ends by itself */
        *error = join( path, number, join( problem, ends_with( problem, "?" ) ? "" : ".",
                                             "" ));
    }
    else if (ferror( file ))
        problem = *error = join( path, " cannot be read: ", strerror( errno ));
    free( line );
    fclose( file );
    return problem ? -1 : 0;
}

/***********************************************************************
 *           read_config
 *
 * The user's file and the system's. What a runner reads that another one has started was read
 * already: the variables have it.
 */
int read_config( struct config *config, const char **error )
{
    const char *dir = getenv( "XDG_CONFIG_HOME" ), *home = getenv( "HOME" );

    memset( config, 0, sizeof(*config) );
    if (getenv( "WRITEWATCH_PROGRAMS" )) return 0;
    if (!dir || *dir != '/') dir = home && *home == '/' ? join( home, "/.config", "" ) : NULL;
    if (dir && read_file( config, join( dir, "/writewatch.conf", "" ), 0, error )) return -1;
    return read_file( config, SYSCONFDIR "/writewatch.conf", 1, error );
}
