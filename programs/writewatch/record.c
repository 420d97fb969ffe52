/*
 * Sets where the library records to
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

/* Returns whether what a file begins with is the line that begins a process in a record:
 * PID SECONDS.MICROSECONDS writewatch ... */
static int is_record( const char *text )
{
    static const char digits[] = "0123456789";
    size_t pid = strspn( text, digits ), time;

    if (!pid || text[pid] != ' ') return 0;
    text += pid + 1;
    time = strspn( text, "0123456789." );
    return time && !strncmp( text + time, " writewatch ", 12 );
}

/***********************************************************************
 *           set_record
 *
 * Creates the file and sets WRITEWATCH_RECORD to its absolute path. The library can say in its log
 * only that it cannot write, so check here. It appends, and must not do so to a file of another
 * sort.
 */
void set_record( const char *file )
{
    char text[64], *cwd;
    struct stat st;
    ssize_t len;
    int fd;

    if (file[0] != '/')
    {
        if (!(cwd = getcwd( NULL, 0 )))
            fail( EXIT_USAGE, "cannot find the current directory, which contains the record: %s",
                  strerror( errno ) );
        file = join( cwd, "/", file );
    }
    fd = open( file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
               0600 );
    if (fd == -1 || fstat( fd, &st ))
        fail( EXIT_USAGE, "the record %s cannot be written: %s", file, strerror( errno ) );
    if (!S_ISREG( st.st_mode ) && !S_ISCHR( st.st_mode ))
        fail( EXIT_USAGE, "the record %s cannot be written: it is not a file.", file );
    if (S_ISREG( st.st_mode ) && st.st_size)
    {
        if ((len = pread( fd, text, sizeof(text) - 1, 0 )) < 0) len = 0;
        text[len] = 0;
        if (!is_record( text ))
            fail( EXIT_USAGE, "%s is there already and is no record: name another file.", file );
    }
    close( fd );
    set_variable( "WRITEWATCH_RECORD", file );
}
