/*
 * What the Win32 face needs of the native calls
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef __WRITEWATCH_KERNELBASE_H
#define __WRITEWATCH_KERNELBASE_H

#ifdef _WIN32

#include <stdarg.h>

/* VirtualAlloc2 is declared from this version on */
#if !defined(NTDDI_VERSION) || NTDDI_VERSION < 0x0A000005
#undef NTDDI_VERSION
#undef _WIN32_WINNT
#undef WINVER
#define _WIN32_WINNT  0x0A00
#define NTDDI_VERSION 0x0A000005
#endif

#ifndef WIN32_NO_STATUS
#define WIN32_NO_STATUS
#endif
#include <windows.h>
#include <winternl.h>

/* Windows headers leave these to the driver kit */
NTSTATUS NTAPI NtAllocateVirtualMemory( HANDLE process, void **addr, ULONG_PTR zero_bits,
                                        SIZE_T *size, ULONG type, ULONG protect );
NTSTATUS NTAPI NtAllocateVirtualMemoryEx( HANDLE process, void **addr, SIZE_T *size, ULONG type,
                                          ULONG protect, MEM_EXTENDED_PARAMETER *params,
                                          ULONG count );
NTSTATUS NTAPI NtFreeVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG type );
NTSTATUS NTAPI NtGetWriteWatch( HANDLE process, ULONG flags, void *base, SIZE_T size,
                                void **addresses, ULONG_PTR *count, ULONG *granularity );
NTSTATUS NTAPI NtLockVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG type );
NTSTATUS NTAPI NtProtectVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG protect,
                                       ULONG *old_protect );
NTSTATUS NTAPI NtQueryVirtualMemory( HANDLE process, const void *addr, int info_class, void *info,
                                     SIZE_T size, SIZE_T *ret_size );
NTSTATUS NTAPI NtResetWriteWatch( HANDLE process, void *base, SIZE_T size );
NTSTATUS NTAPI NtUnlockVirtualMemory( HANDLE process, void **addr, SIZE_T *size, ULONG type );

#else  /* natively */

#include "writewatch_windows.h"

extern ULONG RtlNtStatusToDosError( NTSTATUS status );

#endif

#ifndef MAP_PROCESS
#define MAP_PROCESS 1  /* lock in the working set of the process */
#endif
#define MEMORY_BASIC_INFO_CLASS 0  /* MemoryBasicInformation */


/***********************************************************************
 *           set_ntstatus
 *
 * The one place where a status becomes the last error. Returns TRUE for success; the last error is
 * left alone then.
 */
static inline BOOL set_ntstatus( NTSTATUS status )
{
    if (!status) return TRUE;
    SetLastError( RtlNtStatusToDosError( status ));
    return FALSE;
}

#endif  /* __WRITEWATCH_KERNELBASE_H */
