/*
 * Finds libwritewatch-preload.so and puts it in LD_PRELOAD
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"

/* the characters that separate the entries of LD_PRELOAD; the loader has no way to quote them */
static const char separators[] = " :";

/* the characters that no path in it can contain: the loader expands some words after $ */
static const char unfit[] = " :$";

static int ends_with( const char *path, const char *end )
{
    size_t len = strlen( path ), end_len = strlen( end );

    return len >= end_len && !strcmp( path + len - end_len, end );
}

/***********************************************************************
 *           get_own_path
 *
 * The path of this program; path has PATH_MAX bytes. Without /proc it is the one that the kernel was
 * asked to execute.
 */
static int get_own_path( char *path )
{
    ssize_t len = readlink( "/proc/self/exe", path, PATH_MAX - 1 );
    const char *executed = (const char *)getauxval( AT_EXECFN );

    if (len > 0)
    {
        path[len] = 0;
        return 1;
    }
    return executed && realpath( executed, path );
}

/***********************************************************************
 *           find_root
 *
 * Returns the absolute path of the directory that contains the library, derived from the path of
 * this program: never from the current directory or an environment variable. NULL if there is none.
 */
char *find_root(void)
{
    char self[PATH_MAX], *candidates[4], *slash, *ret;
    unsigned int i, count = 0;

    if (get_own_path( self ))
    {
        if ((slash = strrchr( self, '/' ))) *slash = 0;
        if (ends_with( self, "/programs/writewatch" ))  /* the build tree */
            candidates[count++] = join( self, "/../../preload", "" );
        /* installed with a prefix other than configure's */
        candidates[count++] = join( self, "/../lib/writewatch", "" );
        /* an installed tree moved as a whole, as with DESTDIR */
        if (ends_with( self, BINDIR ))
        {
            self[strlen( self ) - strlen( BINDIR )] = 0;
            candidates[count++] = join( self, PKGLIBDIR, "" );
        }
    }
    candidates[count++] = join( PKGLIBDIR, "", "" );

    for (i = 0; i < count; i++)
        if (!access( join( candidates[i], "/" LOADER_LIB "/", LIBRARY ), R_OK ) &&
            (ret = realpath( candidates[i], NULL ))) return ret;
    return NULL;
}

/***********************************************************************
 *           own_directory
 *
 * Creates the directory if it is missing. Returns whether we own it and only its owner has access.
 */
int own_directory( const char *path )
{
    struct stat st;

    if (mkdir( path, 0700 ) && errno != EEXIST) return 0;
    /* not stat(): a link that another user placed must not be followed */
    if (lstat( path, &st )) return 0;
    return S_ISDIR( st.st_mode ) && st.st_uid == geteuid() && !(st.st_mode & 077);
}

/***********************************************************************
 *           link_in
 *
 * Creates a link to the library's directory in base/writewatch and returns its path, or NULL if
 * that cannot be done safely. The name of the link is a hash of its target, so that several builds
 * of the library do not compete for one name.
 */
static char *link_in( const char *base, const char *root )
{
    unsigned long long hash = 0xcbf29ce484222325ull;
    char *dir, *path, *temp, name[64], target[PATH_MAX];
    const char *p;
    ssize_t len;

    if (!base || base[0] != '/' || strpbrk( base, unfit )) return NULL;
    dir = join( base, "/", "writewatch" );
    if (!own_directory( dir )) return NULL;

    for (p = root; *p; p++) hash = (hash ^ (unsigned char)*p) * 0x100000001b3ull;
    snprintf( name, sizeof(name), "/%016llx", hash );
    path = join( dir, name, "" );

    if ((len = readlink( path, target, sizeof(target) - 1 )) > 0)
    {
        target[len] = 0;
        if (!strcmp( target, root )) return path;
    }
    /* another writewatch may do the same at this moment: rename() makes it one step */
    snprintf( name, sizeof(name), ".%ld", (long)getpid() );
    temp = join( path, name, "" );
    unlink( temp );
    if (symlink( root, temp )) return NULL;
    if (!rename( temp, path )) return path;
    unlink( temp );
    return NULL;
}

