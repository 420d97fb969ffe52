/*
 * Finds what belongs to writewatch-replay: the runner and the Windows programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

#define WINDOWS_PROGRAM "/writewatch-replay.exe"

static int ends_with( const char *path, const char *end )
{
    size_t len = strlen( path ), end_len = strlen( end );

    return len >= end_len && !strcmp( path + len - end_len, end );
}

/* the directory of this program */
static char *own_directory(void)
{
    static char self[PATH_MAX];
    ssize_t len = readlink( "/proc/self/exe", self, sizeof(self) - 1 );
    char *slash;

    if (len <= 0) return NULL;
    self[len] = 0;
    if ((slash = strrchr( self, '/' ))) *slash = 0;
    return self;
}

char *find_runner(void)
{
    char *dir = own_directory(), *path;

    if (!dir) return NULL;
    path = ends_with( dir, "/programs/replay" ) ? join( dir, "/../writewatch/writewatch", "" ) :
           join( dir, "/writewatch", "" );
    return access( path, X_OK ) ? NULL : path;
}

/***********************************************************************
 *           find_windows_program
 *
 * In the build tree the programs of the two word sizes lie in the same folders as installed, below
 * this program. An installed tree may have another prefix, or have been moved as a whole.
 */
char *find_windows_program( unsigned int bits )
{
    const char *lib = bits == 8 * sizeof(void *) ? LOADER_LIB : LOADER_LIB32;
    char *dir = own_directory(), *candidates[3], *path, *stem;
    unsigned int i, count = 0;

    if (!*lib) return NULL;
    if (dir && ends_with( dir, "/programs/replay" )) candidates[count++] = dir;
    else if (dir)
    {
        candidates[count++] = join( dir, "/../lib/writewatch", "" );
        if (ends_with( dir, BINDIR ))
        {
            stem = join( dir, "", "" );
            stem[strlen( stem ) - strlen( BINDIR )] = 0;
            candidates[count++] = join( stem, PKGLIBDIR, "" );
        }
    }
    candidates[count++] = join( PKGLIBDIR, "", "" );
    for (i = 0; i < count; i++)
    {
        path = join( candidates[i], "/", join( lib, WINDOWS_PROGRAM, "" ));
        if (!access( path, R_OK )) return path;
    }
    return NULL;
}
