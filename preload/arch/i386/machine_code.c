/*
 * i386: what Wine's code looks like, and what is written into it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "../../machine_code.h"

/* In 2.34 it moved to libc.so.6: see next.h. */
static inline __attribute__((always_inline)) int old_dladdr1( const void *addr, Dl_info *info,
                                                              void **extra, int flags )
{
#ifdef __GLIBC__
    __asm__ __volatile__( ".symver dladdr1,dladdr1@GLIBC_2.3.3" );
#endif
    return dladdr1( addr, info, extra, flags );
}

const struct pe_format pe_format =
{
    .folder  = "i386-windows",
    .bits    = 32,
    .magic   = 0x10b,
    .exports = 96,
};

/***********************************************************************
 *           read_stub_id
 *
 * mov $id,%eax; mov $dispatcher,%edx; call *%edx
 */
int read_stub_id( const unsigned char *stub, size_t size, unsigned int *id )
{
    static const unsigned char call[] = { 0xff, 0xd2 };

    if (size < 12 || stub[0] != 0xb8 || stub[5] != 0xba ||
        memcmp( stub + 10, call, sizeof(call) )) return 0;
    memcpy( id, stub + 1, sizeof(*id) );
    return 1;
}

/***********************************************************************
 *           write_thunk
 *
 * jmp rel32, which reaches all of memory
 */
void write_thunk( unsigned char *thunk, const void *target )
{
    int rel = (const unsigned char *)target - (thunk + 5);

    thunk[0] = 0xe9;
    memcpy( thunk + 1, &rel, sizeof(rel) );
}

/* whether the dispatcher of system calls is the one that we know: it restores its stack pointer
 * whatever the called function does with the arguments */
static int is_known_dispatcher( const unsigned char *code, size_t size )
{
    /* rep movsl; call *(%eax,%edx,4); lea -0x34(%ebp),%esp */
    static const unsigned char call[] = { 0xf3, 0xa5, 0xff, 0x14, 0x90, 0x8d, 0x65, 0xcc };
    const unsigned char *found = memmem( code, size, call, sizeof(call) ), *next;

    if (!found) return 0;
    next = found + sizeof(call);
    return !memmem( next, code + size - next, call, sizeof(call) );
}

/* whether an instruction that gives back a part of the stack ends before ptr, which is not the
 * start of the function */
static int restores_stack( const unsigned char *function, const unsigned char *ptr )
{
    static const unsigned char lea[] = { 0x8d, 0x61, 0xfc };   /* lea -4(%ecx),%esp */
    static const unsigned char add[] = { 0x83, 0xc4 };         /* add $n,%esp */

    if (ptr[-1] >= 0x58 && ptr[-1] <= 0x5f) return 1;          /* pop */
    if (ptr[-1] == 0xc9) return 1;                             /* leave */
    if (ptr - function < 3) return 0;
    return !memcmp( ptr - 3, lea, sizeof(lea) ) || !memcmp( ptr - 3, add, sizeof(add) );
}

/* whether a function has a return instruction at the end of a path: ret $bytes, or for 0 bytes a
 * plain ret */
static int has_return( const unsigned char *function, size_t size, unsigned int bytes )
{
    const unsigned char popping[] = { 0xc2, bytes, 0 }, plain[] = { 0xc3 };
    const unsigned char *ret = bytes ? popping : plain;
    size_t i, len = bytes ? sizeof(popping) : sizeof(plain);

    for (i = 1; i + len <= size; i++)
        if (!memcmp( function + i, ret, len ) && restores_stack( function, function + i )) return 1;
    return 0;
}

/***********************************************************************
 *           find_convention
 *
 * Other code of ntdll.so calls the functions directly, so that it matters which side takes the
 * arguments from the stack. A function of the Windows convention does so itself, and its return
 * instruction says how many bytes they have. All five must agree.
 */
const struct hook_table *find_convention( const unsigned char *code, size_t size,
                                          void * const functions[HOOK_COUNT], char *reason,
                                          size_t len )
{
    static const unsigned int bytes[HOOK_COUNT] =
    {
        [HOOK_ALLOCATE] = 24, [HOOK_ALLOCATE_EX] = 28, [HOOK_FREE] = 16, [HOOK_GET] = 28,
        [HOOK_RESET] = 12,
    };
    unsigned int i, stdcall = 0, cdecl = 0;

    snprintf( reason, len, "this Wine is not recognised: the calling convention of its system "
              "calls is not clear" );
    if (!is_known_dispatcher( code, size )) return NULL;

    for (i = 0; i < HOOK_COUNT; i++)
    {
        const ElfW(Sym) *symbol = NULL;
        Dl_info info;
        int pops, plain;

        if (!old_dladdr1( functions[i], &info, (void **)&symbol, RTLD_DL_SYMENT ) || !symbol ||
            info.dli_saddr != functions[i]) return NULL;
        pops = has_return( functions[i], symbol->st_size, bytes[i] );
        plain = has_return( functions[i], symbol->st_size, 0 );
        if (pops == plain) return NULL;
        stdcall += pops;
        cdecl += plain;
    }
    if (stdcall == HOOK_COUNT) return &hooks_ms;
    return cdecl == HOOK_COUNT ? &hooks_sysv : NULL;
}
