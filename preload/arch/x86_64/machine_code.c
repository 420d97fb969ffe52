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

/* A call of a system call in Wine's dispatcher, which has the first argument in r10, and what comes
 * shortly before it. A form is all the patterns that one kind of dispatcher has. */
static const struct pattern
{
    unsigned int             form;
    int                      common;      /* compilers make such code as well */
    unsigned char            call[4];
    unsigned int             call_size;
    unsigned char            before[8];
    unsigned int             before_size;
    unsigned int             reach;       /* the bytes before the call that may include these */
    const struct hook_table *convention;
}
patterns[] =
{
    /* call *(%r10,%rax,8), after mov %r10,%rcx: up to some 9.x */
    { 0, 0, { 0x41, 0xff, 0x14, 0xc2 }, 4, { 0x4c, 0x89, 0xd1 }, 3, 32, &hooks_ms },
    /* the same, after mov %r10,%rdi: 10.0 */
    { 1, 0, { 0x41, 0xff, 0x14, 0xc2 }, 4, { 0x4c, 0x89, 0xd7 }, 3, 32, &hooks_sysv },
    /* later: call *%r12, after pops of rdi, rsi, rdx, rcx, r8 and r9 if the system call is traced,
     * and after mov %r10,%rdi if not */
    { 2, 0, { 0x41, 0xff, 0xd4 }, 3, { 0x5f, 0x5e, 0x5a, 0x59, 0x41, 0x58, 0x41, 0x59 }, 8, 8,
      &hooks_sysv },
    { 2, 1, { 0x41, 0xff, 0xd4 }, 3, { 0x4c, 0x89, 0xd7 }, 3, 32, &hooks_sysv },
};

#define PATTERNS  (sizeof(patterns) / sizeof(patterns[0]))
#define MAX_REACH 32
#define MAX_CALL  4

/* a call that nothing but a dispatcher makes: each must fit a pattern */
static const unsigned char table_call[] = { 0x41, 0xff, 0x14, 0xc2 };

static int fits( const struct pattern *pattern, const unsigned char *ptr )
{
    return !memcmp( ptr, pattern->call, pattern->call_size ) &&
           memmem( ptr - pattern->reach, pattern->reach, pattern->before, pattern->before_size );
}

/***********************************************************************
 *           find_patterns
 *
 * Counts the places that fit each pattern. Returns the number of calls that fit none.
 */
static unsigned int find_patterns( const unsigned char *code, size_t size,
                                   unsigned int counts[PATTERNS] )
{
    unsigned int unknown = 0, i;
    size_t offset;

    memset( counts, 0, PATTERNS * sizeof(*counts) );
    for (offset = MAX_REACH; offset + MAX_CALL <= size; offset++)
    {
        const unsigned char *ptr = code + offset;
        int known = 0;

        if (ptr[0] != 0x41 || ptr[1] != 0xff) continue;
        for (i = 0; i < PATTERNS; i++)
        {
            if (!fits( &patterns[i], ptr )) continue;
            counts[i]++;
            known = 1;
        }
        if (!known && !memcmp( ptr, table_call, sizeof(table_call) )) unknown++;
    }
    return unknown;
}

/***********************************************************************
 *           find_convention
 *
 * All calls must be of one form, of which all must be there. Several calls that fit the same
 * pattern do no harm: a dispatcher may have more than one way.
 */
const struct hook_table *find_convention( const unsigned char *code, size_t size,
                                          void * const functions[HOOK_COUNT], char *reason,
                                          size_t len )
{
    const struct pattern *found = NULL;
    unsigned int counts[PATTERNS], i;
    int clear;

    (void)functions;
    clear = !find_patterns( code, size, counts );
    for (i = 0; i < PATTERNS; i++)
    {
        if (patterns[i].common || !counts[i]) continue;
        if (found && found->form != patterns[i].form) clear = 0;
        found = &patterns[i];
    }
    if (!found && clear)
    {
        snprintf( reason, len, "this Wine is not recognised: its system call dispatcher has none "
                  "of the known forms" );
        return NULL;
    }
    for (i = 0; found && i < PATTERNS; i++)
        if (patterns[i].form == found->form && !counts[i]) clear = 0;
    if (clear) return found->convention;
    snprintf( reason, len, "this Wine is not recognised: the calling convention of its system "
              "calls is not clear" );
    return NULL;
}
