/*
 * x86-64: what Wine's code looks like, and what is written into it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <string.h>

#include "../../machine_code.h"

const struct pe_format pe_format =
{
    .folder  = "x86_64-windows",
    .bits    = 64,
    .magic   = 0x20b,
    .exports = 112,
};

/***********************************************************************
 *           read_stub_id
 *
 * mov %rcx,%r10; mov $id,%eax
 */
int read_stub_id( const unsigned char *stub, size_t size, unsigned int *id )
{
    static const unsigned char begin[] = { 0x4c, 0x8b, 0xd1, 0xb8 };

    if (size < sizeof(begin) + sizeof(*id) || memcmp( stub, begin, sizeof(begin) )) return 0;
    memcpy( id, stub + sizeof(begin), sizeof(*id) );
    return 1;
}

/***********************************************************************
 *           write_thunk
 *
 * jmp *0(%rip), then the address
 */
void write_thunk( unsigned char *thunk, const void *target )
{
    static const unsigned char jump[] = { 0xff, 0x25, 0, 0, 0, 0 };

    memcpy( thunk, jump, sizeof(jump) );
    memcpy( thunk + sizeof(jump), &target, sizeof(target) );
}

/***********************************************************************
 *           find_convention
 *
 * The system call dispatcher calls through the table with call *(%r10,%rax,8). Shortly before, it
 * moves the first argument from r10 to the register in which the function expects it: rcx or rdi.
 */
const struct hook_table *find_convention( const unsigned char *code, size_t size,
                                          void * const functions[HOOK_COUNT], char *reason,
                                          size_t len )
{
    static const unsigned char call[] = { 0x41, 0xff, 0x14, 0xc2 };
    static const unsigned char to_rcx[] = { 0x4c, 0x89, 0xd1 };
    static const unsigned char to_rdi[] = { 0x4c, 0x89, 0xd7 };
    const unsigned int before = 32;
    const unsigned char *ptr, *found = NULL;
    int is_ms, is_sysv;

    (void)functions;
    snprintf( reason, len, "this Wine is not recognised: the calling convention of its system "
              "calls is not clear" );

    for (ptr = code + before; ptr + sizeof(call) <= code + size; ptr++)
    {
        if (memcmp( ptr, call, sizeof(call) )) continue;
        if (found) return NULL;
        found = ptr;
    }
    if (!found) return NULL;
    is_ms   = memmem( found - before, before, to_rcx, sizeof(to_rcx) ) != NULL;
    is_sysv = memmem( found - before, before, to_rdi, sizeof(to_rdi) ) != NULL;
    if (is_ms == is_sysv) return NULL;
    return is_ms ? &hooks_ms : &hooks_sysv;
}
