/*
 * A pthread_create() that refuses stacks on which the backend could not serve a fault
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "native/process.h"

/* Where a signal delivers faults, the kernel cannot write the signal frame of a thread that faults
 * on its own stack, and kills the process without a word. When memory is watched it does not show
 * that it will be a stack; when a thread is made with it, it does. The shared library alone has
 * this: a static one would replace the function of a program that has no other. */

typedef int create_function( pthread_t *thread, const pthread_attr_t *attr,
                             void *(*start)( void * ), void *arg );

static create_function *next_pthread_create;

/***********************************************************************
 *           pthread_create
 *
 * EDEADLK: the top of the stack that attr names is watched, and the backend needs signals. All
 * else is the C library's. No lock is held meanwhile.
 */
__attribute__((visibility("default")))
int pthread_create( pthread_t *thread, const pthread_attr_t *attr, void *(*start)( void * ),
                    void *arg )
{
    create_function *next = __atomic_load_n( &next_pthread_create, __ATOMIC_RELAXED );
    size_t size;
    void *base;

    if (!next)
    {
        if (!(next = (create_function *)dlsym( RTLD_NEXT, "pthread_create" ))) return EAGAIN;
        __atomic_store_n( &next_pthread_create, next, __ATOMIC_RELAXED );
    }
    if (attr && !pthread_attr_getstack( attr, &base, &size ) && process_refuses_stack( base, size ))
        return EDEADLK;
    return next( thread, attr, start, arg );
}
