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

#include "sys/cpu.h"

#ifdef __clang_analyzer__
/* the analyser does not see what the instruction stores, but knows the function */
static inline long analysed_result( long ret )
{
    return ret == -1 ? -errno : ret;
}
#define cpu_syscall3( ... ) analysed_result( syscall( __VA_ARGS__ ))
#define cpu_syscall4( ... ) analysed_result( syscall( __VA_ARGS__ ))
#define cpu_syscall6( ... ) analysed_result( syscall( __VA_ARGS__ ))
#endif

/* Returns what the kernel returns: -errno on failure. The instruction itself stands in the caller's
 * section, so a signal that arrives during the call finds the thread there (uninterrupted.h). */
static inline __attribute__((always_inline)) long raw_syscall3( long nr, long a, long b, long c )
{
    return cpu_syscall3( nr, a, b, c );
}

static inline __attribute__((always_inline)) long raw_syscall4( long nr, long a, long b, long c,
                                                                long d )
{
    return cpu_syscall4( nr, a, b, c, d );
}

static inline __attribute__((always_inline)) long raw_syscall6( long nr, long a, long b, long c,
                                                                long d, long e, long f )
{
    return cpu_syscall6( nr, a, b, c, d, e, f );
}

/* whether what a system call returned is -errno; it may be an address otherwise */
static inline __attribute__((always_inline)) int raw_failed( long ret )
{
    return (unsigned long)ret > -4096ul;
}

/* The kernel unmaps memory before it maps other memory in its place. ThreadSanitizer does not see
 * these system calls and would take the two owners of an address for a race. */
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
    long ret = raw_syscall6( CPU_SYS_MMAP, 0, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0 );

    after_unmapping();
    return ret;
}

/* Unmaps it. For memory that is no longer in use this cannot fail. */
static inline __attribute__((always_inline)) void raw_munmap( void *addr, size_t size )
{
    before_unmapping();
    raw_syscall3( SYS_munmap, (long)addr, size, 0 );
}

#endif /* WRITEWATCH_RAW_SYSCALL_H */
