/*
 * Runs a function in a child process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"
#include "check_report.h"

/***********************************************************************
 *           wait_for
 *
 * Waits until the process ends, which is killed with its group when the time is over. Returns its
 * status, or -1 if it was killed.
 */
static int wait_for( pid_t pid, unsigned int seconds )
{
    static const struct timespec pause = { 0, 5000000 };
    struct timespec start, now;
    int status;

    clock_gettime( CLOCK_MONOTONIC, &start );
    for (;;)
    {
        if (waitpid( pid, &status, WNOHANG ) == pid) return status;
        clock_gettime( CLOCK_MONOTONIC, &now );
        if (now.tv_sec - start.tv_sec >= (time_t)seconds) break;
        nanosleep( &pause, NULL );
    }
    kill( -pid, SIGKILL );
    waitpid( pid, &status, 0 );
    return -1;
}

/***********************************************************************
 *           run_child
 *
 * Returns the exit status, 128 and the signal if one ended it, or -1 if it took too long or there
 * could be no child. The output goes through a file: what the child starts may outlive it and keep
 * a pipe open.
 */
int run_child( struct child *child )
{
    FILE *file = tmpfile();
    size_t len;
    pid_t pid;
    int status, fd;

    child->output[0] = 0;
    fd = file ? fileno( file ) : -1;
    fflush( stdout );
    if ((pid = fork()) == -1)
    {
        snprintf( child->output, sizeof(child->output), "no process" );
        if (file) fclose( file );
        return -1;
    }
    if (!pid)
    {
        setpgid( 0, 0 );
        if (fd == -1) _exit( EXIT_USAGE );
        if (dup2( fd, STDOUT_FILENO ) == -1 || dup2( fd, STDERR_FILENO ) == -1) _exit( EXIT_USAGE );
        child->run( child->arg );
        _exit( EXIT_USAGE );
    }
    setpgid( pid, pid );
    status = wait_for( pid, child->seconds );
    if (file)
    {
        rewind( file );
        len = fread( child->output, 1, sizeof(child->output) - 1, file );
        child->output[len] = 0;
        fclose( file );
    }
    else snprintf( child->output, sizeof(child->output), "no temporary file" );
    if (status == -1) return -1;
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : 128 + WTERMSIG( status );
}
