/*
 * What of ntdll.so is looked at, for compilers to make code of
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ABI is the convention of the functions, DISPATCHER the form of the dispatcher, which is never
 * run. Small functions (SMALL) may be built into what calls them. KERNEL_WATCHES has what tells a
 * Wine with kernel watches.
 */

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#if DISPATCHER == 1
__asm__( ".text\n\tmov %r10,%rcx\n\tsub $0x20,%rsp\n\tmov (%rbx),%r10\n\tcall *(%r10,%rax,8)" );
#elif DISPATCHER == 2
__asm__( ".text\n\tmov %r10,%rdi\n\tmov 0x18(%rcx),%rsi\n\tmov (%rbx),%r10\n\tcall *(%r10,%rax,8)" );
#elif DISPATCHER == 3
__asm__( ".text\n\tmov %r10,%rdi\n\tmov (%rbx),%r10\n\tmov (%r10,%rax,8),%r12\n\tcall *%r12\n\t"
         "pop %rdi\n\tpop %rsi\n\tpop %rdx\n\tpop %rcx\n\tpop %r8\n\tpop %r9\n\tcall *%r12" );
#endif

#ifdef KERNEL_WATCHES
/* the numbers of the requests with which a Wine watches memory by the kernel */
__asm__( ".text\n\tmov $0xc0606610,%esi\n\tmov $0xc020aa00,%esi" );
#endif

/* Functions of Wine use all that they are given. Of what they do not, a compiler that knows them
 * need not pass anything. */
EXPORT unsigned long used;

/* the first type of an allocation since the last look */
EXPORT unsigned int seen_type;

/* what the last NtFreeVirtualMemory got */
EXPORT void *seen_pointer;

static void see( unsigned int type )
{
    if (!seen_type) seen_type = type;
}

/* what makes a function too large to be built into others */
static inline __attribute__((always_inline)) void linger( size_t *size )
{
#ifndef SMALL
    int i;

    for (i = 0; i < (int)(*size & 3); i++)
    {
        see( getppid() & 0 ); see( getpid() & 0 ); see( getuid() & 0 ); see( geteuid() & 0 );
        see( getgid() & 0 ); see( getegid() & 0 ); see( getpgrp() & 0 ); see( getppid() & 0 );
        see( getsid( i ) & 0 ); see( getpgid( i ) & 0 ); see( getdtablesize() & 0 );
    }
#endif
    (void)size;
}

EXPORT ABI int NtAllocateVirtualMemory( void *process, void **base, size_t bits, size_t *size,
                                        unsigned int type, unsigned int protect )
{
    if (process != (void *)-1) return -1;
    used = bits + protect;
    see( type );
    linger( size );
    *base = mmap( NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    return *base == MAP_FAILED ? -1 : 0;
}

EXPORT ABI int NtAllocateVirtualMemoryEx( void *process, void **base, size_t *size,
                                          unsigned int type, unsigned int protect, void *parameters,
                                          unsigned int count )
{
    if (process != (void *)-1) return -1;
    used = protect + (unsigned long)parameters + count;
    see( type );
    linger( size );
    *base = mmap( NULL, *size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    return *base == MAP_FAILED ? -1 : 0;
}

EXPORT ABI int NtFreeVirtualMemory( void *process, void **base, size_t *size, unsigned int type )
{
    if (process != (void *)-1) return -1;
    used = type;
    seen_pointer = base;
    linger( size );
    return munmap( *base, *size ? *size : 0x10000 );
}

EXPORT ABI int NtGetWriteWatch( void )
{
    return 42;
}

EXPORT ABI int NtResetWriteWatch( void )
{
    return 43;
}

/* the places are those of tests/unit/pe_file.h */
EXPORT void * const table[200] __attribute__((used)) =
{
    [12]  = NtAllocateVirtualMemory,
    [20]  = NtFreeVirtualMemory,
    [40]  = NtAllocateVirtualMemoryEx,
    [81]  = NtGetWriteWatch,
    [180] = NtResetWriteWatch,
};

/* what Wine does for another process */
EXPORT int serve( int what, void **base, size_t *size, unsigned int type )
{
    void *process = (void *)-1;

    switch (what)
    {
    case 0: return NtAllocateVirtualMemory( process, base, 0, size, type, 4 );
    case 1: return NtAllocateVirtualMemoryEx( process, base, size, type, 4, NULL, 0 );
    case 2: return NtFreeVirtualMemory( process, base, size, type );
    }
    return -1;
}

/* a call at the end of a function, behind a condition */
EXPORT ABI int NtWow64AllocateVirtualMemory64( void *process, void **base, size_t bits,
                                               size_t *size, unsigned int type,
                                               unsigned int protect )
{
    if (process != (void *)-1) return -1;
    return NtAllocateVirtualMemory( process, base, bits, size, type, protect );
}
