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
 * on its own stack, and kills the process without a word. Nothing shows at the time of the watch
 * that memory will become a stack. That is known only when a thread is made with it. The shared
 * library alone has this: a static one would replace the function of a program that has no
 * other. */

typedef int create_function( pthread_t *thread, const pthread_attr_t *attr,
                             void *(*start)( void * ), void *arg );

static create_function *next_pthread_create;

/* A look-up takes the loader's lock, which is held while constructors of a library run that is
 * being loaded, and these may call us: so it is made before any of our locks can be held.
 * Constructors of other libraries may be called before this one, and make threads. */
__attribute__((constructor)) static void find_next(void)
{
    __atomic_store_n( &next_pthread_create, (create_function *)dlsym( RTLD_NEXT, "pthread_create" ),
                      __ATOMIC_RELAXED );
}

/***********************************************************************
 *           pthread_create
 *
 * EDEADLK: the top of the stack that attr names is watched, and the backend needs signals. All
 * else is the C library's. The library calls it with locks of its own: takes none itself, unless
 * attr names a stack, which the library never does.
 */
__attribute__((visibility("default")))
int pthread_create( pthread_t *thread, const pthread_attr_t *attr, void *(*start)( void * ),
                    void *arg )
{
    create_function *next;
    size_t size;
    void *base;

    if (!__atomic_load_n( &next_pthread_create, __ATOMIC_RELAXED )) find_next();
    if (!(next = __atomic_load_n( &next_pthread_create, __ATOMIC_RELAXED ))) return EAGAIN;
    if (attr && !pthread_attr_getstack( attr, &base, &size ) && process_refuses_stack( base, size ))
        return EDEADLK;
    return next( thread, attr, start, arg );
}
