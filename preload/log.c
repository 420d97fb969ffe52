/*
 * The log: one line about each Wine process, if the user asks for it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

static char name[64] = "?";

/***********************************************************************
 *           read_program_name
 *
 * Finds the name of the Windows program: the first argument of the loader, without its path.
 */
static void read_program_name(void)
{
    char buffer[4096], *program, *p;
    ssize_t size = -1;
    int fd;

    if ((fd = open( "/proc/self/cmdline", O_RDONLY | O_CLOEXEC )) != -1)
    {
        size = read( fd, buffer, sizeof(buffer) - 1 );
        close( fd );
    }
    if (size <= 0) return;
    buffer[size] = 0;
    program = buffer + strlen( buffer ) + 1;
    if (program >= buffer + size) program = buffer;
    for (p = program; *p; p++)
    {
        if (*p == '/' || *p == '\\') program = p + 1;
        else if ((unsigned char)*p < ' ') *p = '?';
    }
    /* the precision shows the compiler that truncation is intended */
    snprintf( name, sizeof(name), "%.63s", program );
}

/***********************************************************************
 *           program_name
 *
 * Returns the name. First called while the process starts: Wine later changes /proc/self/cmdline.
 */
const char *program_name(void)
{
    static int read;

    if (!read++) read_program_name();
    return name;
}

/***********************************************************************
 *           log_line
 *
 * Appends a line to the file that WRITEWATCH_LOG names, `-` for standard error. Writes the line in
 * one call, as many processes share the file. Creates the file for its owner only. In a shared
 * directory another user may have placed something there: a link is not followed, and a pipe does
 * not block the program.
 */
void log_line( const char *format, ... )
{
    const char *file = secure_getenv( "WRITEWATCH_LOG" );
    char message[320], line[480];
    static const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
                             O_CLOEXEC;
    va_list args;
    int fd = 2, len;

    if (!file || !*file) return;
    if (strcmp( file, "-" ) && (fd = open( file, flags, 0600 )) == -1) return;

    va_start( args, format );
    vsnprintf( message, sizeof(message), format, args );
    va_end( args );
    len = snprintf( line, sizeof(line), "writewatch: %d %s: %s\n", (int)getpid(), name,
                    message );
    if (write( fd, line, len ) != len) { /* no way to report it */ }
    if (fd != 2) close( fd );
}

/***********************************************************************
 *           log_start
 *
 * Writes the line about this process. Wine's loader may execute itself again and load ntdll.so a
 * second time, in the same process; an environment variable records that the line was written.
 */
void log_start( const char *line )
{
    static const char mark[] = "WRITEWATCH_LOGGED";
    const char *value, *file = secure_getenv( "WRITEWATCH_LOG" );
    char pid[16];

    if (!file || !*file) return;
    program_name();
    snprintf( pid, sizeof(pid), "%d", (int)getpid() );
    if ((value = secure_getenv( mark )) && !strcmp( value, pid )) return;
    setenv( mark, pid, 1 );
    log_line( "%s", line );
}
