/*
 * Preloaded into Wine by a test: forks a process without executing another program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A library of the system in a Wine process may do so. The test asks for the attributes of files
 * that do not exist, which Wine looks for in the same thread:
 *
 * writewatch-fork-N    forks; is a directory in the child, and a file in the parent
 * writewatch-clone-N   the same without the C library
 * writewatch-exit-N    ends the child with that status
 * writewatch-wait-N    is a file if the last child has ended with status 0
 *
 * N only makes names differ.
 */

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANGS 300   /* seconds */

static pid_t child;
static char last_name[64];
static const char *last_answer;

static int has_passed(void)
{
    int status, ret;

    while ((ret = waitpid( child, &status, 0 )) == -1 && errno == EINTR) /* nothing */;
    return ret == child && !status;
}

/* what stands for a file that the test asks for; "" if it is not to be found */
static const char *do_request( const char *name )
{
    if (!strncmp( name, "exit-", 5 )) _exit( atoi( name + 5 ));
    if (!strncmp( name, "wait-", 5 )) return has_passed() ? "/proc/self/exe" : "";
    if (!strncmp( name, "fork-", 5 )) child = fork();
    else if (!strncmp( name, "clone-", 6 )) child = syscall( SYS_clone, SIGCHLD, 0, 0, 0, 0 );
    else return "";
    if (!child) alarm( HANGS );
    return child ? "/proc/self/exe" : "/";
}

/* Wine may look more than once. Case is as it likes it. */
static const char *replace( const char *path )
{
    static const char prefix[] = "/writewatch-";
    const char *name = path ? strrchr( path, '/' ) : NULL;

    if (!name || strncmp( name, prefix, sizeof(prefix) - 1 )) return path;
    name += sizeof(prefix) - 1;
    if (strncmp( name, "fork-", 5 ) && strncmp( name, "clone-", 6 ) && strncmp( name, "exit-", 5 )
        && strncmp( name, "wait-", 5 )) return path;
    if (strlen( name ) >= sizeof(last_name)) return path;
    if (strcmp( last_name, name ))
    {
        strcpy( last_name, name );
        last_answer = do_request( name );
    }
    return last_answer;
}

#define REPLACE( function, type ) \
__attribute__((visibility("default"))) int function( const char *path, type *st ) \
{ \
    int (*next)( const char *, type * ) = dlsym( RTLD_NEXT, #function ); \
    return next( replace( path ), st ); \
}

#define REPLACE_AT( function, type ) \
__attribute__((visibility("default"))) int function( int dir, const char *path, type *st, \
                                                     int flags ) \
{ \
    int (*next)( int, const char *, type *, int ) = dlsym( RTLD_NEXT, #function ); \
    return next( dir, replace( path ), st, flags ); \
}

#ifdef __i386__
/* what stat() is with times of 64 bits */
REPLACE( __stat64_time64, void )
REPLACE( __lstat64_time64, void )
REPLACE_AT( __fstatat64_time64, void )
#endif
REPLACE( stat, struct stat )
REPLACE( lstat, struct stat )
REPLACE_AT( fstatat, struct stat )
