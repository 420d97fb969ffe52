/*
 * What all of writewatch-top says and hears
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>

#include "top.h"

volatile int end_signal;

void complain( const char *format, ... )
{
    va_list args;

    fflush( stdout );
    fputs( "writewatch-top: ", stderr );
    va_start( args, format );
    vfprintf( stderr, format, args );
    va_end( args );
    fputc( '\n', stderr );
}
