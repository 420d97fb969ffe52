/*
 * Calls of the library that fail now and then, for a provider of dirty bits
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linked with --wrap=writewatch_poll and --wrap=writewatch_watch: each fifth query and each third
 * watch fails and has done nothing.
 */

#include <errno.h>

#include "writewatch.h"

extern ssize_t __real_writewatch_poll( const void *addr, size_t size, unsigned int flags,
                                       struct writewatch_range *ranges, size_t count,
                                       const void **next );
extern int __real_writewatch_watch( void *addr, size_t size );

ssize_t __wrap_writewatch_poll( const void *addr, size_t size, unsigned int flags,
                                struct writewatch_range *ranges, size_t count, const void **next )
{
    static unsigned int calls;

    if (!(++calls % 5)) return -EIO;
    return __real_writewatch_poll( addr, size, flags, ranges, count, next );
}

int __wrap_writewatch_watch( void *addr, size_t size )
{
    static unsigned int calls;

    if (!(++calls % 3)) return -ENOMEM;
    return __real_writewatch_watch( addr, size );
}
