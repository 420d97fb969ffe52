/*
 * What the model test needs of the system beside the calls under test
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file for each system stands behind this; nothing else asks which one it is.
 */

#ifndef WRITEWATCH_TESTS_PLATFORM_H
#define WRITEWATCH_TESTS_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#include "../common/nt.h"
#include "../common/system.h"

/* the calls under test that headers may lack */
extern NTSTATUS call_allocate( void **addr, SIZE_T *size, ULONG type, ULONG protect );
extern NTSTATUS call_allocate_ex( void **addr, SIZE_T *size, ULONG type, ULONG protect );
extern NTSTATUS call_free( void **addr, SIZE_T *size, ULONG type );
extern NTSTATUS call_protect( void **addr, SIZE_T *size, ULONG protect, ULONG *old );
extern NTSTATUS call_get( ULONG flags, void *base, SIZE_T size, void **array, ULONG_PTR *count,
                          ULONG *granularity );
extern NTSTATUS call_reset( void *base, SIZE_T size );

/* What this system has, set by platform_open(). */
struct platform
{
    const char *name;
    const char *code;        /* for programs that are printed: kernel_write(), in_child() */
    int can_fork;
    int system_calls;        /* how many ways kernel_write() knows */
    int system_calls_fail;   /* they say so when the memory cannot be written */
    int has_placeholders;
    int releases_parts;      /* row 37 */
    int strict_statuses;     /* allocating and protecting fail as in the model */
    int strict_locks;        /* locking memory without access fails */
    int strict_sizes;        /* sizes that wrap around are errors of all calls */
    int copies_answers;      /* an array is stored when the query is done, with its reset */
};

extern struct platform platform;

/* Chooses the backend of the environment, finds out the above and installs the handler of faults.
 * Returns 0, or a sentence why nothing can be tested. */
extern const char *platform_open(void);

/* Copies bytes; both ranges lie in one page. Returns 0, or the code of the exception, and then
 * nothing was written: STATUS_ACCESS_VIOLATION or STATUS_GUARD_PAGE_VIOLATION. */
extern NTSTATUS try_copy( void *dst, const void *src, size_t size );

/* The same for eight bytes in one store, which may lie in two pages. */
extern NTSTATUS try_store( void *dst, uint64_t value );

/* Writes by a system call. Returns 1 if all was written, or 0. */
extern int kernel_write( unsigned int how, void *addr, const void *data, size_t size );

/* Runs a function in a child of this process and returns whether that returned 0. */
extern int in_child( int (*func)( void *arg ), void *arg );

/* Runs this program with other arguments and returns its exit code, -1 if it ended by a fault. Its
 * output is thrown away if quiet. */
extern int run_self( const char *arguments, int quiet );

/* A name for a file of one's own. */
extern const char *scratch_file( const char *suffix );

/* In access.c: what an exception handler does with a fault on the copies above. Returns where to
 * go on, or 0 if the fault is another one. */
extern uintptr_t access_failed( uintptr_t pc, NTSTATUS code );

#endif /* WRITEWATCH_TESTS_PLATFORM_H */
