/*
 * Placing data into watched memory without its counting as written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#define PAGES 64

static char *base;
static char data[PAGES * 65536];   /* pages of any size */

static char *page( size_t index )
{
    return base + index * page_size();
}

/* whether exactly the pages of a string of 0 and 1 are written */
static int is_written( const char *expect, int reset )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES, pos = 0;
    ULONG granularity;
    size_t i;

    if (get_write_watch( reset, base, PAGES * page_size(), addresses, &count, &granularity ))
        return 0;
    for (i = 0; expect[i]; i++)
    {
        if (expect[i] == '0') continue;
        if (pos == count || addresses[pos++] != page( i )) return 0;
    }
    return pos == count;
}

static void *map( int flags, int fd )
{
    void *ret = mmap( NULL, PAGES * page_size(), PROT_READ | PROT_WRITE, flags, fd, 0 );

    check( ret != MAP_FAILED );
    return ret;
}

static void test_fill( void *memory )
{
    base = memory;
    check( writewatch_fill( base, data, page_size() ) == -ENOENT );
    check( !writewatch_watch( base, PAGES * page_size() ));
    check( is_written( "", 0 ));

    /* into untouched memory */
    check( !writewatch_fill( page( 2 ), data, 4 * page_size() ));
    check( is_written( "", 0 ));
    check( !memcmp( page( 2 ), data, 4 * page_size() ));
    check( is_written( "", 0 ));
    *page( 3 ) = 'x';
    check( is_written( "0001", 0 ));
    check( !memcmp( page( 3 ) + 1, data + page_size() + 1, page_size() - 1 ));

    /* up to a page that is there */
    check( writewatch_fill( page( 0 ), data, 4 * page_size() ) == -EEXIST );
    check( !memcmp( page( 0 ), data, 2 * page_size() ));
    check( *page( 3 ) == 'x' );
    check( is_written( "0001", 1 ));
    check( is_written( "", 0 ));
    *page( 1 ) = 'y';
    *page( 3 ) = 'z';
    *page( 5 ) = data[3 * page_size()];   /* the value that is there */
    check( is_written( "010101", 0 ));

    /* all the rest in one call, from memory that is watched itself */
    check( !writewatch_fill( page( 6 ), page( 2 ), page_size() ));
    check( !writewatch_fill( page( 7 ), data, (PAGES - 7) * page_size() ));
    check( is_written( "010101", 1 ));
    memset( base, 5, PAGES * page_size() );
    check( is_written( "1111111111111111111111111111111111111111111111111111111111111111", 1 ));

    /* arguments */
    check( writewatch_fill( page( 1 ) + 1, data, page_size() ) == -EINVAL );
    check( writewatch_fill( page( 1 ), data, page_size() - 1 ) == -EINVAL );
    check( writewatch_fill( page( 1 ), data, 0 ) == -EINVAL );
    check( writewatch_fill( page( 1 ), data, -page_size() ) == -EINVAL );
    check( writewatch_fill( page( PAGES - 1 ), data, 2 * page_size() ) == -ENOENT );
    check( !writewatch_unwatch( base, PAGES * page_size() ));
}

/* data that cannot be read */
static void test_bad_data(void)
{
    base = map( MAP_PRIVATE | MAP_ANONYMOUS, -1 );
    check( !writewatch_watch( base, PAGES * page_size() ));
    check( writewatch_fill( base, NULL, page_size() ) == -EFAULT );
    check( writewatch_fill( base, (void *)(-page_size()), page_size() ) != 0 );
    check( is_written( "", 0 ));
    check( !*page( 0 ));

    /* pages that were dropped can be filled again; they were written before, and that is not
     * lost */
    *page( 4 ) = 1;
    check( is_written( "00001", 1 ));
    check( !madvise( page( 4 ), page_size(), MADV_DONTNEED ));
    check( !writewatch_fill( page( 4 ), data, page_size() ));
    check( is_written( "", 0 ));
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
}

/* a file has no missing pages */
static void test_file(void)
{
    int fd = unit_temp_file(), err;
    struct statfs fs;

    check( fd != -1 );
    check( !ftruncate( fd, PAGES * page_size() ));
    base = map( MAP_SHARED, fd );
    check( !writewatch_watch( base, PAGES * page_size() ));
    /* on tmpfs it is shared memory */
    err = writewatch_fill( base, data, page_size() );
    check( err == -EOPNOTSUPP || (!err && !fstatfs( fd, &fs ) && fs.f_type == TMPFS_MAGIC) );
    check( is_written( "", 0 ));
    check( !writewatch_unwatch( base, PAGES * page_size() ));
    munmap( base, PAGES * page_size() );
    close( fd );
}

int main(void)
{
    size_t i;
    int fd;

    if (writewatch_open( "scan" ))
    {
        fprintf( stderr, "%s\n", writewatch_reason() );
        return SKIP;
    }
    for (i = 0; i < PAGES * page_size(); i++) data[i] = rand();

    test_fill( map( MAP_PRIVATE | MAP_ANONYMOUS, -1 ));
    test_fill( map( MAP_SHARED | MAP_ANONYMOUS, -1 ));
    fd = memfd_create( "test", MFD_CLOEXEC );
    check( !ftruncate( fd, PAGES * page_size() ));
    test_fill( map( MAP_SHARED, fd ));
    test_bad_data();
    test_file();
    return unit_result();
}
