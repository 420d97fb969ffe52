/*
 * Accesses that may fault: the handler goes on behind them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "platform.h"

/* The same calling convention everywhere. The registers of the copy tell where it is, so that a
 * backend that answers the fault can let it go on. */
#ifdef __x86_64__
#define ACCESS_ABI __attribute__((sysv_abi))
#else
#define ACCESS_ABI
#endif
extern int access_copy( void *dst, const void *src, size_t size ) ACCESS_ABI;
extern int access_store( void *dst, uint64_t value ) ACCESS_ABI;
extern const char access_begin[], access_end[], access_fixup[];

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
