/*
 * Which instructions lead to a function: calls, and jumps at the end of other functions; and
 * whether one piece of code has calls of all functions
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A compiler makes a jump of a call that a function ends with, and a conditional one of a call that
 * stands behind a condition. One that is not found would let Wine allocate or free memory unseen.
 */

#include "../../preload/inspect.c"

#include "unit.h"

/* never called: the convention and the file of the Windows side are of no interest here */
const struct hook_table *find_convention( const unsigned char *start, size_t size,
                                          void * const functions[HOOK_COUNT], char *reason,
                                          size_t len )
{
    (void)start, (void)size, (void)functions, (void)reason, (void)len;
    return NULL;
}

int read_syscall_ids( const char *unix_path, const char * const *names, unsigned int *ids,
                      size_t count, char *reason, size_t len )
{
    (void)unix_path, (void)names, (void)ids, (void)count, (void)reason, (void)len;
    return -1;
}

int find_module( const void *inside, struct module *module )
{
    (void)inside, (void)module;
    return 0;
}

static unsigned char code[256];

/* an instruction of five bytes at an offset, which leads to another one */
static void store( unsigned int offset, unsigned char opcode, unsigned int target )
{
    int rel = (int)target - (int)(offset + 5);

    code[offset] = opcode;
    memcpy( code + offset + 1, &rel, sizeof(rel) );
}

/* an address of each function is called from an offset, or from two */
static void try_serves_others(void)
{
    static unsigned char place[0x10000];
    struct ntdll_info info = { .call_count = { 1, 1, 1 } };
    unsigned int i;

    info.calls[HOOK_ALLOCATE][0]    = place + 0x8100;
    info.calls[HOOK_ALLOCATE_EX][0] = place + 0x8000;
    info.calls[HOOK_FREE][0]        = place + 0x7f00;
    check( serves_others( &info ));
    for (i = 0; i < HOOKS_CALLED; i++)
    {
        unsigned char *old = info.calls[i][0];

        info.calls[i][0] = place + 0xf000;
        check( !serves_others( &info ));
        info.calls[i][0] = place + 0x100;
        check( !serves_others( &info ));
        info.calls[i][1] = old;
        info.call_count[i] = 2;
        check( serves_others( &info ));
        info.call_count[i] = 1;
        info.calls[i][0] = old;
    }
}

int main(void)
{
    struct module module = { .count = 2 };
    unsigned char *calls[MAX_CALLS] = { NULL };
    unsigned int addresses;

    memset( code, 0xcc, sizeof(code) );
    module.segments[0] = (struct segment){ code, code + 128, PF_R | PF_X };
    module.segments[1] = (struct segment){ code + 128, code + 256, PF_R | PF_W };
    store( 0, 0xe8, 64 );
    store( 7, 0xe9, 64 );
    store( 20, 0xe8, 65 );     /* to the next function */
    store( 30, 0xe9, 63 );
    store( 40, 0xb8, 64 );     /* mov: no jump */
    store( 70, 0xe9, 64 );     /* backwards */
    store( 123, 0xe8, 64 );    /* the last one that has room */
    store( 140, 0xe8, 64 );    /* data */

    code[84] = 0x0f;
    store( 85, 0x84, 64 );     /* je */
    code[94] = 0x0f;
    store( 95, 0xbe, 64 );     /* movsx: no jump */

    check( find_calls( &module, code + 64, calls, &addresses ) == 5 && addresses == 0 );
    check( calls[0] == code && calls[1] == code + 7 && calls[2] == code + 70 &&
           calls[3] == code + 85 && calls[4] == code + 123 );
    check( find_calls( &module, code + 200, calls, &addresses ) == 0 && addresses == 0 );

    memcpy( code + 101, "\x4c\x8d", 2 );
    store( 103, 0x25, 64 );    /* lea code(%rip),%r12 */
    memcpy( code + 108, "\x48\x8d", 2 );
    store( 110, 0x05, 64 );    /* lea code(%rip),%rax */
    check( find_calls( &module, code + 64, calls, &addresses ) == 5 && addresses == 2 );
    store( 103, 0x25, 65 );
    code[109] = 0x8b;          /* mov, which loads what is there */
    check( find_calls( &module, code + 64, calls, &addresses ) == 5 && addresses == 0 );

    try_serves_others();
    return unit_result();
}
