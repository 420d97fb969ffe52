/*
 * Watching memory that the program mapped itself: what is refused, and what must not be
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "mapping.h"
#include "sys/kernel_api.h"

static void test_arguments(void)
{
    char *memory = map( 8 * page_size(), MAP_PRIVATE | MAP_ANONYMOUS, -1 );
    size_t unit = page_size();

    check( writewatch_watch( memory + 1, unit ) == -EINVAL );
    check( writewatch_watch( memory, unit + 1 ) == -EINVAL );
    check( writewatch_watch( memory, 0 ) == -EINVAL );
    check( writewatch_watch( memory, -unit ) == -EINVAL );
    check( writewatch_unwatch( memory, 1 ) == -EINVAL );
    check( writewatch_unwatch( memory, unit ) == -ENOENT );
    check( !munmap( memory + 3 * unit, unit ));
    check( writewatch_watch( memory, 8 * unit ) == -EINVAL );
    check( writewatch_watch( memory + 3 * unit, unit ) == -EINVAL );
    check( writewatch_watch( memory, 4 * unit ) == -EINVAL );
    check( writewatch_watch( memory + 3 * unit, 4 * unit ) == -EINVAL );
    check( !writewatch_granularity( memory ));
    check( !writewatch_watch( memory, 3 * unit ));
    /* a part in the middle: what is left is watched, its state is kept */
    memory[0] = memory[unit] = memory[2 * unit] = 1;
    check( !writewatch_unwatch( memory + unit, unit ));
    check( writewatch_granularity( memory ) == unit && !writewatch_granularity( memory + unit ));
    base = memory;
    granule = unit;
    memset( written, 1, sizeof(written) );
    query( 0, 1, 1, 0 );
    query( 2, 3, 1, 0 );
    check( !writewatch_unwatch( memory, 3 * unit ));
    /* something else may stand in the hole */
    munmap( memory, 3 * unit );
    munmap( memory + 4 * unit, 4 * unit );
}

/* memory without access can be watched before it is used */
static void test_no_access(void)
{
    base = mmap( NULL, 16 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    granule = page_size();
    pages = 16;
    memset( written, 0, sizeof(written) );
    check( !writewatch_watch( base, 16 * page_size() ));
    query( 0, 16, 16, 0 );
    check( !mprotect( base, 16 * page_size(), PROT_READ | PROT_WRITE ));
    touch( 3, 5 );
    query( 0, 16, 16, 1 );
    query( 0, 16, 16, 0 );
    check( !writewatch_unwatch( base, 16 * page_size() ));
    munmap( base, 16 * page_size() );
}

static void own( int userfaultfd, void *addr, size_t size )
{
    struct uffdio_register reg;

    memset( &reg, 0, sizeof(reg) );
    reg.range.start = (uintptr_t)addr;
    reg.range.len   = size;
    reg.mode        = UFFDIO_REGISTER_MODE_WP;
    check( !ioctl( userfaultfd, UFFDIO_REGISTER, &reg ));
}

/* memory that another userfaultfd owns: refused, or another backend reports right */
static void test_busy(void)
{
    struct uffdio_api api = { .api = UFFD_API };
    size_t size = 16 * page_size();
    int other, err;

    other = syscall( SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY );
    check( other != -1 && !ioctl( other, UFFDIO_API, &api ));
    base = map( size, MAP_PRIVATE | MAP_ANONYMOUS, -1 );
    own( other, base + 4 * page_size(), page_size() );   /* only a part of it */

    if ((err = writewatch_watch( base, size )))
    {
        check( err == -EBUSY );
        check( !writewatch_granularity( base ));
        check( !writewatch_backend_of( base ));
    }
    else
    {
        check( !strcmp( writewatch_backend_of( base ), "mprotect" ));
        check( !strcmp( writewatch_backend(), backend ));
        /* what could not be taken, why, and where it is */
        if (strcmp( backend, "mprotect" ))
        {
            check( strstr( writewatch_reason(), backend ) == writewatch_reason() );
            check( strstr( writewatch_reason(), "busy" ) != NULL );
            check( strstr( writewatch_reason(), "mprotect watches" ) != NULL );
        }
        else check( !writewatch_reason()[0] );
        granule = page_size();
        pages = 16;
        memset( written, 0, sizeof(written) );
        query( 0, 16, 16, 0 );
        touch( 2, 6 );
        query( 0, 16, 16, 0 );
        check( !writewatch_unwatch( base, size ));
    }
    /* memory that was unmapped without a word, and has another owner in its place */
    close( other );
    check( !writewatch_watch( base, size ));
    other = syscall( SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY );
    check( other != -1 && !ioctl( other, UFFDIO_API, &api ));
    check( mmap( base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                 -1, 0 )
           == base );
    own( other, base, size );
    writewatch_unwatch( base, size );
    err = writewatch_watch( base, size );
    if (!strcmp( backend, "scan" ))
        check( err == -EBUSY || (!err && !strcmp( writewatch_backend_of( base ), "mprotect" )));
    if (!err) writewatch_unwatch( base, size );

    close( other );
    check( !writewatch_watch( base, size ));
    check( !strcmp( writewatch_backend_of( base ), backend ));
    check( !writewatch_unwatch( base, size ));
    munmap( base, size );
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( unit_form( backend ))) return unit_skip( backend, writewatch_reason() );
    test_arguments();
    /* to mprotect it shows only where a watch begins what the program may do */
    if (strcmp( backend, "mprotect" )) test_no_access();
    test_busy();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
