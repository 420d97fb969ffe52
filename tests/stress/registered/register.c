/*
 * A library in a Wine process that has a userfaultfd of its own, as a Wine with kernel watches has
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Before anything is watched it registers memory of its own. With WRITEWATCH_TEST_REGISTER set it
 * also registers each mapping that is made to be watched, which is known by MAP_STACK, before the
 * mapping's owner can.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/kernel_api.h"

#define EXPORT __attribute__((visibility("default")))
#define SIZE   0x100000

typedef void *mmap_func( void *addr, size_t size, int prot, int flags, int fd, off_t offset );

static int own = -1;
static int all;

static int watch( void *addr, size_t size )
{
    struct uffdio_register arg = { .range = { (uintptr_t)addr, size },
                                   .mode = UFFDIO_REGISTER_MODE_WP };

    return ioctl( own, UFFDIO_REGISTER, &arg );
}

static void start( mmap_func *next )
{
    struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_WP_ASYNC |
                                                           UFFD_FEATURE_WP_UNPOPULATED };
    void *memory;

    if ((own = syscall( SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY )) == -1) return;
    memory = next( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (memory == MAP_FAILED || ioctl( own, UFFDIO_API, &api ) || watch( memory, SIZE )) abort();
    all = getenv( "WRITEWATCH_TEST_REGISTER" ) != NULL;
}

EXPORT void *mmap( void *addr, size_t size, int prot, int flags, int fd, off_t offset )
{
    static mmap_func *next;
    void *ret;

    if (!next)
    {
        next = (mmap_func *)dlsym( RTLD_NEXT, "mmap" );
        start( next );
    }
    ret = next( addr, size, prot, flags, fd, offset );
    if (all && ret != MAP_FAILED && (flags & (MAP_STACK | MAP_ANONYMOUS | MAP_NORESERVE)) ==
        (MAP_STACK | MAP_ANONYMOUS | MAP_NORESERVE) && watch( ret, size )) abort();
    return ret;
}

EXPORT void *mmap64( void *addr, size_t size, int prot, int flags, int fd, off64_t offset )
{
    return mmap( addr, size, prot, flags, fd, offset );
}
