/*
 * Wine processes that have no status page
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/status/status_reader.h"
#include "runner.h"

/* What the mappings and descriptors of a process say. */
struct wine_process
{
    int  pid;
    int  is_wine;
    int  has_library;
    int  has_userfaultfd;
    char program[64];
};

static FILE *open_proc( int pid, const char *name )
{
    char path[64];

    snprintf( path, sizeof(path), "/proc/%d/%s", pid, name );
    return fopen( path, "re" );
}

static void read_mappings( struct wine_process *process )
{
    FILE *file = open_proc( process->pid, "maps" );
    char *line = NULL;
    size_t size = 0;

    while (file && getline( &line, &size, file ) > 0)
    {
        if (strstr( line, "/ntdll.so\n" )) process->is_wine = 1;
        if (strstr( line, "/" LIBRARY "\n" )) process->has_library = 1;
    }
    free( line );
    if (file) fclose( file );
}

static void read_descriptors( struct wine_process *process )
{
    char path[64], target[64];
    struct dirent *entry;
    ssize_t len;
    DIR *dir;

    snprintf( path, sizeof(path), "/proc/%d/fd", process->pid );
    if (!(dir = opendir( path ))) return;
    while ((entry = readdir( dir )))
    {
        if ((len = readlinkat( dirfd( dir ), entry->d_name, target, sizeof(target) - 1 )) <= 0)
            continue;
        target[len] = 0;
        if (!strcmp( target, "anon_inode:[userfaultfd]" )) process->has_userfaultfd = 1;
    }
    closedir( dir );
}

/* Wine writes the program's command line to where that of the loader was */
static void read_program( struct wine_process *process )
{
    FILE *file = open_proc( process->pid, "cmdline" );
    char buffer[4096], *name = buffer, *p;
    size_t size = file ? fread( buffer, 1, sizeof(buffer) - 1, file ) : 0;

    buffer[size] = 0;
    if (file) fclose( file );
    for (p = buffer; *p; p++) if (*p == '/' || *p == '\\') name = p + 1;
    snprintf( process->program, sizeof(process->program), "%.63s", name );
    for (p = process->program; *p; p++) if (!isprint( (unsigned char)*p )) *p = '?';
}

static int has_page( int pid )
{
    struct status_file file;
    int ret;

    if (status_open( pid, &file ) != STATUS_OK) return 0;
    ret = status_is_alive( &file );
    status_close( &file );
    return ret;
}

static int is_meant( const struct wine_process *process, const char *what )
{
    struct status_info info = { .pid = process->pid };

    snprintf( info.program, sizeof(info.program), "%s", process->program );
    return status_is_meant( &info, what );
}

static int is_of_this_user( int pid )
{
    struct stat st;
    char path[32];

    snprintf( path, sizeof(path), "/proc/%d", pid );
    return !stat( path, &st ) && st.st_uid == geteuid();
}

static void print_reason( const struct wine_process *process )
{
    const char *reason = "active; watches no memory, or is in a container with a /dev/shm of its "
                         "own";

    if (!process->has_library) reason = "not active: it was started without writewatch";
    else if (!process->has_userfaultfd)
        reason = "not active: writewatch --check, or a log, says why";
    printf( "%d %s: %s\n", process->pid, process->program, reason );
}

/***********************************************************************
 *           print_unwatched
 *
 * Prints the Wine processes of this user that watch no memory, or those that are meant. Returns how
 * many.
 */
int print_unwatched( const char *what )
{
    struct dirent *entry;
    DIR *dir = opendir( "/proc" );
    int count = 0;

    while (dir && (entry = readdir( dir )))
    {
        struct wine_process process = { .pid = atoi( entry->d_name ) };

        if (process.pid <= 0 || !is_of_this_user( process.pid )) continue;
        read_mappings( &process );
        if (!process.is_wine || has_page( process.pid )) continue;
        read_program( &process );
        if (what && !is_meant( &process, what )) continue;
        read_descriptors( &process );
        print_reason( &process );
        count++;
    }
    if (dir) closedir( dir );
    return count;
}
