/*
 * Which calling convention the functions of a 32-bit ntdll.so are seen to have
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions are those of this program. Wine's own, of 8.0 and 10.0, are seen by the tests that
 * run in it.
 */

#include "../../../preload/machine_code.h"
#include "../unit.h"

const struct hook_table hooks_ms = { .convention = CONVENTION_MS };
const struct hook_table hooks_sysv = { .convention = CONVENTION_SYSV };

/* each ends in its own way; the loader must know where */
#define FUNCTION( name, code ) \
    extern void name( void ) __attribute__((visibility("default"))); \
    __asm__( ".text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n\tnop\n\t" code "\n" \
             ".size " #name ", . - " #name )

#define FUNCTIONS( name, before, end12, end16, end24, end28 ) \
    FUNCTION( name##_allocate, before end24 ); \
    FUNCTION( name##_allocate_ex, before end28 ); \
    FUNCTION( name##_free, before end16 ); \
    FUNCTION( name##_get, before end28 ); \
    FUNCTION( name##_reset, before end12 ); \
    static void * const name[HOOK_COUNT] = { (void *)name##_allocate, (void *)name##_allocate_ex, \
        (void *)name##_free, (void *)name##_get, (void *)name##_reset }

#define STDCALL( name, before ) FUNCTIONS( name, before, "ret $12", "ret $16", "ret $24", "ret $28" )
#define CDECL( name, before )   FUNCTIONS( name, before, "ret", "ret", "ret", "ret" )

STDCALL( stdcall_pop, "pop %ebp\n\t" );
STDCALL( stdcall_leave, "leave\n\t" );
STDCALL( stdcall_aligned, "lea -4(%ecx),%esp\n\t" );
STDCALL( stdcall_add, "add $28,%esp\n\t" );
CDECL( cdecl_pop, "pop %ebp\n\t" );
CDECL( cdecl_leave, "leave\n\t" );
CDECL( cdecl_aligned, "lea -4(%ecx),%esp\n\t" );
CDECL( cdecl_add, "add $28,%esp\n\t" );

/* several ways out, and a value that looks like a return; they are not all alike; none */
STDCALL( several, "pop %ebp\n\tret $64\n\tmov $0xc3,%eax\n\tpop %ebp\n\t" );
FUNCTIONS( other_sizes, "pop %ebp\n\t", "ret $8", "ret $8", "ret $8", "ret $8" );
FUNCTIONS( both, "pop %ebp\n\tret\n\tpop %ebp\n\t", "ret $12", "ret $16", "ret $24", "ret $28" );
FUNCTIONS( one_differs, "pop %ebp\n\t", "ret $12", "ret $16", "ret $24", "ret" );
FUNCTIONS( jumps, "pop %ebp\n\t", "jmp .", "jmp .", "jmp .", "jmp ." );

static unsigned char code[256];

#define DISPATCHER "\xf3\xa5\xff\x14\x90\x8d\x65\xcc"

static const struct hook_table *get_convention( void * const *functions )
{
    char reason[160] = "";
    const struct hook_table *table = find_convention( code, sizeof(code), functions, reason,
                                                      sizeof(reason) );

    check( table || !strcmp( reason, "this Wine is not recognised: the calling convention of its "
                                     "system calls is not clear" ));
    return table;
}

static void try_functions(void)
{
    check( get_convention( stdcall_pop ) == &hooks_ms );
    check( get_convention( stdcall_leave ) == &hooks_ms );
    check( get_convention( stdcall_aligned ) == &hooks_ms );
    check( get_convention( stdcall_add ) == &hooks_ms );
    check( get_convention( several ) == &hooks_ms );
    check( get_convention( cdecl_pop ) == &hooks_sysv );
    check( get_convention( cdecl_leave ) == &hooks_sysv );
    check( get_convention( cdecl_aligned ) == &hooks_sysv );
    check( get_convention( cdecl_add ) == &hooks_sysv );
    check( !get_convention( other_sizes ));
    check( !get_convention( both ));
    check( !get_convention( one_differs ));
    check( !get_convention( jumps ));
}

/* a function whose end is not known */
static void try_no_symbol(void)
{
    void *functions[HOOK_COUNT];

    memcpy( functions, cdecl_pop, sizeof(functions) );
    functions[HOOK_RESET] = (char *)functions[HOOK_RESET] + 1;
    check( !get_convention( functions ));
    functions[HOOK_RESET] = code;
    check( !get_convention( functions ));
}

static void try_dispatchers(void)
{
    memset( code, 0x90, sizeof(code) );
    check( !get_convention( cdecl_pop ));
    memcpy( code, DISPATCHER, sizeof(DISPATCHER) - 1 );
    check( get_convention( cdecl_pop ) == &hooks_sysv );
    memcpy( code + sizeof(code) - (sizeof(DISPATCHER) - 1), DISPATCHER, sizeof(DISPATCHER) - 1 );
    check( !get_convention( cdecl_pop ));
    code[3] ^= 1;
    check( get_convention( cdecl_pop ) == &hooks_sysv );
}

static void try_stubs(void)
{
    static const unsigned char stub[] =
        { 0xb8, 0x51, 0, 0, 0, 0xba, 0x10, 0x20, 0x30, 0x40, 0xff, 0xd2, 0xc2, 0x1c, 0 };
    unsigned char changed[sizeof(stub)];
    unsigned int i, id = 0;

    check( read_stub_id( stub, sizeof(stub), &id ) && id == 0x51 );
    check( !read_stub_id( stub, 11, &id ));
    for (i = 0; i < sizeof(stub); i++)
    {
        memcpy( changed, stub, sizeof(stub) );
        changed[i] ^= 0x40;
        check( read_stub_id( changed, sizeof(stub), &id ) == (i != 0 && i != 5 && i != 10 && i != 11) );
    }
}

int main(void)
{
    try_dispatchers();
    try_functions();
    try_no_symbol();
    try_stubs();
    return unit_result();
}
