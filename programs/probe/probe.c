/*
 * writewatch-probe: loads an ntdll.so, so that the library that is preloaded says what it is
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: writewatch-probe FILE. writewatch --check runs it, one for each word size. The exit status
 * is 0 if the file could be loaded; if not, standard error says why. Nothing in it is called.
 */

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

int main( int argc, char **argv )
{
    if (argc != 2)
    {
        fputs( "Usage: writewatch-probe FILE\n", stderr );
        return 125;
    }
    if (!dlopen( argv[1], RTLD_NOW ))
    {
        fprintf( stderr, "%s\n", dlerror() );
        return 1;
    }
    _exit( 0 );  /* not by the destructors of a library that was never in use */
}
