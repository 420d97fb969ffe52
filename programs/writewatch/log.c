/*
 * Sets where the library logs to
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

/***********************************************************************
 *           check_log
 *
 * The library is silent when it cannot write its log, so check here.
 */
static void check_log( const char *file )
{
    char *dir = join( file, "", "" ), *slash = strrchr( dir, '/' );

    if (!access( file, W_OK )) return;
    if (errno == ENOENT)
    {
        if (slash) slash[slash == dir] = 0;
        if (!access( dir, W_OK | X_OK )) return;
    }
    fail( EXIT_USAGE, "the log %s cannot be written: %s", file, strerror( errno ) );
}

/***********************************************************************
 *           set_log
 *
 * Sets WRITEWATCH_LOG to an absolute path, because programs change their current directory.
 */
void set_log( const char *file )
{
    char *cwd;

    if (file[0] == '/' || !file[0] || !strcmp( file, "-" ))
    {
        if (file[0] == '/') check_log( file );
        set_variable( "WRITEWATCH_LOG", file );
        return;
    }
    if (!(cwd = getcwd( NULL, 0 )))
        fail( EXIT_USAGE, "cannot find the current directory, which contains the log file: %s",
              strerror( errno ) );
    check_log( file = join( cwd, "/", file ) );
    set_variable( "WRITEWATCH_LOG", file );
}
