/*
 * Time, pages in memory and threads, on Linux
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "system.h"
#include "threads.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

struct thread
{
    pthread_t thread;
    void    (*func)( void *arg );
    void     *arg;
};

uint64_t microseconds(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

void sleep_ms( unsigned int ms )
{
    usleep( ms * 1000 );
}

int page_out( void *addr, size_t size )
{
    madvise( addr, size, MADV_PAGEOUT );
    return 1;
}

static void *run_thread( void *arg )
{
    struct thread *thread = arg;

    thread->func( thread->arg );
    return NULL;
}

void *start_thread( void (*func)( void *arg ), void *arg )
{
    struct thread *thread = malloc( sizeof(*thread) );

    if (!thread) return NULL;
    thread->func = func;
    thread->arg = arg;
    if (!pthread_create( &thread->thread, NULL, run_thread, thread )) return thread;
    free( thread );
    return NULL;
}

void join_thread( void *thread )
{
    pthread_join( ((struct thread *)thread)->thread, NULL );
    free( thread );
}

void yield_thread(void)
{
    sched_yield();
}
