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

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

static void *addresses[4096];

static long ask( char *memory, size_t pages, int reset )
{
    ULONG_PTR count = pages;
    DWORD granularity;

    if (GetWriteWatch( reset, memory, pages * page_size(), addresses, &count, &granularity )) return -1;
    return count;
}

static void drop_pages( char *memory, size_t pages, const char *where )
{
    size_t i;
    long count;

    for (i = 0; i < pages; i++) memory[i * page_size()] = 1;
    check( ask( memory, pages, 0 ) == (long)pages );
    check( ask( memory, pages, 1 ) == (long)pages );
    for (i = 0; i < pages; i++) memory[i * page_size()] = 1;
    check( ask( memory, pages, 0 ) == (long)pages );
    check( !madvise( memory, pages * page_size(), MADV_DONTNEED ));
    if ((count = ask( memory, pages, 0 )))
    {
        fprintf( stderr, "%s: %ld of %zu pages that are gone\n", where, count, pages );
        unit_failures++;
    }
    check( ask( memory, pages, 1 ) == 0 );
    memory[page_size()] = 1;
    check( ask( memory, pages, 1 ) == 1 && addresses[0] == memory + page_size() );
}

/* fewer pages than a block has, or several blocks */
static void try_size( size_t pages )
{
    char *memory = mmap( NULL, pages * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    int status;
    pid_t pid;

    check( memory != MAP_FAILED );
    check( !writewatch_watch( memory, pages * page_size() ));
    if (!(pid = fork()))
    {
        check( ResetWriteWatch( memory, pages * page_size() ) == 0 );
        drop_pages( memory, pages, "child" );
        _exit( unit_result() );
    }
    check( waitpid( pid, &status, 0 ) == pid && !status );
    drop_pages( memory, pages, "parent" );
    check( !writewatch_unwatch( memory, pages * page_size() ));
    munmap( memory, pages * page_size() );
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
