/*
 * Looks up the next definition of an interposed function
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_NEXT_H
#define WRITEWATCH_NEXT_H

#include <dlfcn.h>

/* A preloaded library that needs a newer glibc than the installed one keeps every program from
 * starting. dlsym moved to libc.so.6 in 2.34; its old version is found in either place. The
 * directive is in the function: link-time optimization may part one beside it from it. */
static inline __attribute__((always_inline)) void *old_dlsym( void *handle, const char *name )
{
#if defined(__GLIBC__) && defined(__i386__)
    __asm__ __volatile__( ".symver dlsym,dlsym@GLIBC_2.0" );
#elif defined(__GLIBC__)
    __asm__ __volatile__( ".symver dlsym,dlsym@GLIBC_2.2.5" );
#endif
    return dlsym( handle, name );
}

/* Looks the function up at the first call: constructors of a preloaded library must do nothing. */
#define NEXT( name ) \
    ({ \
        static __typeof__(name) *next_##name; \
        if (!__atomic_load_n( &next_##name, __ATOMIC_RELAXED )) \
            __atomic_store_n( &next_##name, (__typeof__(name) *)old_dlsym( RTLD_NEXT, #name ), \
                              __ATOMIC_RELAXED ); \
        __atomic_load_n( &next_##name, __ATOMIC_RELAXED ); \
    })

#endif /* WRITEWATCH_NEXT_H */
