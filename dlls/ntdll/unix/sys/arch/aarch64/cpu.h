/*
 * What depends on the processor: AArch64
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CPU_AARCH64_H
#define WRITEWATCH_CPU_AARCH64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <asm/sigcontext.h>

/* Addresses of programs have so many bits at most. With 52 the kernel maps nothing above 48 unless
 * it is asked to by a hint. Many kernels have fewer: 47 with pages of 16 KiB, 42 or 39. */
#define CPU_ADDRESS_BITS 48

#define CPU_SYS_MMAP  SYS_mmap
#define CPU_SYS_FSTAT SYS_fstat
typedef struct stat cpu_stat;

/* In a loop that waits for another processor: isb stalls this one for some tens of cycles, where
 * yield does nothing on most. */
static inline __attribute__((always_inline)) void cpu_pause(void)
{
    __asm__ __volatile__( "isb" : : : "memory" );
}

/* System calls. They return what the kernel returns: -errno on failure. */
static inline __attribute__((always_inline)) long cpu_syscall6( long nr, long a, long b, long c,
                                                                long d, long e, long f )
{
    register long number __asm__( "x8" ) = nr;
    register long first __asm__( "x0" ) = a;
    register long second __asm__( "x1" ) = b;
    register long third __asm__( "x2" ) = c;
    register long fourth __asm__( "x3" ) = d;
    register long fifth __asm__( "x4" ) = e;
    register long sixth __asm__( "x5" ) = f;

    __asm__ __volatile__( "svc #0" : "+r" (first)
                          : "r" (number), "r" (second), "r" (third), "r" (fourth), "r" (fifth),
                            "r" (sixth) : "memory" );
    return first;
}

static inline __attribute__((always_inline)) long cpu_syscall4( long nr, long a, long b, long c,
                                                                long d )
{
    register long number __asm__( "x8" ) = nr;
    register long first __asm__( "x0" ) = a;
    register long second __asm__( "x1" ) = b;
    register long third __asm__( "x2" ) = c;
    register long fourth __asm__( "x3" ) = d;

    __asm__ __volatile__( "svc #0" : "+r" (first)
                          : "r" (number), "r" (second), "r" (third), "r" (fourth) : "memory" );
    return first;
}

static inline __attribute__((always_inline)) long cpu_syscall3( long nr, long a, long b, long c )
{
    register long number __asm__( "x8" ) = nr;
    register long first __asm__( "x0" ) = a;
    register long second __asm__( "x1" ) = b;
    register long third __asm__( "x2" ) = c;

    __asm__ __volatile__( "svc #0" : "+r" (first)
                          : "r" (number), "r" (second), "r" (third) : "memory" );
    return first;
}

/* where a signal interrupted the thread */
static inline uintptr_t context_pc( const ucontext_t *context )
{
    return context->uc_mcontext.pc;
}

/* whether a signal interrupted the thread in this code */
static inline int context_is_in( const ucontext_t *context, uintptr_t start, uintptr_t end )
{
    return context_pc( context ) >= start && context_pc( context ) < end;
}

static inline void cpu_init(void) {}

/* Whether the access that faulted was a write: bit 6 (WnR) of the syndrome, which cache maintenance
 * (bit 8, CM) has as well. The kernel hands the syndrome over in one of the records behind the
 * registers; they end with one of size 0. Without it any access counts as a write. */
static inline int context_is_write( const ucontext_t *context )
{
    const char *record = (const char *)context->uc_mcontext.__reserved;
    const char *end = record + sizeof(context->uc_mcontext.__reserved);

    while (record + sizeof(struct esr_context) <= end)
    {
        const struct _aarch64_ctx *head = (const struct _aarch64_ctx *)record;

        if (head->magic == ESR_MAGIC)
            return (((const struct esr_context *)record)->esr & (1 << 6 | 1 << 8)) == 1 << 6;
        if (head->size < sizeof(*head)) break;
        record += head->size;
    }
    return 1;
}

/* lets the thread go on somewhere else, with the return value of a function */
static inline void context_resume( ucontext_t *context, uintptr_t pc, unsigned int value )
{
    context->uc_mcontext.regs[0] = value;
    context->uc_mcontext.pc = pc;
}

#endif /* WRITEWATCH_CPU_AARCH64_H */
