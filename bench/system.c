/*
 * The benchmark: time, threads and page tables, on Windows and natively
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#endif

#include "bench.h"
#include "system.h"

struct thread
{
    void (*func)( void *arg );
    void  *arg;
#ifdef _WIN32
    HANDLE handle;
#else
    pthread_t handle;
#endif
};

/* The number of KiB behind "VmPTE:" in a status file of /proc, -1 if there is none; with a name
 * only if the process has it. The kernel cuts names off after 15 characters. */
static double read_page_tables( const char *path, const char *name )
{
    char line[256];
    double ret = -1;
    FILE *file;

    if (!(file = fopen( path, "r" ))) return -1;
    while (fgets( line, sizeof(line), file ))
    {
        if (name && !strncmp( line, "Name:\t", 6 ) &&
            strncmp( line + 6, name, strlen( name ))) break;
        if (!strncmp( line, "VmPTE:", 6 )) ret = atof( line + 6 );
    }
    fclose( file );
    return ret;
}

#ifdef _WIN32

double now_ns(void)
{
    static double ns;
    LARGE_INTEGER value;

    if (!ns)
    {
        QueryPerformanceFrequency( &value );
        ns = 1e9 / value.QuadPart;
    }
    QueryPerformanceCounter( &value );
    return value.QuadPart * ns;
}

void sleep_ms( unsigned int ms )
{
    Sleep( ms );
}

static DWORD WINAPI thread_proc( void *arg )
{
    struct thread *thread = arg;

    thread->func( thread->arg );
    return 0;
}

struct thread *start_thread( void (*func)( void *arg ), void *arg )
{
    struct thread *thread = malloc( sizeof(*thread) );

    if (!thread) fail( "malloc" );
    thread->func = func;
    thread->arg  = arg;
    if (!(thread->handle = CreateThread( NULL, 0, thread_proc, thread, 0, NULL )))
        fail( "CreateThread" );
    return thread;
}

void join_thread( struct thread *thread )
{
    WaitForSingleObject( thread->handle, INFINITE );
    CloseHandle( thread->handle );
    free( thread );
}

/* whether the command line of a process holds the tag */
static int is_tagged( const char *pid, const char *tag )
{
    char path[MAX_PATH], line[4096];
    size_t i, len, tag_len = strlen( tag );
    FILE *file;

    snprintf( path, sizeof(path), "Z:\\proc\\%s\\cmdline", pid );
    if (!(file = fopen( path, "rb" ))) return 0;
    len = fread( line, 1, sizeof(line), file );
    fclose( file );
    for (i = 0; i + tag_len <= len; i++) if (!memcmp( line + i, tag, tag_len )) return 1;
    return 0;
}

/***********************************************************************
 *           page_tables_kib
 *
 * What started Wine (a shell, a time limit) may hold the tag as well, hence the name.
 */
double page_tables_kib( const char *tag )
{
    static char found[MAX_PATH];
    WIN32_FIND_DATAA data;
    HANDLE find;

    if (found[0]) return read_page_tables( found, "writewatch_benc" );
    if (!tag || (find = FindFirstFileA( "Z:\\proc\\*", &data )) == INVALID_HANDLE_VALUE) return -1;
    do
    {
        if (data.cFileName[0] < '0' || data.cFileName[0] > '9') continue;
        if (!is_tagged( data.cFileName, tag )) continue;
        snprintf( found, sizeof(found), "Z:\\proc\\%s\\status", data.cFileName );
        if (read_page_tables( found, "writewatch_benc" ) >= 0) break;
        found[0] = 0;
    } while (FindNextFileA( find, &data ));
    FindClose( find );
    return found[0] ? read_page_tables( found, "writewatch_benc" ) : -1;
}

#else /* _WIN32 */

double now_ns(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * 1e9 + now.tv_nsec;
}

void sleep_ms( unsigned int ms )
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep( &time, NULL );
}

static void *thread_proc( void *arg )
{
    struct thread *thread = arg;

    thread->func( thread->arg );
    return NULL;
}

struct thread *start_thread( void (*func)( void *arg ), void *arg )
{
    struct thread *thread = malloc( sizeof(*thread) );

    if (!thread) fail( "malloc" );
    thread->func = func;
    thread->arg  = arg;
    if (pthread_create( &thread->handle, NULL, thread_proc, thread )) fail( "pthread_create" );
    return thread;
}

void join_thread( struct thread *thread )
{
    pthread_join( thread->handle, NULL );
    free( thread );
}

double page_tables_kib( const char *tag )
{
    (void)tag;
    return read_page_tables( "/proc/self/status", NULL );
}

#endif /* _WIN32 */
