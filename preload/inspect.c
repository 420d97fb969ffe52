/*
 * Finds the places to patch in a loaded ntdll.so, without changing anything
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine_code.h"
#include "module.h"
#include "next.h"
#include "preload.h"

/* Nothing here depends on a version of Wine. Each item must occur exactly as often as makes sense
 * and must agree with the other findings; on any doubt we leave Wine unchanged. */

static const char * const hook_names[HOOK_COUNT] =
{
    [HOOK_ALLOCATE]    = "NtAllocateVirtualMemory",
    [HOOK_ALLOCATE_EX] = "NtAllocateVirtualMemoryEx",
    [HOOK_FREE]        = "NtFreeVirtualMemory",
    [HOOK_GET]         = "NtGetWriteWatch",
    [HOOK_RESET]       = "NtResetWriteWatch",
};

/***********************************************************************
 *           find_slot
 *
 * Finds pointers to a function in the data of a module. The only one should be its slot in the
 * system call table. Returns how many there are.
 */
static unsigned int find_slot( const struct module *module, void *function, void ***slot )
{
    const uintptr_t mask = sizeof(void *) - 1;
    unsigned int i, count = 0;

    for (i = 0; i < module->count; i++)
    {
        const struct segment *segment = &module->segments[i];
        void **ptr = (void **)(((uintptr_t)segment->start + mask) & ~mask);

        if (!(segment->flags & PF_W)) continue;
        for (; (unsigned char *)(ptr + 1) <= segment->end; ptr++)
        {
            if (*ptr != function) continue;
            *slot = ptr;
            count++;
        }
    }
    return count;
}

/***********************************************************************
 *           get_slot_prot
 *
 * The loader protects only whole pages of the part that is read-only after relocation (RELRO).
 */
static int get_slot_prot( const struct module *module, void **slot )
{
    uintptr_t mask = sysconf( _SC_PAGESIZE ) - 1;
    uintptr_t page = (uintptr_t)slot & ~mask;

    if (page >= ((uintptr_t)module->relro.start & ~mask) &&
        page < ((uintptr_t)module->relro.end & ~mask)) return PROT_READ;
    return PROT_READ | PROT_WRITE;
}

/***********************************************************************
 *           is_call
 *
 * Returns whether the operand of an instruction is that of a direct call (e8), of a jump (e9),
 * which a tail call is, or of a conditional jump (0f 80 to 0f 8f), which newer compilers make of a
 * tail call behind a condition.
 */
static int is_call( const unsigned char *code, const unsigned char *operand )
{
    if (operand - code >= 1 && (operand[-1] == 0xe8 || operand[-1] == 0xe9)) return 1;
    return operand - code >= 2 && operand[-2] == 0x0f && (operand[-1] & 0xf0) == 0x80;
}

/***********************************************************************
 *           is_address
 *
 * Returns whether the operand is that of an instruction that loads an address relative to itself
 * (lea with a prefix for 64 bits; i386 has none).
 */
static int is_address( const unsigned char *code, const unsigned char *operand )
{
    return operand - code >= 3 && (operand[-3] & 0xfb) == 0x48 && operand[-2] == 0x8d &&
           (operand[-1] & 0xc7) == 0x05;
}

/***********************************************************************
 *           find_calls
 *
 * Finds the instructions in a module that lead to a function. The chance that other code contains
 * the same bytes is one in millions. Returns the number of calls; what is stored of each is the
 * byte before the operand. What takes the function's address may call it in a way that we do not
 * see: addresses is the number of such instructions.
 */
static unsigned int find_calls( const struct module *module, const void *function,
                                unsigned char **calls, unsigned int *addresses )
{
    unsigned int i, count = 0;

    *addresses = 0;
    for (i = 0; i < module->count; i++)
    {
        const struct segment *segment = &module->segments[i];
        unsigned char *operand;
        int rel;

        if (!(segment->flags & PF_X)) continue;
        for (operand = segment->start + 1; operand + sizeof(rel) <= segment->end; operand++)
        {
            memcpy( &rel, operand, sizeof(rel) );
            if (operand + sizeof(rel) + rel != (const unsigned char *)function) continue;
            if (is_address( segment->start, operand )) ++*addresses;
            if (!is_call( segment->start, operand )) continue;
            if (count < MAX_CALLS) calls[count] = operand - 1;
            count++;
        }
    }
    return count;
}

