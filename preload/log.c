/*
 * The log, if the user asks for it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"
#include "run.h"
#include "settings.h"

/***********************************************************************
 *           open_log
 *
 * Opens the file that WRITEWATCH_LOG names, `-` for standard error, or returns -1. Creates the file
 * for its owner only. In a shared directory another user may have placed something there: a link is
 * not followed, and a pipe does not block the program.
 */
static int open_log(void)
{
    const char *file = setting( SETTING_LOG );
    static const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
                             O_CLOEXEC;

    if (!file || !*file) return -1;
    return strcmp( file, "-" ) ? open( file, flags, 0600 ) : 2;
}

static void close_log( int fd )
{
    if (fd > 2) close( fd );
}

/* each line in one call, as many processes share the file */
__attribute__((format( printf, 2, 3 )))
static void write_line( int fd, const char *format, ... )
{
    char line[640];
    va_list args;
    int len;

    va_start( args, format );
    len = vsnprintf( line, sizeof(line), format, args );
    va_end( args );
    if (len >= (int)sizeof(line))
    {
        len = sizeof(line) - 1;
        line[len - 1] = '\n';
    }
    if (write( fd, line, len ) != len) { /* no way to report it */ }
}

/***********************************************************************
 *           write_header
 *
 * Once a run: what ran, when, and on what.
 */
static void write_header( int fd )
{
    const struct run_page *run = run_page();
    char when[32] = "";
    struct utsname host;
    struct tm tm;
    time_t now;

    if (!run || run_count( headers )) return;
    if (uname( &host )) strcpy( host.release, "?" );
    time( &now );
    if (localtime_r( &now, &tm )) strftime( when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", &tm );
    write_line( fd, "writewatch: version " VERSION ", %s%sLinux %s, %s: %.*s\n",
                wine_version(), *wine_version() ? ", " : "", host.release, when,
                (int)sizeof(run->command), run->command );
}

void log_line( const char *format, ... )
{
    char message[480];
    va_list args;
    int fd;

    if ((fd = open_log()) == -1) return;
    va_start( args, format );
    vsnprintf( message, sizeof(message), format, args );
    va_end( args );
    write_header( fd );
    write_line( fd, "writewatch: %d %s: %s\n", (int)getpid(), program_name(), message );
    close_log( fd );
}

int log_is_for_all(void)
{
    const char *value = setting( SETTING_LOG_ALL );

    return !run_page() || (value && !strcmp( value, "1" ));
}

/***********************************************************************
 *           first_in_process
 *
 * Whether Wine has not loaded ntdll.so in this process before: its loader may execute itself again.
 * An environment variable records it.
 */
static int first_in_process(void)
{
    static const char mark[] = "WRITEWATCH_LOGGED";
    const char *value;
    char pid[16];

    snprintf( pid, sizeof(pid), "%d", (int)getpid() );
    if ((value = secure_getenv( mark )) && !strcmp( value, pid )) return 0;
    setenv( mark, pid, 1 );
    return 1;
}

/***********************************************************************
 *           log_active
 *
 * Writes the line about this process when it begins, or when it first watches memory. Most of
 * Wine's processes never do.
 */
void log_active( const char *line, int watches )
{
    static int written;

    if (watches) run_count( watching );
    else
    {
        written = !first_in_process();
        if (!written) run_count( wine_processes );
        if (!log_is_for_all())
        {
            written = 0;
            return;
        }
    }
    if (!written) log_line( "%s", line );
    written = 1;
}

/***********************************************************************
 *           log_not_active
 *
 * Writes why this process is not active. The reason is most often that of all processes of a run.
 */
void log_not_active( const char *line )
{
    if (!first_in_process()) return;
    run_count( wine_processes );
    if (!run_count( not_active ) || log_is_for_all()) log_line( "%s", line );
}
