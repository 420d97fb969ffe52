/*
 * The page by which the processes of a run know of each other
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/run_page.h"
#include "preload/status_page.h"
#include "runner.h"

#define RUN_NAME "run."

/* the same on all processors; glibc has it from 2.32 on */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* closes all but standard descriptors; one by one before Linux 5.9 */
static void close_others(void)
{
    int fd;

    if (!syscall( SYS_close_range, 3, ~0u, 0 )) return;
    for (fd = 3; fd < 1024; fd++) close( fd );
}

/* Removes the pages of runs whose command has ended: the process that waits for its end holds a
 * lock. Its id says nothing, as it may run in another container that shares the folder. */
static void remove_old_runs( const char *folder )
{
    DIR *dir = opendir( folder );
    struct dirent *entry;
    int fd;

    if (!dir) return;
    while ((entry = readdir( dir )))
    {
        if (strncmp( entry->d_name, RUN_NAME, strlen( RUN_NAME ))) continue;
        fd = openat( dirfd( dir ), entry->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC );
        if (fd == -1) continue;
        if (!flock( fd, LOCK_EX | LOCK_NB )) unlinkat( dirfd( dir ), entry->d_name, 0 );
        close( fd );
    }
    closedir( dir );
}

static void set_command( struct run_page *page, int count, char **args )
{
    size_t len = 0;
    char *p;
    int i;

    for (i = 0; i < count && len < sizeof(page->command) - 1; i++)
        len += snprintf( page->command + len, sizeof(page->command) - len, "%s%s", i ? " " : "",
                         args[i] );
    for (p = page->command; *p; p++) if ((unsigned char)*p < ' ') *p = '?';
}

static void log_summary( const char *log, const struct run_page *page )
{
    static const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = strcmp( log, "-" ) ? open( log, flags, 0600 ) : 2;

    if (fd != -1 && *run_summary( page )) dprintf( fd, "writewatch: %s\n", run_summary( page ));
}

/***********************************************************************
 *           wait_for_end
 *
 * Leaves behind a process, no child of the command's, that waits until the command has ended. It
 * logs the summary if the command has not done so, as it was killed or is no program that the
 * library is loaded into, and removes the page.
 */
static void wait_for_end( const char *log, const char *file, int fd )
{
    struct pollfd end = { .fd = syscall( SYS_pidfd_open, getpid(), 0 ), .events = POLLIN };
    struct run_page *page;
    pid_t child;

    if (end.fd == -1) return;
    if (!(child = fork()))
    {
        if (fork()) _exit( 0 );
        setsid();
        if (chdir( "/" )) _exit( 1 );
        page = mmap( NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
        /* the second one with its lock */
        if (page == MAP_FAILED || dup2( end.fd, 0 ) || dup2( fd, 1 ) != 1) _exit( 1 );
        end.fd = 0;
        /* whatever the caller waits for the end of */
        if (strcmp( log, "-" )) close( 2 );
        close_others();
        while (poll( &end, 1, -1 ) != 1) continue;
        if (!__atomic_exchange_n( &page->ended, 1, __ATOMIC_RELAXED )) log_summary( log, page );
        unlink( file );
        _exit( 0 );
    }
    close( end.fd );
    if (child > 0) waitpid( child, NULL, 0 );
}

/***********************************************************************
 *           begin_run
 *
 * Makes the page; if that cannot be done, each process logs as if it were alone. The command will
 * have the id of this process.
 */
void begin_run( const char *log, int count, char **args )
{
    static const char * const folders[] = STATUS_FOLDERS;
    struct run_page page = { .magic = RUN_MAGIC, .pid = getpid() };
    char id[16], *folder, *file;
    unsigned int i;
    int fd;

    unsetenv( "WRITEWATCH_RUN" );
    set_command( &page, count, args );
    snprintf( id, sizeof(id), "%u", (unsigned int)geteuid() );
    for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
    {
        folder = join( folders[i], id, "" );
        if (!own_directory( folder )) continue;
        remove_old_runs( folder );
        file = join( folder, "/" RUN_NAME "XXXXXX", "" );
        if ((fd = mkostemp( file, O_CLOEXEC )) == -1) continue;
        if (!flock( fd, LOCK_SH ) && write( fd, &page, sizeof(page) ) == (ssize_t)sizeof(page))
        {
            set_variable( "WRITEWATCH_RUN", file );
            wait_for_end( log, file, fd );
        }
        else unlink( file );
        close( fd );
        return;
    }
}
