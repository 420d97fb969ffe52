/*
 * What the race test needs of Windows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "platform.h"

struct thread
{
    HANDLE handle;
    void (*func)( void *arg );
    void  *arg;
};

static HANDLE pipe_read, pipe_write;

const char *platform_open( const char **name )
{
    *name = "Windows";
    return CreatePipe( &pipe_read, &pipe_write, NULL, 0 ) ? NULL : "no pipe";
}

int claim_sparse(void)
{
    return 0;
}

static DWORD WINAPI run_thread( void *arg )
{
    struct thread *thread = arg;

    thread->func( thread->arg );
    return 0;
}

void *start_thread( void (*func)( void *arg ), void *arg )
{
    struct thread *thread = malloc( sizeof(*thread) );

    if (!thread) return NULL;
    thread->func = func;
    thread->arg = arg;
    if ((thread->handle = CreateThread( NULL, 0, run_thread, thread, 0, NULL ))) return thread;
    free( thread );
    return NULL;
}

void join_thread( void *arg )
{
    struct thread *thread = arg;

    WaitForSingleObject( thread->handle, INFINITE );
    CloseHandle( thread->handle );
    free( thread );
}

void yield_thread(void)
{
    SwitchToThread();
}

void sleep_ms( unsigned int ms )
{
    Sleep( ms );
}

uint64_t microseconds(void)
{
    LARGE_INTEGER frequency, now;

    QueryPerformanceFrequency( &frequency );
    QueryPerformanceCounter( &now );
    return now.QuadPart * 1000000 / frequency.QuadPart;
}

int write_by_read( void *addr, uint32_t value )
{
    DWORD count;

    return WriteFile( pipe_write, &value, sizeof(value), &count, NULL ) &&
           ReadFile( pipe_read, addr, sizeof(value), &count, NULL ) && count == sizeof(value);
}

int write_to_process( void *addr, uint32_t value )
{
    SIZE_T count;

    return WriteProcessMemory( GetCurrentProcess(), addr, &value, sizeof(value), &count ) &&
           count == sizeof(value);
}

int page_out( void *addr, size_t size )
{
    (void)addr, (void)size;
    return 0;
}