/***********************************************************************
 *           serves_others
 *
 * Returns whether one piece of code calls all the functions. Wine has such a piece, which carries
 * out what other processes ask for. If the compiler had built one of the functions into it, such
 * requests would bypass the hooks: memory that another process decommits would lose its watch.
 */
static int serves_others( const struct ntdll_info *info )
{
    const uintptr_t size = 0x1000;    /* several times what it is in 8.0 and 10.0 */
    unsigned int i, j, k;

    for (i = 0; i < info->call_count[HOOK_ALLOCATE_EX]; i++)
    {
        uintptr_t place = (uintptr_t)info->calls[HOOK_ALLOCATE_EX][i];

        for (j = 0; j < HOOKS_CALLED; j++)
        {
            for (k = 0; k < info->call_count[j]; k++)
                if ((uintptr_t)info->calls[j][k] - (place - size) < 2 * size) break;
            if (k == info->call_count[j]) break;
        }
        if (j == HOOKS_CALLED) return 1;
    }
    return 0;
}

/***********************************************************************
 *           inspect_ntdll
 *
 * Returns 0 and fills info, or returns -1 and says in reason what was not recognised.
 */
int inspect_ntdll( void *handle, const char *path, struct ntdll_info *info, char *reason,
                   size_t len )
{
    const struct segment *code = NULL;
    struct module module;
    unsigned int ids[HOOK_COUNT], count, addresses, i;

    memset( info, 0, sizeof(*info) );
    for (i = 0; i < HOOK_COUNT; i++)
    {
        info->names[i] = hook_names[i];
        if (!(info->functions[i] = old_dlsym( handle, hook_names[i] )))
        {
            snprintf( reason, len, "this Wine is not recognised: ntdll.so has no %s",
                      hook_names[i] );
            return -1;
        }
    }

    if (!find_module( info->functions[HOOK_GET], &module ))
    {
        snprintf( reason, len, "this Wine is not recognised: the segments of ntdll.so were not "
                  "found" );
        return -1;
    }

    for (i = count = 0; i < module.count; i++)
    {
        if (!(module.segments[i].flags & PF_X)) continue;
        code = &module.segments[i];
        count++;
    }
    if (count != 1)
    {
        snprintf( reason, len, "this Wine is not recognised: ntdll.so has %u segments of code",
                  count );
        return -1;
    }

    for (i = 0; i < HOOK_COUNT; i++)
    {
        if ((count = find_slot( &module, info->functions[i], &info->slots[i] )) == 1)
        {
            info->slot_prot[i] = get_slot_prot( &module, info->slots[i] );
            continue;
        }
        snprintf( reason, len, "this Wine is not recognised: %u places hold the address of %s",
                  count, hook_names[i] );
        return -1;
    }

    if (read_syscall_ids( path, hook_names, ids, HOOK_COUNT, reason, len )) return -1;
    for (i = 1; i < HOOK_COUNT; i++)
    {
        if (info->slots[i] - info->slots[0] == (int)ids[i] - (int)ids[0]) continue;
        snprintf( reason, len, "this Wine is not recognised: %s is not at its place in the system "
                  "call table", hook_names[i] );
        return -1;
    }

    for (i = 0; i < HOOKS_CALLED; i++)
    {
        info->call_count[i] = count = find_calls( &module, info->functions[i], info->calls[i],
                                                  &addresses );
        if (addresses)
        {
            snprintf( reason, len, "this Wine is not recognised: its code takes the address of %s",
                      hook_names[i] );
            return -1;
        }
        if (count && count <= MAX_CALLS) continue;
        snprintf( reason, len, "this Wine is not recognised: %u calls of %s", count,
                  hook_names[i] );
        return -1;
    }
    if (!serves_others( info ))
    {
        snprintf( reason, len, "this Wine is not recognised: no code in it calls all that other "
                  "processes may ask for" );
        return -1;
    }

    info->convention = find_convention( code->start, code->end - code->start, info->functions,
                                        reason, len );
    return info->convention ? 0 : -1;
}
