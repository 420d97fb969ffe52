/*
 * Write watches by the kernel, for virtual.c and the signal handlers
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef __WINE_KERNEL_WATCH_H
#define __WINE_KERNEL_WATCH_H

#include <signal.h>
#include <stdarg.h>
#include <sys/types.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winnt.h"
#include "winternl.h"

/* Memory is watched by the kernel where it can be, and otherwise by VPROT_WRITEWATCH. A view that
 * the kernel watches does not have that flag.
 *
 * Calls that change memory are made with virtual_mutex. The engine has a lock of its own, which is
 * taken after it, and no function that takes virtual_mutex is called with the engine's lock.
 * Queries take neither. */

/* while there is one thread */
extern void kernel_watch_init(void);

/* Before memory with MEM_WRITE_WATCH is mapped: whether the kernel will watch it. Then mappings are
 * made as the engine needs them, until one of the next two. */
extern BOOL kernel_watch_begin( ULONG type, SIZE_T size );

/* The memory is mapped, with that protection of Unix. Returns whether it is watched now. */
extern BOOL kernel_watch_add( void *base, SIZE_T size, ULONG type, int unix_prot );
extern void kernel_watch_cancel(void);

/* Before pages become accessible. Fails if there is no memory. */
extern NTSTATUS kernel_watch_commit( void *base, SIZE_T size );

/* In the place of a mapping without access, for MEM_DECOMMIT: the written state stays. */
extern void *kernel_watch_decommit( void *base, SIZE_T size );

/* In the place of the functions of libc, for memory of the program. */
extern void *kernel_watch_mmap( void *addr, size_t size, int prot, int flags, int fd,
                                off_t offset );
extern int kernel_watch_munmap( void *addr, size_t size );
extern int kernel_watch_mprotect( void *addr, size_t size, int prot );
extern int kernel_watch_madvise( void *addr, size_t size, int advice );
extern int kernel_watch_mlock( const void *addr, size_t size );

/* NtGetWriteWatch and NtResetWriteWatch without their handle, without virtual_mutex. Return
 * STATUS_NOT_SUPPORTED for memory that VPROT_WRITEWATCH may watch. */
extern NTSTATUS kernel_watch_get( ULONG flags, void *base, SIZE_T size, void **addresses,
                                  ULONG_PTR *count, ULONG *granularity );
extern NTSTATUS kernel_watch_reset( void *base, SIZE_T size );

/* In signal handlers. Whether a signal that suspends or ends the thread is deferred: it is in a
 * query, or changes what is watched. */
extern BOOL kernel_watch_defer( int signal, const void *context );

/* Whether a fault, which Wine could not resolve, was on the program's pointers in a query, which
 * goes on with its status; and the same for SIGBUS, which Wine could take for one that it can. */
extern BOOL kernel_watch_fault( void *context, NTSTATUS status );
extern BOOL kernel_watch_bus( const siginfo_t *siginfo, void *context );

#endif /* __WINE_KERNEL_WATCH_H */
