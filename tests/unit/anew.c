/*
 * The end of a watch where the program has mapped memory anew and given it to its own userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * That memory stays with the program's userfaultfd, and what was watched beside it is free for it.
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/kernel_api.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 16

static int uffd;   /* the program's own */
static char *memory;

static int open_own(void)
{
    struct uffdio_api api = { .api = UFFD_API };
    int fd = syscall( SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY );

    return fd != -1 && ioctl( fd, UFFDIO_API, &api ) ? -1 : fd;
}

/* 0 or -errno */
static int register_own( size_t first, size_t count )
{
    struct uffdio_register arg = { .range = { (uintptr_t)memory + (first << page_shift),
                                              count << page_shift },
                                   .mode = UFFDIO_REGISTER_MODE_WP };

    return ioctl( uffd, UFFDIO_REGISTER, &arg ) ? -errno : 0;
}

/* whether the program's userfaultfd still has all of these pages */
static int is_own( size_t first, size_t count )
{
    struct uffdio_writeprotect arg = { .mode = 0 };
    size_t i;

    arg.range.len = page_size();
    for (i = first; i < first + count; i++)
    {
        arg.range.start = (uintptr_t)memory + (i << page_shift);
        if (ioctl( uffd, UFFDIO_WRITEPROTECT, &arg )) return 0;
    }
    return 1;
}

static void map_anew( size_t first, size_t count )
{
    char *start = memory + (first << page_shift);
    size_t size = count << page_shift;

    check( !munmap( start, size ));
    check( mmap( start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0 ) == start );
    memset( start, 1, size );
    check( !register_own( first, count ));
    check( is_own( first, count ));
}

/* [first, first + count) is mapped anew before the watch of all pages ends */
static void test( size_t first, size_t count )
{
    size_t size = PAGES << page_shift, i;

    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( memory != MAP_FAILED );
    memset( memory, 1, size );
    check( !writewatch_watch( memory, size ));
    map_anew( first, count );
    writewatch_unwatch( memory, size );
    check( is_own( first, count ));

    /* nothing is protected any more */
    for (i = 0; i < PAGES; i++) memory[i << page_shift] = 2;
    for (i = 0; i < PAGES; i++)
        if (i < first || i >= first + count) check( !register_own( i, 1 ));
    munmap( memory, size );
}

static int run( const char *name )
{
    if ((uffd = open_own()) == -1) return unit_skip( name, "there is no userfaultfd" );
    if (writewatch_open( unit_form( name ))) return unit_skip( name, writewatch_reason() );
    test( 0, PAGES );
    test( 0, 1 );
    test( 5, 3 );
    test( PAGES - 1, 1 );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
