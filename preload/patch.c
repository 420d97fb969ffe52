/*
 * Leads the calls that were found in ntdll.so to the hooks
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "preload.h"

/* Done right after ntdll.so was loaded and before any of its code has run. */

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define REACH 0x7f000000   /* of a call instruction, with room for the module itself */

/***********************************************************************
 *           alloc_near
 *
 * A page that call instructions around an address can reach. Returns NULL if there is no room.
 */
static unsigned char *alloc_near( uintptr_t addr )
{
    const uintptr_t step = 0x100000;
    long size = sysconf( _SC_PAGESIZE );
    uintptr_t distance;
    int dir;

    addr &= ~(step - 1);
    for (distance = step; distance < REACH; distance += step)
        for (dir = 0; dir < 2; dir++)
        {
            void *wanted = (void *)(dir ? addr - distance : addr + distance);
            void *page = mmap( wanted, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0 );

            if (page == wanted) return page;
            if (page != MAP_FAILED) munmap( page, size );
        }
    return NULL;
}

/***********************************************************************
 *           make_thunks
 *
 * One jump for each function that is called from inside: jmp *0(%rip), then the address.
 */
static unsigned char *make_thunks( const struct ntdll_info *info )
{
    static const unsigned char jump[] = { 0xff, 0x25, 0, 0, 0, 0 };
    unsigned char *page = alloc_near( (uintptr_t)info->functions[HOOK_ALLOCATE] );
    unsigned int i;

    if (!page) return NULL;
    for (i = 0; i < HOOKS_CALLED; i++)
    {
        memcpy( page + 16 * i, jump, sizeof(jump) );
        memcpy( page + 16 * i + sizeof(jump), &info->convention->hooks[i],
                sizeof(info->convention->hooks[i]) );
    }
    if (!mprotect( page, sysconf( _SC_PAGESIZE ), PROT_READ | PROT_EXEC )) return page;
    munmap( page, sysconf( _SC_PAGESIZE ));
    return NULL;
}

/***********************************************************************
 *           store_bytes
 *
 * Changes memory of the module that is not writable. Nothing else runs in these pages yet.
 */
static int store_bytes( void *dest, const void *src, size_t size, int prot )
{
    uintptr_t mask = sysconf( _SC_PAGESIZE ) - 1;
    char *start = (char *)((uintptr_t)dest & ~mask);
    size_t len = (((uintptr_t)dest + size + mask) & ~mask) - (uintptr_t)start;

    if (mprotect( start, len, PROT_READ | PROT_WRITE )) return -1;
    memcpy( dest, src, size );
    return mprotect( start, len, prot );
}

/***********************************************************************
 *           store_calls
 *
 * Leads the calls of one function to a target; undone by giving the function itself.
 */
static int store_calls( const struct ntdll_info *info, unsigned int hook,
                        const unsigned char *target )
{
    unsigned int i;

    for (i = 0; i < info->call_count[hook]; i++)
    {
        unsigned char *call = info->calls[hook][i];
        int rel = (int)(target - (call + 5));

        if (call + 5 + rel != target ||
            store_bytes( call + 1, &rel, sizeof(rel), PROT_READ | PROT_EXEC )) return -1;
    }
    return 0;
}

/***********************************************************************
 *           patch_ntdll
 *
 * Returns 0, or -1 and the reason; then everything is again as it was, as far as the kernel lets
 * us.
 */
int patch_ntdll( const struct ntdll_info *info, char *reason, size_t len )
{
    const struct hook_table *table = info->convention;
    unsigned char *thunks;
    unsigned int i;

    if (!(thunks = make_thunks( info )))
    {
        snprintf( reason, len, "no memory near ntdll.so" );
        return -1;
    }

    table->set_originals( info->functions );
    for (i = 0; i < HOOKS_CALLED; i++)
        if (store_calls( info, i, thunks + 16 * i )) goto failed;
    for (i = 0; i < HOOK_COUNT; i++)
        if (store_bytes( info->slots[i], &table->hooks[i], sizeof(void *), info->slot_prot[i] ))
            goto failed;
    return 0;

failed:
    snprintf( reason, len, "ntdll.so cannot be changed in memory: %s", strerror( errno ));
    for (i = 0; i < HOOKS_CALLED; i++) store_calls( info, i, info->functions[i] );
    for (i = 0; i < HOOK_COUNT; i++)
        store_bytes( info->slots[i], &info->functions[i], sizeof(void *), info->slot_prot[i] );
    return -1;
}
