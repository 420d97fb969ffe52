/*
 * The instructions of the processor that ntdll.so and ntdll.dll consist of
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MACHINE_CODE_H
#define WRITEWATCH_MACHINE_CODE_H

#include <stddef.h>

#include "preload.h"

/* preload/arch/NAME/machine_code.c has what differs. A direct call (e8 rel32) and a tail call (e9
 * rel32) are the same on x86-64 and i386. */

#define CALL_SIZE  5
#define THUNK_SIZE 16    /* room for a thunk */

/* what ntdll.dll looks like */
struct pe_format
{
    const char  *folder;     /* where an installed Wine has it, beside the folder of ntdll.so */
    unsigned int bits;
    unsigned int magic;      /* of the optional header */
    unsigned int exports;    /* offset in the optional header of the address of the exports */
};

extern const struct pe_format pe_format;

/* Reads the number of a system call from the stub in ntdll.dll, of which size bytes are readable.
 * Returns 0 if this is no such stub. */
extern int read_stub_id( const unsigned char *stub, size_t size, unsigned int *id );

/* Writes THUNK_SIZE bytes of code that jump to a function anywhere in memory. */
extern void write_thunk( unsigned char *thunk, const void *target );

/* Finds out how the system calls of Wine's code, all of which is given, call the functions. Returns
 * NULL and the reason if that is not clear. */
extern const struct hook_table *find_convention( const unsigned char *code, size_t size,
                                                 void * const functions[HOOK_COUNT], char *reason,
                                                 size_t len );

#endif /* WRITEWATCH_MACHINE_CODE_H */
