/*
 * writewatch: starts a command with libwritewatch-preload.so preloaded
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

static int is_windows_program( const char *path )
{
    char magic[2] = { 0 };
    FILE *file = fopen( path, "re" );

    if (!file) return 0;
    if (fread( magic, 1, sizeof(magic), file ) != sizeof(magic)) magic[0] = 0;
    fclose( file );
    return magic[0] == 'M' && magic[1] == 'Z';
}

int main( int argc, char *argv[] )
{
    struct runner runner = { .log = getenv( "WRITEWATCH_LOG" ),
                             .record = getenv( "WRITEWATCH_RECORD" ) };
    int first = parse_options( &runner, argc, argv ), error;

    if (runner.instead) return runner.instead( &runner, argc - first, argv + first );
    if (first == argc)
        fail( EXIT_USAGE, "which command? Usage: writewatch [OPTION...] COMMAND [ARGUMENT...]" );

    if (runner.log) set_log( runner.log );
    if (runner.record && *runner.record) set_record( runner.record );
    preload( find_root() );

    /* execvp() passes a file that the kernel cannot run to the shell; not a Windows program */
    if (strchr( argv[first], '/' ))
    {
        execv( argv[first], argv + first );
        if (errno == ENOEXEC && is_windows_program( argv[first] ))
            fail( EXIT_NOT_EXECUTABLE, "%s is a Windows program: put wine before it.",
                  argv[first] );
    }
    execvp( argv[first], argv + first );
    error = errno;
    fail( error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
          "cannot run %s: %s", argv[first], strerror( error ) );
}
