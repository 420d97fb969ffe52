/*
 * robustness: memory that cannot be watched is refused, and other memory is as it always is
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs with tests/stress/registered/register.c in a Wine that has kernel watches, or looks as if.
 */

#include "../stress.h"

#define PAGES 64

/* whether an allocation fails as it should, and leaves nothing behind */
static void try_watched( void *wanted, DWORD type )
{
    ULONG_PTR count = PAGES;
    static void *results[PAGES];
    MEMORY_BASIC_INFORMATION info;
    ULONG granularity;
    void *base;

    SetLastError( 0xdeadbeef );
    base = VirtualAlloc( wanted, PAGES * PAGE_SIZE, type | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( !base && GetLastError() == ERROR_NOT_ENOUGH_MEMORY,
           "type %lx at %p: got %p, error %lu", type, wanted, base, GetLastError() );
    if (!wanted) return;
    check( VirtualQuery( wanted, &info, sizeof(info) ) && info.State == MEM_FREE,
           "type %lx at %p: state %lx", type, wanted, info.State );

    base = VirtualAlloc( wanted, PAGES * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    check( base == wanted, "without a watch at %p: got %p", wanted, base );
    if (!base) return;
    memset( base, 1, PAGES * PAGE_SIZE );
    check( GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * PAGE_SIZE, results, &count,
                          &granularity ) == ~0u, "memory without a watch could be polled" );
    check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed, error %lu", GetLastError() );
}

int main(void)
{
    void *free_space;

    start_watchdog();
    free_space = VirtualAlloc( NULL, PAGES * PAGE_SIZE, MEM_RESERVE, PAGE_NOACCESS );
    check( free_space && VirtualFree( free_space, 0, MEM_RELEASE ), "no address space" );
    try_watched( NULL, MEM_RESERVE );
    try_watched( NULL, MEM_RESERVE | MEM_COMMIT );
    try_watched( free_space, MEM_RESERVE );
    try_watched( free_space, MEM_RESERVE | MEM_COMMIT );
    say( "registered: %ld failures\n", failures );
    finish();
}
