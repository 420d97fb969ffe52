/*
 * What a replay needs of the system: a Windows program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform.h"
#include "worker.h"

int platform_open( char *reason, size_t len )
{
    (void)reason;
    (void)len;
    return 0;
}

const char *platform_mechanism(void)
{
    return "GetWriteWatch";
}

uint64_t platform_now(void)
{
    LARGE_INTEGER counter, frequency;

    QueryPerformanceCounter( &counter );
    QueryPerformanceFrequency( &frequency );
    return counter.QuadPart / frequency.QuadPart * 1000000000ull +
           counter.QuadPart % frequency.QuadPart * 1000000000ull / frequency.QuadPart;
}

void platform_binary_input(void)
{
    _setmode( _fileno( stdin ), _O_BINARY );
}

int main( int argc, char **argv )
{
    return worker_main( argc > 1 ? strtoul( argv[1], NULL, 10 ) : 0 );
}
