/*
 * Windows' types, functions and statuses, from its headers or from those that take their place
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_NT_H
#define WRITEWATCH_NT_H

/* winnt.h has some of the statuses, and ntstatus.h has all: only one of them may define them */
#ifndef WIN32_NO_STATUS
#define WIN32_NO_STATUS
#endif
#include <windows.h>
#include <winternl.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#define WIN32_NO_STATUS

/* of Windows 10, missing in mingw's headers */
#ifndef MEM_RESERVE_PLACEHOLDER
#define MEM_RESERVE_PLACEHOLDER   0x00040000
#endif
#ifndef MEM_REPLACE_PLACEHOLDER
#define MEM_REPLACE_PLACEHOLDER   0x00004000
#endif
#ifndef MEM_PRESERVE_PLACEHOLDER
#define MEM_COALESCE_PLACEHOLDERS 0x00000001
#define MEM_PRESERVE_PLACEHOLDER  0x00000002
#endif

/* where no program of this word size can have memory */
#define KERNEL_ADDRESS \
    ((void *)(ULONG_PTR)(sizeof(void *) == 8 ? 0xffff800000000000ull : 0xfffff000))

/* the program counter and the stack pointer in a CONTEXT */
#ifdef __i386__
#define CONTEXT_PC(context) ((context)->Eip)
#define CONTEXT_SP(context) ((context)->Esp)
#else
#define CONTEXT_PC(context) ((context)->Rip)
#define CONTEXT_SP(context) ((context)->Rsp)
#endif

#endif /* WRITEWATCH_NT_H */
