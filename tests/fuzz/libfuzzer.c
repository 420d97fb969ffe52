/*
 * The fuzzer as a target of libFuzzer
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>

#include "fuzz.h"

extern int LLVMFuzzerTestOneInput( const uint8_t *data, size_t size );

void fuzz_failed( const char *format, ... )
{
    va_list args;

    va_start( args, format );
    vfprintf( stderr, format, args );
    va_end( args );
    fputc( '\n', stderr );
    abort();
}

int LLVMFuzzerTestOneInput( const uint8_t *data, size_t size )
{
    if (!areas[0].base) arena_make();
    fuzz_one( data, size );
    return 0;
}