/***********************************************************************
 *           preloadable_root
 *
 * Returns a path of the library's directory that LD_PRELOAD can contain. The loader silently
 * ignores one with a space or a colon. NULL if there is no such path.
 */
static char *preloadable_root( char *root )
{
    const char *home = getenv( "HOME" ), *runtime = getenv( "XDG_RUNTIME_DIR" );
    char *ret, *cache = NULL;

    if (!strpbrk( root, unfit )) return root;
    if ((ret = link_in( runtime, root ))) return ret;
    if (home && *home)
    {
        cache = join( home, "/.cache", "" );
        mkdir( cache, 0700 );
        if ((ret = link_in( cache, root ))) return ret;
    }
    return NULL;
}

/***********************************************************************
 *           library_in
 *
 * Returns the path to preload. If both libraries exist and the loader expands $LIB as on the
 * machine where configure ran, the path gives programs of each word size their own library. A
 * loader that finds a library of the wrong size prints a warning at each start of a program.
 */
static char *library_in( const char *root )
{
    char *both = join( root, "/$LIB/", LIBRARY );

    if (*LOADER_LIB32 && !access( join( root, "/" LOADER_LIB32 "/", LIBRARY ), R_OK ) &&
        dlopen( both, RTLD_LAZY | RTLD_LOCAL )) return both;
    return join( root, "/" LOADER_LIB "/", LIBRARY );
}

/***********************************************************************
 *           is_same_library
 *
 * Returns whether an entry of LD_PRELOAD names the library, possibly by another path or by its bare
 * name.
 */
static int is_same_library( const char *entry, const struct stat *library )
{
    const char *slash = strrchr( entry, '/' );
    struct stat st;

    if (!strcmp( slash ? slash + 1 : entry, LIBRARY )) return 1;
    if (!slash) return 0;  /* the loader searches its own directories for it */
    return !stat( entry, &st ) && st.st_dev == library->st_dev && st.st_ino == library->st_ino;
}

/***********************************************************************
 *           preload_list
 *
 * Returns what LD_PRELOAD is to be: the library first, once, and the other entries in order. On
 * failure NULL and the reason, a sentence.
 */
char *preload_list( char *root, const char **reason )
{
    char *library, *list, *entry, *copy, *next, *fit;
    const char *old = getenv( "LD_PRELOAD" );
    struct stat st;

    if (!root)
    {
        *reason = LIBRARY " is neither in the build tree (run make) nor in " PKGLIBDIR
                  " (make install).";
        return NULL;
    }
    library = join( root, "/" LOADER_LIB "/", LIBRARY );
    if (stat( library, &st ))
    {
        *reason = join( "cannot read ", library, join( ": ", strerror( errno ), "" ));
        return NULL;
    }
    if (!(fit = preloadable_root( root )))
    {
        *reason = join( LIBRARY " cannot be preloaded from ", root, " because that path has a "
                        "space, a colon or a dollar sign, and neither $XDG_RUNTIME_DIR nor "
                        "$HOME/.cache can hold a link to it: move it." );
        return NULL;
    }
    list = library_in( fit );
    if (old)
    {
        copy = join( old, "", "" );
        for (entry = strtok_r( copy, separators, &next ); entry;
             entry = strtok_r( NULL, separators, &next ))
            if (!is_same_library( entry, &st )) list = join( list, ":", entry );
    }
    return list;
}

/***********************************************************************
 *           preload
 *
 * Has the library loaded by the command.
 */
void preload( char *root )
{
    const char *reason;
    char *list = preload_list( root, &reason );

    if (!list) fail( root ? EXIT_USAGE : EXIT_NOT_FOUND, "%s", reason );
    set_variable( "LD_PRELOAD", list );
}
