/*
 * Access to memory of the program that may fault
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_USER_MEMORY_H
#define WRITEWATCH_USER_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "sys/cpu.h"

struct page_run;

/* A pointer of the program may be bad, or become bad at any time. These functions return 0, or what
 * their comments say, or after a fault the status that the handler gave to user_access_fail(). That
 * is an NTSTATUS: as an int it lies below every -errno, so that one value can hold either. They are
 * in uninterrupted code and use no stack. */
#define MAX_ERRNO 4095

extern int user_load_pointer( const void *ptr, uintptr_t *value );
extern int user_store_pointer( void *ptr, uintptr_t value );
extern int user_store32( void *ptr, uint32_t value );

/* Loads and stores; on failure nothing was stored. Not atomic: a locked instruction costs a
 * twentieth of a small query, and Linux may slow down or end a program for one that crosses a cache
 * line. */
extern int user_swap_pointer( void *ptr, uintptr_t value, uintptr_t *old );

/* Stores the addresses of the pages in n (> 0) runs, none of them empty, step bytes apart. Returns
 * how many. */
extern int user_store_runs( void *ptr, const struct page_run *runs, size_t n, size_t step );

/* Touch n (> 0) bytes, step apart: by reading, or by a write that does not change them. */
extern int user_probe_read( void *ptr, size_t n, size_t step );
extern int user_probe_write( void *ptr, size_t n, size_t step );

extern const char user_access_start[] __attribute__((visibility("hidden")));
extern const char user_access_stop[] __attribute__((visibility("hidden")));
extern const char user_access_failed[] __attribute__((visibility("hidden")));

/* whether pc is in one of these functions */
static inline int is_user_access( uintptr_t pc )
{
    return pc >= (uintptr_t)user_access_start && pc < (uintptr_t)user_access_stop;
}

/* In a signal handler, after a fault in one of them: makes the function return the status. The
 * context is that of the fault. */
static inline void user_access_fail( ucontext_t *context, int status )
{
    context_resume( context, (uintptr_t)user_access_failed, status );
}

#endif /* WRITEWATCH_USER_MEMORY_H */
