/*
 * What depends on the processor: x86-64
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CPU_X86_64_H
#define WRITEWATCH_CPU_X86_64_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* Addresses of programs have so many bits. With five levels of page tables there are 56, but the
 * kernel maps nothing above 47 unless it is asked to by a hint. */
#define CPU_ADDRESS_BITS 47

#define CPU_SYS_MMAP  SYS_mmap
#define CPU_SYS_FSTAT SYS_fstat
typedef struct stat cpu_stat;

/* in a loop that waits for another processor */
static inline __attribute__((always_inline)) void cpu_pause(void)
{
    __builtin_ia32_pause();
}

/* System calls. They return what the kernel returns: -errno on failure. */
static inline __attribute__((always_inline)) long cpu_syscall3( long nr, long a, long b, long c )
{
    long ret;

    __asm__ __volatile__( "syscall" : "=a" (ret) : "a" (nr), "D" (a), "S" (b), "d" (c)
                          : "rcx", "r11", "memory" );
    return ret;
}

static inline __attribute__((always_inline)) long cpu_syscall4( long nr, long a, long b, long c,
                                                                long d )
{
    register long fourth __asm__( "r10" ) = d;
    long ret;

    __asm__ __volatile__( "syscall" : "=a" (ret) : "a" (nr), "D" (a), "S" (b), "d" (c), "r" (fourth)
                          : "rcx", "r11", "memory" );
    return ret;
}

static inline __attribute__((always_inline)) long cpu_syscall6( long nr, long a, long b, long c,
                                                                long d, long e, long f )
{
    register long fourth __asm__( "r10" ) = d;
    register long fifth __asm__( "r8" ) = e;
    register long sixth __asm__( "r9" ) = f;
    long ret;

    __asm__ __volatile__( "syscall" : "=a" (ret)
                          : "a" (nr), "D" (a), "S" (b), "d" (c), "r" (fourth), "r" (fifth),
                            "r" (sixth) : "rcx", "r11", "memory" );
    return ret;
}

/* where a signal interrupted the thread */
static inline uintptr_t context_pc( const ucontext_t *context )
{
    return context->uc_mcontext.gregs[REG_RIP];
}

/* whether a signal interrupted the thread in this code */
static inline int context_is_in( const ucontext_t *context, uintptr_t start, uintptr_t end )
{
    return context_pc( context ) >= start && context_pc( context ) < end;
}

static inline void cpu_init(void) {}

/* whether the access that faulted was a write: bit 1 of the error code of a page fault */
static inline int context_is_write( const ucontext_t *context )
{
    return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
}

/* lets the thread go on somewhere else, with the return value of a function */
static inline void context_resume( ucontext_t *context, uintptr_t pc, unsigned int value )
{
    context->uc_mcontext.gregs[REG_RAX] = value;
    context->uc_mcontext.gregs[REG_RIP] = pc;
}

#endif /* WRITEWATCH_CPU_X86_64_H */
