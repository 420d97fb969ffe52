/*
 * The NT types and statuses that the entry points speak
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_NT_TYPES_H
#define WRITEWATCH_NT_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t   NTSTATUS;
typedef void     *HANDLE;
typedef uint32_t  ULONG;
typedef uintptr_t ULONG_PTR;
typedef size_t    SIZE_T;

#define STATUS_SUCCESS               ((NTSTATUS)0x00000000)
#define STATUS_UNSUCCESSFUL          ((NTSTATUS)0xc0000001)
#define STATUS_ACCESS_VIOLATION      ((NTSTATUS)0xc0000005)
#define STATUS_INVALID_PARAMETER     ((NTSTATUS)0xc000000d)
#define STATUS_NO_MEMORY             ((NTSTATUS)0xc0000017)

#define WRITE_WATCH_FLAG_RESET       0x00000001

#define MEM_COMMIT                   0x00001000
#define MEM_RESERVE                  0x00002000
#define MEM_REPLACE_PLACEHOLDER      0x00004000
#define MEM_RESERVE_PLACEHOLDER      0x00040000
#define MEM_PRESERVE_PLACEHOLDER     0x00000002
#define MEM_DECOMMIT                 0x00004000
#define MEM_RELEASE                  0x00008000
#define MEM_WRITE_WATCH              0x00200000

#define NtCurrentProcess()           ((HANDLE)~(uintptr_t)0)

#endif /* WRITEWATCH_NT_TYPES_H */
