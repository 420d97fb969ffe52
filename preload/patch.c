/*
 * Redirects the calls found in ntdll.so to the hooks
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine_code.h"
#include "preload.h"
#include "sys/kernel_api.h"

/* Runs right after ntdll.so is loaded, before any of its code runs. */

#define REACH 0x7f000000   /* of a call instruction, with room for the module itself */

/* a range of whole pages of code */
struct code
{
    unsigned char *start;
    size_t         size;
};

/***********************************************************************
 *           alloc_near
 *
 * Maps a page within reach of call instructions near an address. Returns NULL if there is no room.
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
 * Makes a thunk to the hook of each function that ntdll.so calls directly. Returns NULL on failure.
 */
static unsigned char *make_thunks( const struct ntdll_info *info )
{
    unsigned char *page = alloc_near( (uintptr_t)info->functions[HOOK_ALLOCATE] );
    unsigned int i;

    if (!page) return NULL;
    for (i = 0; i < HOOKS_CALLED; i++)
        write_thunk( page + THUNK_SIZE * i, info->convention->hooks[i] );
    if (!mprotect( page, sysconf( _SC_PAGESIZE ), PROT_READ | PROT_EXEC )) return page;
    munmap( page, sysconf( _SC_PAGESIZE ));
    return NULL;
}

/***********************************************************************
 *           find_code
 *
 * Returns the pages from the first call instruction to the last.
 */
static struct code find_code( const struct ntdll_info *info )
{
    uintptr_t mask = sysconf( _SC_PAGESIZE ) - 1, start = ~(uintptr_t)0, end = 0;
    struct code code;
    unsigned int i, j;

    for (i = 0; i < HOOKS_CALLED; i++)
        for (j = 0; j < info->call_count[i]; j++)
        {
            uintptr_t call = (uintptr_t)info->calls[i][j];

            if (call < start) start = call;
            if (call + CALL_SIZE > end) end = call + CALL_SIZE;
        }
    code.start = (unsigned char *)(start & ~mask);
    code.size  = ((end + mask) & ~mask) - (start & ~mask);
    return code;
}

/***********************************************************************
 *           copy_code
 *
 * Returns an executable copy of the code in which the calls lead to the thunks. The displacements
 * are those for the original's place. Returns NULL on failure.
 */
static unsigned char *copy_code( const struct ntdll_info *info, const struct code *code,
                                 const unsigned char *thunks )
{
    unsigned char *copy = mmap( NULL, code->size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    unsigned int i, j;

    if (copy == MAP_FAILED) return NULL;
    memcpy( copy, code->start, code->size );
    for (i = 0; i < HOOKS_CALLED; i++)
        for (j = 0; j < info->call_count[i]; j++)
        {
            const unsigned char *call = info->calls[i][j];
            intptr_t distance = thunks + THUNK_SIZE * i - (call + CALL_SIZE);
            int rel = (int)distance;

            if (rel != distance)
            {
                errno = ERANGE;
                goto failed;
            }
            memcpy( copy + (call - code->start) + 1, &rel, sizeof(rel) );
        }
    if (!mprotect( copy, code->size, PROT_READ | PROT_EXEC )) return copy;

failed:
    munmap( copy, code->size );
    return NULL;
}

/***********************************************************************
 *           move_code
 *
 * Replaces a mapping by a copy, in one step.
 */
static int move_code( unsigned char *copy, unsigned char *place, size_t size )
{
    return mremap( copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place ) == place ? 0 : -1;
}

/***********************************************************************
 *           rehearse
 *
 * Moves the copy over a mapping of our own. mremap() unmaps the target before it moves the source
 * there. If the kernel then refused the move, for example because it charges the memory twice for a
 * moment, Wine would be left without its code. Returns the new place of the copy. On failure,
 * unmaps the copy and returns NULL.
 */
static unsigned char *rehearse( unsigned char *copy, size_t size )
{
    unsigned char *place = mmap( NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    if (place != MAP_FAILED && !move_code( copy, place, size )) return place;
    if (place != MAP_FAILED) munmap( place, size );
    munmap( copy, size );
    return NULL;
}

/***********************************************************************
 *           protect_slots
 *
 * Gives the pages of the slots their original protection, with write access added if asked.
 */
static int protect_slots( const struct ntdll_info *info, int writable )
{
    uintptr_t mask = sysconf( _SC_PAGESIZE ) - 1;
    unsigned int i;
    int ret = 0;

    for (i = 0; i < HOOK_COUNT; i++)
        if (mprotect( (void *)((uintptr_t)info->slots[i] & ~mask), mask + 1,
                      info->slot_prot[i] | (writable ? PROT_WRITE : 0) )) ret = -1;
    return ret;
}

/***********************************************************************
 *           patch_ntdll
 *
 * Returns 0, or -1 and the reason; on failure ntdll.so is unchanged. Everything that the kernel may
 * refuse comes first, on memory of our own and without changing the contents of ntdll.so. Then one
 * step, which has been rehearsed, replaces its code, and the rest cannot fail.
 */
int patch_ntdll( const struct ntdll_info *info, char *reason, size_t len )
{
    const struct hook_table *table = info->convention;
    struct code code = find_code( info );
    unsigned char *thunks, *copy;
    unsigned int i;
    int err;

    if (!(thunks = make_thunks( info )))
    {
        snprintf( reason, len, "no executable memory near ntdll.so" );
        return -1;
    }
    copy = copy_code( info, &code, thunks );
    if (copy) copy = rehearse( copy, code.size );
    if (!copy) goto failed;
    if (protect_slots( info, 1 )) goto failed;

    table->set_originals( info->functions );
    if (move_code( copy, code.start, code.size )) goto failed;
    for (i = 0; i < HOOK_COUNT; i++) *info->slots[i] = table->hooks[i];
    /* if this fails the slots stay writable, which does no harm */
    protect_slots( info, 0 );
    return 0;

failed:
    err = errno;
    snprintf( reason, len, "ntdll.so cannot be changed in memory: %s", strerror( err ));
    protect_slots( info, 0 );
    if (copy) munmap( copy, code.size );
    munmap( thunks, sysconf( _SC_PAGESIZE ));
    return -1;
}
