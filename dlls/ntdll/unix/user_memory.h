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

struct page_run;

/* Pointers of the program are good or bad as the program pleases, and may turn bad at any time.
 * These functions return 0, or what else they say, or -EFAULT if a fault was met and whoever
 * handles faults asked user_access_fixup() where to go on. They stand in uninterrupted code and use
 * no stack. */
extern int user_load64( const void *ptr, uint64_t *value );
extern int user_store64( void *ptr, uint64_t value );
extern int user_store32( void *ptr, uint32_t value );

/* stores the addresses of n (> 0) runs, none of them empty, step apart; returns how many */
extern int user_store_runs( void *ptr, const struct page_run *runs, size_t n, size_t step );

/* touch n (> 0) bytes, step apart; the second as writes do, without changing them */
extern int user_probe_read( void *ptr, size_t n, size_t step );
extern int user_probe_write( void *ptr, size_t n, size_t step );

extern const char user_access_start[] __attribute__((visibility("hidden")));
extern const char user_access_stop[] __attribute__((visibility("hidden")));
extern const char user_access_failed[] __attribute__((visibility("hidden")));

/* Where a thread must go on that met a fault at pc, or 0 if that was none of ours. All registers
 * keep the values they had at the fault. */
static inline uintptr_t user_access_fixup( uintptr_t pc )
{
    if (pc < (uintptr_t)user_access_start || pc >= (uintptr_t)user_access_stop) return 0;
    return (uintptr_t)user_access_failed;
}

#endif /* WRITEWATCH_USER_MEMORY_H */
