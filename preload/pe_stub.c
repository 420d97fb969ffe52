/*
 * Reads system call numbers from ntdll.dll
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine_code.h"
#include "preload.h"

/* A second, independent source for the order of the system call table: the stubs in ntdll.dll load
 * the number before they enter Unix code. The contents of the file are not trusted. */

struct image
{
    const unsigned char *data;
    size_t               size;
    size_t               sections;        /* file offset of the section headers */
    unsigned int         section_count;
};

static unsigned int get16( const struct image *image, size_t offset )
{
    unsigned short value = 0;

    if (image->size >= sizeof(value) && offset <= image->size - sizeof(value))
        memcpy( &value, image->data + offset, sizeof(value) );
    return value;
}

static unsigned int get32( const struct image *image, size_t offset )
{
    unsigned int value = 0;

    if (image->size >= sizeof(value) && offset <= image->size - sizeof(value))
        memcpy( &value, image->data + offset, sizeof(value) );
    return value;
}

/* returns the file offset of an address in the image, or 0 if there is none */
static size_t get_offset( const struct image *image, unsigned int rva )
{
    unsigned int i;

    for (i = 0; i < image->section_count; i++)
    {
        size_t header = image->sections + 40 * (size_t)i;
        unsigned int size = get32( image, header + 16 ), start = get32( image, header + 12 );

        if (rva >= start && rva - start < size)
            return (size_t)get32( image, header + 20 ) + (rva - start);
    }
    return 0;
}

/* finds the sections and the export directory; returns the directory's file offset or 0 */
static size_t open_exports( struct image *image )
{
    size_t header = get32( image, 0x3c );

    if (get16( image, 0 ) != 0x5a4d || get32( image, header ) != 0x4550) return 0;
    if (get16( image, header + 24 ) != pe_format.magic) return 0;
    image->section_count = get16( image, header + 6 );
    image->sections = header + 24 + get16( image, header + 20 );
    return get_offset( image, get32( image, header + 24 + pe_format.exports ));
}

/* compares an exported name */
static int is_name( const struct image *image, size_t offset, const char *name )
{
    size_t len = strlen( name ) + 1;

    return offset && offset < image->size && len <= image->size - offset &&
           !memcmp( image->data + offset, name, len );
}

/* reads the number from the stub of an exported function */
static int get_syscall_id( const struct image *image, size_t exports, const char *name,
                           unsigned int *id )
{
    size_t functions = get_offset( image, get32( image, exports + 28 ));
    size_t names     = get_offset( image, get32( image, exports + 32 ));
    size_t ordinals  = get_offset( image, get32( image, exports + 36 ));
    unsigned int i, count = get32( image, exports + 24 );

    if (!functions || !names || !ordinals) return 0;
    for (i = 0; i < count && names + 4 * (size_t)i < image->size; i++)
    {
        size_t stub, ordinal = get16( image, ordinals + 2 * (size_t)i );

        if (!is_name( image, get_offset( image, get32( image, names + 4 * (size_t)i )), name ))
            continue;
        stub = get_offset( image, get32( image, functions + 4 * ordinal ));
        if (!stub || stub >= image->size) return 0;
        return read_stub_id( image->data + stub, image->size - stub, id );
    }
    return 0;
}

/***********************************************************************
 *           open_windows_side
 *
 * Opens the ntdll.dll that belongs to ntdll.so. An installed Wine has it in a parallel directory, a
 * build tree in a subdirectory or in the same one.
 */
static int open_windows_side( const char *unix_path )
{
    static const char * const parents[] = { "../", "", NULL };
    const char *name = strrchr( unix_path, '/' );
    char path[PATH_MAX];
    size_t i;
    int fd;

    for (i = 0; i < sizeof(parents) / sizeof(parents[0]); i++)
    {
        const char *parent = parents[i];
        int len = snprintf( path, sizeof(path), "%.*s/%s%s%sntdll.dll", (int)(name - unix_path),
                            unix_path, parent ? parent : "", parent ? pe_format.folder : "",
                            parent ? "/" : "" );

        if (len >= (int)sizeof(path)) continue;
        if ((fd = open( path, O_RDONLY | O_CLOEXEC )) != -1) return fd;
    }
    return -1;
}

/***********************************************************************
 *           read_syscall_ids
 *
 * Reads the system call numbers of some functions. Returns 0, or -1 and the reason.
 */
int read_syscall_ids( const char *unix_path, const char * const *names, unsigned int *ids,
                      size_t count, char *reason, size_t len )
{
    struct image image = { 0 };
    off_t size;
    size_t exports, i;
    int fd, ret = -1;

    if ((fd = open_windows_side( unix_path )) == -1)
    {
        snprintf( reason, len, "this Wine is not recognised: no ntdll.dll beside ntdll.so" );
        return -1;
    }
    /* not fstat(): headers of glibc 2.33 and later make it a symbol of version 2.33 */
    if ((size = lseek( fd, 0, SEEK_END )) > 0)
    {
        image.size = size;
        image.data = mmap( NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0 );
    }
    close( fd );
    if (!image.data || image.data == MAP_FAILED)
    {
        snprintf( reason, len, "ntdll.dll cannot be read" );
        return -1;
    }

    if (!(exports = open_exports( &image )))
        snprintf( reason, len, "this Wine is not recognised: ntdll.dll is not a %u-bit library",
                  pe_format.bits );
    else
    {
        for (i = 0; i < count; i++)
            if (!get_syscall_id( &image, exports, names[i], &ids[i] )) break;
        if (i == count) ret = 0;
        else snprintf( reason, len, "this Wine is not recognised: no system call number in %s of "
                       "ntdll.dll", names[i] );
    }
    munmap( (void *)image.data, image.size );
    return ret;
}
