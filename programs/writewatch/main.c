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
#include "check_report.h"
#include "config.h"

static int is_windows_program( const char *path )
{
    char magic[2] = { 0 };
    FILE *file = fopen( path, "re" );

    if (!file) return 0;
    if (fread( magic, 1, sizeof(magic), file ) != sizeof(magic)) magic[0] = 0;
    fclose( file );
    return magic[0] == 'M' && magic[1] == 'Z';
}

/***********************************************************************
 *           run_command
 *
 * As execvp() does it; but that passes a file that the kernel cannot run to the shell, which makes
 * nothing good of a Windows program.
 */
__attribute__((noreturn)) static void run_command( char **argv )
{
    const char *name = argv[0], *path = strchr( name, '/' ) ? name : find_command( name );
    int error;

    if (path && is_windows_program( path ))
    {
        execv( path, argv );  /* binfmt_misc may name a Wine for these */
        fail( EXIT_NOT_EXECUTABLE, "%s is a Windows program: put wine before it.", name );
    }
    execvp( name, argv );
    error = errno;
    if (!path && is_windows_program( name ))
        fail( EXIT_NOT_FOUND, "%s is no command, but a Windows program in the current directory: "
              "put wine before it.", name );
    fail( error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
          "cannot run %s: %s", name, strerror( error ) );
}

/* what the library is to know, and the library itself */
static void set_up( struct runner *runner, int count, char **command )
{
    struct config config;
    const char *error;

    if (runner->off)
    {
        drop_preload( find_root() );
        return;
    }
    if (read_config( &config, &error )) fail( EXIT_USAGE, "%s", error );
    settle_variables();
    apply_config( &config );
    runner->log = getenv( "WRITEWATCH_LOG" );
    if (!runner->log && runner->stats) runner->log = "-";
    if (runner->log) set_log( runner->log );
    runner->log = getenv( "WRITEWATCH_LOG" );   /* with an absolute path now */
    if (runner->log && *runner->log) begin_run( runner->log, count, command );
    if (runner->record && *runner->record) set_record( runner->record );
    remove_old_pages();
    preload( find_root() );
}

int main( int argc, char *argv[] )
{
    struct runner runner = { .log = getenv( "WRITEWATCH_LOG" ),
                             .record = getenv( "WRITEWATCH_RECORD" ) };
    int first = parse_options( &runner, argc, argv );

    if (runner.instead) return runner.instead( &runner, argc - first, argv + first );
    if (first == argc)
        fail( EXIT_USAGE, "which command? Usage: writewatch [OPTION...] COMMAND [ARGUMENT...]" );
    set_up( &runner, argc - first, argv + first );
    run_command( argv + first );
}
