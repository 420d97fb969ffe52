/*
 * Watches a mapped file, to find the parts of it that must be sent
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc watch_mapping.c $(pkg-config --cflags --libs writewatch)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <writewatch.h>

#define SIZE (1024 * 1024)

static int fail( const char *what, int err )
{
    fprintf( stderr, "%s: %s\n", what, strerror( -err ));
    return 1;
}

int main(void)
{
    FILE *file = tmpfile();
    void *addresses[SIZE / 4096];   /* no system has smaller pages */
    ULONG_PTR i, count = SIZE / 4096;
    DWORD granularity;
    char *memory;
    int err;

    if (!file || ftruncate( fileno( file ), SIZE )) return 1;
    memory = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fileno( file ), 0 );
    if (memory == MAP_FAILED) return 1;

    strcpy( memory, "writes before the watch do not count" );
    if ((err = writewatch_watch( memory, SIZE ))) return fail( "writewatch_watch", err );

    strcpy( memory + 300000, "this does" );
    strcpy( memory + 500000, "and this" );
    printf( "%c\n", memory[0] );   /* reading does not */

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, SIZE, addresses, &count, &granularity ))
        return 1;
    for (i = 0; i < count; i++)
        printf( "send %zu bytes at %zu\n", writewatch_granularity( addresses[i] ),
                (size_t)((char *)addresses[i] - memory) );

    if ((err = writewatch_unwatch( memory, SIZE ))) return fail( "writewatch_unwatch", err );
    munmap( memory, SIZE );
    fclose( file );
    return count != 2;
}
