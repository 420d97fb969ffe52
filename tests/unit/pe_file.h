/*
 * An invented ntdll.dll: exports of system calls, and nothing else
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PE_FILE_H
#define WRITEWATCH_PE_FILE_H

#include <stdint.h>
#include <string.h>

#define PE_SIZE    0x2000
#define PE_HEADER  0x80
#define PE_OPTIONAL (PE_HEADER + 24)
#define PE_EXPORTS 0x500                   /* the place in the file of the export directory */
#define PE_STUBS   0x900
#define PE_NAMES   5
#define PE_SHIFT   0xc00                   /* addresses in memory are so much larger */

static const char * const pe_names[PE_NAMES] =
{
    "NtAllocateVirtualMemory", "NtAllocateVirtualMemoryEx", "NtFreeVirtualMemory",
    "NtGetWriteWatch", "NtResetWriteWatch",
};

/* the number of each system call */
static const unsigned int pe_ids[PE_NAMES] = { 12, 40, 20, 81, 180 };

static inline void pe_put16( unsigned char *data, uint16_t value )
{
    memcpy( data, &value, sizeof(value) );
}

static inline void pe_put32( unsigned char *data, uint32_t value )
{
    memcpy( data, &value, sizeof(value) );
}

/* the stub of a system call in the file */
static inline unsigned char *pe_stub( unsigned char *data, unsigned int name )
{
    return data + PE_STUBS + 0x20 * name;
}

/* Fills PE_SIZE bytes with a 64-bit library. Names and functions are in different orders, and
 * addresses in memory are not those in the file. */
static inline void pe_make( unsigned char *data )
{
    static const unsigned char stub[] = { 0x4c, 0x8b, 0xd1, 0xb8 };
    unsigned char *exports = data + PE_EXPORTS;
    const unsigned int functions = PE_EXPORTS + 0x80, names = PE_EXPORTS + 0xc0;
    const unsigned int ordinals = PE_EXPORTS + 0x100, strings = PE_EXPORTS + 0x180;
    unsigned int i;

    memset( data, 0, PE_SIZE );
    pe_put16( data, 0x5a4d );
    pe_put32( data + 0x3c, PE_HEADER );
    pe_put32( data + PE_HEADER, 0x4550 );
    pe_put16( data + PE_HEADER + 4, 0x8664 );
    pe_put16( data + PE_HEADER + 6, 1 );                        /* sections */
    pe_put16( data + PE_HEADER + 20, 240 );                     /* size of the optional header */
    pe_put16( data + PE_OPTIONAL, 0x20b );
    pe_put32( data + PE_OPTIONAL + 112, PE_EXPORTS + PE_SHIFT );
    data += PE_OPTIONAL + 240;                                  /* the only section */
    pe_put32( data + 8, PE_SIZE - 0x400 );
    pe_put32( data + 12, 0x400 + PE_SHIFT );
    pe_put32( data + 16, PE_SIZE - 0x400 );
    pe_put32( data + 20, 0x400 );
    data -= PE_OPTIONAL + 240;

    pe_put32( exports + 20, PE_NAMES );
    pe_put32( exports + 24, PE_NAMES );
    pe_put32( exports + 28, functions + PE_SHIFT );
    pe_put32( exports + 32, names + PE_SHIFT );
    pe_put32( exports + 36, ordinals + PE_SHIFT );
    for (i = 0; i < PE_NAMES; i++)
    {
        unsigned int ordinal = PE_NAMES - 1 - i;

        pe_put32( data + functions + 4 * ordinal, PE_STUBS + 0x20 * i + PE_SHIFT );
        pe_put16( data + ordinals + 2 * i, ordinal );
        pe_put32( data + names + 4 * i, strings + 0x20 * i + PE_SHIFT );
        strcpy( (char *)data + strings + 0x20 * i, pe_names[i] );
        memcpy( pe_stub( data, i ), stub, sizeof(stub) );
        pe_put32( pe_stub( data, i ) + sizeof(stub), pe_ids[i] );
    }
}

#endif /* WRITEWATCH_PE_FILE_H */
