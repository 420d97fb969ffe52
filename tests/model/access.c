/*
 * Accesses that may fault: the handler goes on behind them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "platform.h"

/* The same calling convention everywhere on a processor. The registers of the copy tell where it
 * is, so that a backend that answers the fault can let it go on. */
#ifdef __i386__
#define CALLED  __attribute__((cdecl))
#define NAME(name) __asm__( #name )
#elif defined(__x86_64__)
#define CALLED  __attribute__((sysv_abi))
#define NAME(name)
#else
#define CALLED
#define NAME(name)
#endif

extern int access_copy( void *dst, const void *src, size_t size ) NAME( access_copy ) CALLED;
extern int access_store( void *dst, uint64_t value ) NAME( access_store ) CALLED;
extern const char access_begin[] NAME( access_begin ), access_end[] NAME( access_end );
extern const char access_fixup[] NAME( access_fixup );

#ifdef __i386__
/* both have the same on the stack where they can fault */
__asm__( ".text\n"
         ".globl access_begin, access_end, access_fixup, access_copy, access_store\n"
         "access_begin:\n"
         "access_copy:\n\t"
         "push %esi\n\t"
         "push %edi\n\t"
         "mov 12(%esp),%edi\n\t"
         "mov 16(%esp),%esi\n\t"
         "mov 20(%esp),%ecx\n\t"
         "rep movsb\n\t"
         "mov $1,%eax\n\t"
         "pop %edi\n\t"
         "pop %esi\n\t"
         "ret\n"
         "access_store:\n\t"
         "push %esi\n\t"
         "push %edi\n\t"
         "mov 12(%esp),%edi\n\t"
         "movq 16(%esp),%xmm0\n\t"
         "movq %xmm0,(%edi)\n\t"
         "mov $1,%eax\n\t"
         "pop %edi\n\t"
         "pop %esi\n\t"
         "ret\n"
         "access_end:\n"
         "access_fixup:\n\t"
         "xor %eax,%eax\n\t"
         "pop %edi\n\t"
         "pop %esi\n\t"
         "ret\n" );
#else
__asm__( ".text\n"
         ".globl access_begin, access_end, access_fixup, access_copy, access_store\n"
         "access_begin:\n"
#ifdef __x86_64__
         "access_copy:\n\t"
         "mov %rdx,%rcx\n\t"
         "rep movsb\n\t"
         "mov $1,%eax\n\t"
         "ret\n"
         "access_store:\n\t"
         "mov %rsi,(%rdi)\n\t"
         "mov $1,%eax\n\t"
         "ret\n"
         "access_end:\n"
         "access_fixup:\n\t"
         "xor %eax,%eax\n\t"
         "ret\n"
#elif defined(__aarch64__)
         "access_copy:\n\t"
         "cbz x2,2f\n"
         "1:\tldrb w3,[x1],#1\n\t"
         "strb w3,[x0],#1\n\t"
         "subs x2,x2,#1\n\t"
         "b.ne 1b\n"
         "2:\tmov w0,#1\n\t"
         "ret\n"
         "access_store:\n\t"
         "str x1,[x0]\n\t"
         "mov w0,#1\n\t"
         "ret\n"
         "access_end:\n"
         "access_fixup:\n\t"
         "mov w0,#0\n\t"
         "ret\n"
#endif
         );
#endif

static volatile NTSTATUS access_code;

/***********************************************************************
 *           access_failed
 */
uintptr_t access_failed( uintptr_t pc, NTSTATUS code )
{
    if (pc < (uintptr_t)access_begin || pc >= (uintptr_t)access_end) return 0;
    access_code = code;
    return (uintptr_t)access_fixup;
}

/***********************************************************************
 *           try_copy
 */
NTSTATUS try_copy( void *dst, const void *src, size_t size )
{
    return access_copy( dst, src, size ) ? 0 : access_code;
}

/***********************************************************************
 *           try_store
 */
NTSTATUS try_store( void *dst, uint64_t value )
{
    return access_store( dst, value ) ? 0 : access_code;
}
