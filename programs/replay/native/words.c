/*
 * What the files of writewatch-replay say alike
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "front.h"

/***********************************************************************
 *           fail
 *
 * Prints one sentence and ends the program with the given status.
 */
void fail( int status, const char *format, ... )
{
    va_list args;

    fflush( stdout );
    fputs( "writewatch-replay: ", stderr );
    va_start( args, format );
    vfprintf( stderr, format, args );
    va_end( args );
    fputc( '\n', stderr );
    exit( status );
}

char *join( const char *first, const char *second, const char *third )
{
    char *ret;

    if (asprintf( &ret, "%s%s%s", first, second, third ) < 0) fail( EXIT_USAGE, "out of memory" );
    return ret;
}
