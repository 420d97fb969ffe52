/*
 * What depends on the processor: i386
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_CPU_I386_H
#define WRITEWATCH_CPU_I386_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* Addresses of programs have so many bits. */
#define CPU_ADDRESS_BITS 32

/* the calls that other processors have as SYS_mmap, here with an offset in pages, and SYS_fstat */
#define CPU_SYS_MMAP  SYS_mmap2
#define CPU_SYS_FSTAT SYS_fstat64
typedef struct stat64 cpu_stat;

/* in a loop that waits for another processor */
static inline __attribute__((always_inline)) void cpu_pause(void)
{
    __builtin_ia32_pause();
}

/* The kernel's entry point in the vDSO, once cpu_init() has found it. It takes an eighth of the
 * time of int $0x80, which is used before, and for the calls with six arguments. */
extern const void *cpu_entry __attribute__((visibility("hidden")));
extern void cpu_init(void);

/* more than its code has, which is at the end of what the vDSO has */
#define CPU_ENTRY_SIZE 64

/* System calls. They return what the kernel returns: -errno on failure. */
static inline __attribute__((always_inline)) long cpu_syscall3( long nr, long a, long b, long c )
{
    const void *entry = cpu_entry;
    long ret;

    if (entry)
        __asm__ __volatile__( "call *%[entry]" : "=a" (ret)
                              : "a" (nr), "b" (a), "c" (b), "d" (c), [entry] "S" (entry)
                              : "memory" );
    else
        __asm__ __volatile__( "int $0x80" : "=a" (ret) : "a" (nr), "b" (a), "c" (b), "d" (c)
                              : "memory" );
    return ret;
}

static inline __attribute__((always_inline)) long cpu_syscall4( long nr, long a, long b, long c,
                                                                long d )
{
    const void *entry = cpu_entry;
    long ret;

    if (entry)
        __asm__ __volatile__( "call *%[entry]" : "=a" (ret)
                              : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d), [entry] "D" (entry)
                              : "memory" );
    else
        __asm__ __volatile__( "int $0x80" : "=a" (ret)
                              : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d) : "memory" );
    return ret;
}

/* The sixth argument goes into ebp, which may be the frame pointer: it is loaded from memory that
 * eax points to, once nothing else needs ebp. */
static inline __attribute__((always_inline)) long cpu_syscall6( long nr, long a, long b, long c,
                                                                long d, long e, long f )
{
    const long last[2] = { nr, f };
    long ret;

    __asm__ __volatile__( "pushl %%ebp\n\t"
                          "movl 4(%%eax),%%ebp\n\t"
                          "movl (%%eax),%%eax\n\t"
                          "int $0x80\n\t"
                          "popl %%ebp"
                          : "=a" (ret)
                          : "a" (last), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e) : "memory" );
    return ret;
}

/* where a signal interrupted the thread */
static inline uintptr_t context_pc( const ucontext_t *context )
{
    return context->uc_mcontext.gregs[REG_EIP];
}

/* The helpers in which gcc reads the program counter: mov (%esp),%reg; ret. Those that no code uses
 * are missing. */
#define PC_HELPER( reg ) \
    extern const char pc_helper_##reg[] __asm__( "__x86.get_pc_thunk." #reg ) \
        __attribute__((weak, visibility("hidden")))
PC_HELPER( ax );
PC_HELPER( bx );
PC_HELPER( cx );
PC_HELPER( dx );
PC_HELPER( si );
PC_HELPER( di );
PC_HELPER( bp );
#undef PC_HELPER

/* In which code a signal interrupted the thread: a helper belongs to its caller, and so does the
 * entry point of the kernel, which has at most three registers on the stack above the return
 * address. What it is compared with is code: no other word on the stack is an address there. */
static inline int context_is_in( const ucontext_t *context, uintptr_t start, uintptr_t end )
{
    const char * const helpers[] =
    {
        pc_helper_ax, pc_helper_bx, pc_helper_cx, pc_helper_dx, pc_helper_si, pc_helper_di,
        pc_helper_bp,
    };
    const uintptr_t *stack = (const uintptr_t *)(uintptr_t)context->uc_mcontext.gregs[REG_ESP];
    uintptr_t pc = context_pc( context );
    unsigned int i;

    if (pc >= start && pc < end) return 1;
    for (i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
        if (helpers[i] && pc - (uintptr_t)helpers[i] < 4)
            return stack[0] >= start && stack[0] < end;
    if (!cpu_entry || pc - (uintptr_t)cpu_entry >= CPU_ENTRY_SIZE) return 0;
    for (i = 0; i < 4; i++)
        if (stack[i] >= start && stack[i] < end) return 1;
    return 0;
}

/* whether the access that faulted was a write: bit 1 of the error code of a page fault */
static inline int context_is_write( const ucontext_t *context )
{
    return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
}

/* lets the thread go on somewhere else, with the return value of a function */
static inline void context_resume( ucontext_t *context, uintptr_t pc, unsigned int value )
{
    context->uc_mcontext.gregs[REG_EAX] = value;
    context->uc_mcontext.gregs[REG_EIP] = pc;
}

#endif /* WRITEWATCH_CPU_I386_H */
