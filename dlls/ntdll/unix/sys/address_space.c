/*
 * What lies at an address, and where there is room
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "sys/address_space.h"

#ifdef __aarch64__
/* The name of the program lies at the upper end of the first stack, which is at that of the
 * addresses, but for some random part of at most a few GiB. */
uintptr_t address_space_last(void)
{
    uintptr_t name = getauxval( AT_EXECFN );
    uintptr_t last = name ? ~(uintptr_t)0 >> __builtin_clzl( name ) : CPU_LAST_ADDRESS;

    return last < CPU_LAST_ADDRESS ? last : CPU_LAST_ADDRESS;
}
#endif

int find_mapping( uintptr_t addr, struct mapping *mapping )
{
    struct maps_reader reader;
    int ret;

    if ((ret = maps_open( &reader, 0 ))) return ret;
    do ret = maps_next( &reader, mapping );
    while (ret > 0 && mapping->end <= addr);
    maps_close( &reader );
    return ret;
}

/* the room that the stack of the first thread may still grow into */
static uintptr_t stack_room( uintptr_t stack )
{
    const rlim_t most = (rlim_t)1 << 30;
    struct rlimit limit;

    if (getrlimit( RLIMIT_STACK, &limit ) || limit.rlim_cur > most) limit.rlim_cur = most;
    return stack < limit.rlim_cur ? stack : limit.rlim_cur;
}

uintptr_t find_free_range( size_t size, uintptr_t low, uintptr_t high, size_t align, int top_down )
{
    uintptr_t gap_start = low, gap_end, addr, found = 0;
    struct maps_reader reader;
    struct mapping mapping;
    int more = 1;

    if (maps_open( &reader, 0 )) return 0;
    while (more > 0 && gap_start < high && (top_down || !found))
    {
        if ((more = maps_next( &reader, &mapping )) < 0)
        {
            found = 0;
            break;
        }
        if (!more) gap_end = high;
        else if (strcmp( mapping.name, "[stack]" )) gap_end = mapping.start;
        else gap_end = mapping.start - stack_room( mapping.start );

        if (gap_end > high) gap_end = high;
        addr = (gap_start + align - 1) & ~(align - 1);
        if (addr >= gap_start && addr < gap_end && gap_end - addr >= size)
            found = top_down ? (gap_end - size) & ~(align - 1) : addr;
        if (more && mapping.end > gap_start) gap_start = mapping.end;
    }
    maps_close( &reader );
    return found;
}
