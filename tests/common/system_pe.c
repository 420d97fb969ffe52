/*
 * Time, pages in memory and threads, on Windows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <windows.h>

#include "system.h"
#include "threads.h"

struct thread
{
    HANDLE handle;
    void (*func)( void *arg );
    void  *arg;
};

uint64_t microseconds(void)
{
    LARGE_INTEGER frequency, now;

    QueryPerformanceFrequency( &frequency );
    QueryPerformanceCounter( &now );
    return now.QuadPart * 1000000 / frequency.QuadPart;
}

void sleep_ms( unsigned int ms )
{
    Sleep( ms );
}

int page_out( void *addr, size_t size )
{
    (void)addr, (void)size;
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
