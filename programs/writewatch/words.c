/*
 * Words and variables, for all files of the runner
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

/***********************************************************************
 *           fail
 *
 * Prints one sentence and ends the program with the given status.
 */
void fail( int status, const char *format, ... )
{
    va_list args;

    fputs( "writewatch: ", stderr );
    va_start( args, format );
    vfprintf( stderr, format, args );
    va_end( args );
    fputc( '\n', stderr );
    exit( status );
}

/***********************************************************************
 *           join
 *
 * Returns a new string, the concatenation of three others.
 */
char *join( const char *first, const char *second, const char *third )
{
    char *ret;

    if (asprintf( &ret, "%s%s%s", first, second, third ) < 0) fail( EXIT_USAGE, "out of memory" );
    return ret;
}

void set_variable( const char *name, const char *value )
{
    if (setenv( name, value, 1 )) fail( EXIT_USAGE, "cannot set %s: %s", name, strerror( errno ) );
}

/***********************************************************************
 *           finish_output
 *
 * What was printed may not have been written, to a device that is full for instance. Returns the
 * exit status that is given if it was.
 */
int finish_output( int status )
{
    if (fflush( stdout ) || ferror( stdout ))
        fail( EXIT_USAGE, "cannot write to standard output: %s", strerror( errno ) );
    return status;
}
