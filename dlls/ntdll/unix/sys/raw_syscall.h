/*
 * System calls made from uninterrupted code, without the C library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RAW_SYSCALL_H
#define WRITEWATCH_RAW_SYSCALL_H

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* clang's analyser does not see what the instruction stores, but knows of the function */
#if defined(__x86_64__) && !defined(__clang_analyzer__)
#define RAW_X86_64 1
#else
#define RAW_X86_64 0
#endif

/* Returns what the kernel returns: -errno on failure. The instruction itself stands in the caller's
 * section, so a signal that arrives during the call finds the thread there (uninterrupted.h). */
static inline __attribute__((always_inline)) long raw_syscall3( long nr, long a, long b, long c )
{
#if RAW_X86_64
    long ret;

    __asm__ __volatile__( "syscall" : "=a" (ret) : "a" (nr), "D" (a), "S" (b), "d" (c)
                          : "rcx", "r11", "memory" );
    return ret;
#else
    long ret = syscall( nr, a, b, c );

    return ret == -1 ? -errno : ret;
#endif
}

static inline __attribute__((always_inline)) long raw_syscall4( long nr, long a, long b, long c,
                                                                long d )
{
#if RAW_X86_64
    register long fourth __asm__( "r10" ) = d;
    long ret;

    __asm__ __volatile__( "syscall" : "=a" (ret) : "a" (nr), "D" (a), "S" (b), "d" (c), "r" (fourth)
                          : "rcx", "r11", "memory" );
    return ret;
#else
    long ret = syscall( nr, a, b, c, d );

    return ret == -1 ? -errno : ret;
#endif
}

/* whether what a system call returned is -errno; it may be an address otherwise */
static inline __attribute__((always_inline)) int raw_failed( long ret )
{
    return (unsigned long)ret > -4096ul;
}

/* The kernel lets memory go before it maps other memory in its place. ThreadSanitizer does not see
 * these system calls, and would take the two owners of an address for a race. */
#ifdef __SANITIZE_THREAD__
extern void __tsan_acquire( void * );
extern void __tsan_release( void * );
extern char raw_mappings __attribute__((visibility("hidden")));
char raw_mappings __attribute__((weak));
#define after_unmapping()  __tsan_acquire( &raw_mappings )
#define before_unmapping() __tsan_release( &raw_mappings )
#else
#define after_unmapping()  (void)0
#define before_unmapping() (void)0
#endif

/* Maps zeroed memory for reading and writing. Returns its address or -errno. */
static inline __attribute__((always_inline)) long raw_mmap_anon( size_t size )
{
#if RAW_X86_64
    register long flags __asm__( "r10" ) = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    register long fd __asm__( "r8" ) = -1;
    register long offset __asm__( "r9" ) = 0;
    long ret;

    __asm__ __volatile__( "syscall" : "=a" (ret) : "a" ((long)SYS_mmap), "D" (0L), "S" (size),
                          "d" ((long)(PROT_READ | PROT_WRITE)), "r" (flags), "r" (fd), "r" (offset)
                          : "rcx", "r11", "memory" );
    after_unmapping();
    return ret;
#else
    long ret = syscall( SYS_mmap, 0L, size, (long)(PROT_READ | PROT_WRITE),
                        (long)(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE), -1L, 0L );

    return ret == -1 ? -errno : ret;
#endif
}

/* lets such memory go; for what nobody looks at any more this cannot fail */
static inline __attribute__((always_inline)) void raw_munmap( void *addr, size_t size )
{
    before_unmapping();
    raw_syscall3( SYS_munmap, (long)addr, size, 0 );
}

#endif /* WRITEWATCH_RAW_SYSCALL_H */
