/*
 * A child drops pages of memory that it inherited, and that the program had mapped itself
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nothing may be remembered there of what was seen: a page that is dropped unseen is not written,
 * in the child as in the parent.
 */

#include <sys/wait.h>

#include "unit.h"
#include "writewatch.h"

static void *addresses[4096];

static long ask( char *memory, size_t pages, int reset )
{
    ULONG_PTR count = pages;
    DWORD granularity;

    if (GetWriteWatch( reset, memory, pages * 4096, addresses, &count, &granularity )) return -1;
    return count;
}

static void drop_pages( char *memory, size_t pages, const char *where )
{
    size_t i;
    long count;

    for (i = 0; i < pages; i++) memory[i * 4096] = 1;
    check( ask( memory, pages, 0 ) == (long)pages );
    check( ask( memory, pages, 1 ) == (long)pages );
    for (i = 0; i < pages; i++) memory[i * 4096] = 1;
    check( ask( memory, pages, 0 ) == (long)pages );
    check( !madvise( memory, pages * 4096, MADV_DONTNEED ));
    if ((count = ask( memory, pages, 0 )))
    {
        fprintf( stderr, "%s: %ld of %zu pages that are gone\n", where, count, pages );
        unit_failures++;
    }
    check( ask( memory, pages, 1 ) == 0 );
    memory[4096] = 1;
    check( ask( memory, pages, 1 ) == 1 && addresses[0] == memory + 4096 );
}

/* fewer pages than a block has, or several blocks */
static void try_size( size_t pages )
{
    char *memory = mmap( NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    int status;
    pid_t pid;

    check( memory != MAP_FAILED );
    check( !writewatch_watch( memory, pages * 4096 ));
    if (!(pid = fork()))
    {
        check( ResetWriteWatch( memory, pages * 4096 ) == 0 );
        drop_pages( memory, pages, "child" );
        _exit( unit_result() );
    }
    check( waitpid( pid, &status, 0 ) == pid && !status );
    drop_pages( memory, pages, "parent" );
    check( !writewatch_unwatch( memory, pages * 4096 ));
    munmap( memory, pages * 4096 );
}

int main(void)
{
    /* the marked form protects such memory as a whole, and counts what is gone as written */
    if (writewatch_open( "scan:unmarked" ))
    {
        printf( "%s\n", writewatch_reason() );
        return SKIP;
    }
    try_size( 16 );
    try_size( 4096 );
    return unit_result();
}
