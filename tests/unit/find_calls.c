/*
 * Which instructions lead to a function: calls, and jumps at the end of other functions
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A compiler makes a jump of a call that a function ends with. One that is not found would let Wine
 * allocate or free memory unseen.
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

static unsigned char code[256];

/* an instruction of five bytes at an offset, which leads to another one */
static void store( unsigned int offset, unsigned char opcode, unsigned int target )
{
    int rel = (int)target - (int)(offset + 5);

    code[offset] = opcode;
    memcpy( code + offset + 1, &rel, sizeof(rel) );
}

int main(void)
{
    struct module module = { .count = 2 };
    unsigned char *calls[MAX_CALLS] = { NULL };

    memset( code, 0xcc, sizeof(code) );
    module.segments[0] = (struct segment){ code, code + 128, PF_R | PF_X };
    module.segments[1] = (struct segment){ code + 128, code + 256, PF_R | PF_W };
    store( 0, 0xe8, 64 );
    store( 7, 0xe9, 64 );
    store( 20, 0xe8, 65 );     /* to the next function */
    store( 30, 0xe9, 63 );
    store( 40, 0xb8, 64 );     /* mov: only looks like it */
    store( 70, 0xe9, 64 );     /* backwards */
    store( 123, 0xe8, 64 );    /* the last one that has room */
    store( 140, 0xe8, 64 );    /* data */

    check( find_calls( &module, code + 64, calls ) == 4 );
    check( calls[0] == code && calls[1] == code + 7 && calls[2] == code + 70 &&
           calls[3] == code + 123 );
    check( find_calls( &module, code + 200, calls ) == 0 );
    return unit_result();
}
