/*
 * Sets where the library logs to
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner.h"

/* a relative path is one of the current directory; NULL if that is not known */
static char *absolute( const char *file )
{
    char *cwd;

    if (file[0] == '/' || !file[0] || !strcmp( file, "-" )) return join( file, "", "" );
    return (cwd = getcwd( NULL, 0 )) ? join( cwd, "/", file ) : NULL;
}

/***********************************************************************
 *           open_problem
 *
 * The library is silent when it cannot write its log, so try here what it does: it opens the file
 * with these flags, and may have to create it. Returns NULL, or what is wrong. A file that was not
 * there is not left behind.
 */
static const char *open_problem( const char *file )
{
    static const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    struct stat st;
    int fd;

    if (!lstat( file, &st ))
    {
        if (S_ISDIR( st.st_mode )) return "it is a folder";
        if (S_ISLNK( st.st_mode )) return "it is a link, which is not followed";
        if ((fd = open( file, flags )) == -1)
            return errno == ENXIO ? "it is a pipe that has no reader" : strerror( errno );
        close( fd );
        return NULL;
    }
    if (errno != ENOENT) return strerror( errno );
    if ((fd = open( file, flags | O_CREAT | O_EXCL, 0600 )) == -1) return strerror( errno );
    close( fd );
    unlink( file );
    return NULL;
}

/***********************************************************************
 *           log_problem
 *
 * Why a log cannot be used, a clause; NULL if it can.
 */
const char *log_problem( const char *file )
{
    char *path = absolute( file );
    const char *problem;

    if (!path)
        return join( "cannot find the current directory, which contains the log file: ",
                     strerror( errno ), "" );
    if (path[0] != '/' || !(problem = open_problem( path ))) return NULL;
    return join( "the log ", path, join( " cannot be written: ", problem, "" ));
}

/***********************************************************************
 *           set_log
 *
 * Sets WRITEWATCH_LOG to an absolute path, because programs change their current directory.
 */
void set_log( const char *file )
{
    const char *problem = log_problem( file );

    if (problem) fail( EXIT_USAGE, "%s", problem );
    set_variable( "WRITEWATCH_LOG", absolute( file ));
}
