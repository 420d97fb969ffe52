/*
 * The Windows types, constants and calls that writewatch provides to native programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Included by writewatch.h. If windows.h (of Wine or mingw) was included before, its declarations
 * apply and this file is empty.
 *
 * DWORD and ULONG have 32 bits, as on Windows. A process argument can only be the calling process:
 * GetCurrentProcess(), or NULL in VirtualAlloc2.
 */

#ifndef WRITEWATCH_WINDOWS_H
#define WRITEWATCH_WINDOWS_H

#if !defined(_WINDOWS_) && !defined(_INC_WINDOWS) && !defined(_WINDEF_) && !defined(_WINBASE_) && \
    !defined(__WINE_WINBASE_H)

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef WINAPI
#define WINAPI   /* the default calling convention */
#endif
#ifndef NTAPI
#define NTAPI
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE  1
#endif

typedef int       BOOL;
typedef uint16_t  WORD;
typedef int32_t   LONG;
typedef uint32_t  DWORD;
typedef uint32_t  ULONG;
typedef unsigned int UINT;
typedef uintptr_t ULONG_PTR;
typedef size_t    SIZE_T;
typedef uint64_t  DWORD64;
typedef void     *PVOID;
typedef void     *LPVOID;
typedef const void *LPCVOID;
typedef void     *HANDLE;
typedef int32_t   NTSTATUS;
typedef DWORD     *PDWORD, *LPDWORD;
typedef ULONG_PTR *PULONG_PTR;
typedef SIZE_T    *PSIZE_T;

/* allocation types */
#define MEM_COMMIT                  0x00001000
#define MEM_RESERVE                 0x00002000
#define MEM_REPLACE_PLACEHOLDER     0x00004000
#define MEM_RESERVE_PLACEHOLDER     0x00040000
#define MEM_RESET                   0x00080000
#define MEM_TOP_DOWN                0x00100000
#define MEM_WRITE_WATCH             0x00200000
#define MEM_PHYSICAL                0x00400000   /* not supported, nor are large pages */
#define MEM_LARGE_PAGES             0x20000000

/* types of freeing */
#define MEM_COALESCE_PLACEHOLDERS   0x00000001
#define MEM_PRESERVE_PLACEHOLDER    0x00000002
#define MEM_DECOMMIT                0x00004000
#define MEM_RELEASE                 0x00008000

/* further values in query results */
#define MEM_FREE                    0x00010000
#define MEM_PRIVATE                 0x00020000
#define MEM_MAPPED                  0x00040000
#define MEM_IMAGE                   0x01000000

#define PAGE_NOACCESS               0x0001
#define PAGE_READONLY               0x0002
#define PAGE_READWRITE              0x0004
#define PAGE_WRITECOPY              0x0008
#define PAGE_EXECUTE                0x0010
#define PAGE_EXECUTE_READ           0x0020
#define PAGE_EXECUTE_READWRITE      0x0040
#define PAGE_EXECUTE_WRITECOPY      0x0080
#define PAGE_GUARD                  0x0100
#define PAGE_NOCACHE                0x0200
#define PAGE_WRITECOMBINE           0x0400

#define WRITE_WATCH_FLAG_RESET      0x0001

#define ERROR_SUCCESS               0
#define ERROR_ACCESS_DENIED         5
#define ERROR_INVALID_HANDLE        6
#define ERROR_NOT_ENOUGH_MEMORY     8
#define ERROR_BAD_LENGTH            24
#define ERROR_GEN_FAILURE           31
#define ERROR_NOT_SUPPORTED         50
#define ERROR_INVALID_PARAMETER     87
#define ERROR_MR_MID_NOT_FOUND      317
#define ERROR_INVALID_ADDRESS       487
#define ERROR_NOACCESS              998

#define STATUS_SUCCESS                  ((NTSTATUS)0x00000000)
#define STATUS_WORKING_SET_LIMIT_RANGE  ((NTSTATUS)0x40000002)
#define STATUS_GUARD_PAGE_VIOLATION     ((NTSTATUS)0x80000001)   /* si_code of the SIGSEGV */
#define STATUS_UNSUCCESSFUL             ((NTSTATUS)0xc0000001)
#define STATUS_INVALID_INFO_CLASS       ((NTSTATUS)0xc0000003)
#define STATUS_INFO_LENGTH_MISMATCH     ((NTSTATUS)0xc0000004)
#define STATUS_ACCESS_VIOLATION         ((NTSTATUS)0xc0000005)
#define STATUS_INVALID_HANDLE           ((NTSTATUS)0xc0000008)
#define STATUS_INVALID_PARAMETER        ((NTSTATUS)0xc000000d)
#define STATUS_NO_MEMORY                ((NTSTATUS)0xc0000017)
#define STATUS_CONFLICTING_ADDRESSES    ((NTSTATUS)0xc0000018)
#define STATUS_NOT_MAPPED_VIEW          ((NTSTATUS)0xc0000019)
#define STATUS_UNABLE_TO_FREE_VM        ((NTSTATUS)0xc000001a)
#define STATUS_ACCESS_DENIED            ((NTSTATUS)0xc0000022)
#define STATUS_NOT_COMMITTED            ((NTSTATUS)0xc000002d)
#define STATUS_INVALID_PAGE_PROTECTION  ((NTSTATUS)0xc0000045)
#define STATUS_FREE_VM_NOT_AT_BASE      ((NTSTATUS)0xc000009f)
#define STATUS_MEMORY_NOT_ALLOCATED     ((NTSTATUS)0xc00000a0)
#define STATUS_NOT_SUPPORTED            ((NTSTATUS)0xc00000bb)
#define STATUS_INVALID_PARAMETER_3      ((NTSTATUS)0xc00000f1)
#define STATUS_INVALID_PARAMETER_4      ((NTSTATUS)0xc00000f2)

typedef struct _MEMORY_BASIC_INFORMATION
{
    PVOID  BaseAddress;         /* of the queried page */
    PVOID  AllocationBase;
    DWORD  AllocationProtect;
    WORD   PartitionId;         /* 0 */
    SIZE_T RegionSize;          /* of the pages with the same attributes, from BaseAddress on */
    DWORD  State;               /* MEM_COMMIT, MEM_RESERVE or MEM_FREE */
    DWORD  Protect;
    DWORD  Type;
} MEMORY_BASIC_INFORMATION, *PMEMORY_BASIC_INFORMATION;

typedef enum _MEMORY_INFORMATION_CLASS
{
    MemoryBasicInformation = 0,          /* MEMORY_BASIC_INFORMATION */
    MemoryWorkingSetExInformation = 4,   /* MEMORY_WORKING_SET_EX_INFORMATION[] */
} MEMORY_INFORMATION_CLASS;

typedef struct _MEMORY_WORKING_SET_EX_INFORMATION
{
    PVOID     VirtualAddress;
    ULONG_PTR VirtualAttributes;   /* bit 0: present and accessible; bits 4 to 14: protection */
} MEMORY_WORKING_SET_EX_INFORMATION, *PMEMORY_WORKING_SET_EX_INFORMATION;

typedef enum MEM_EXTENDED_PARAMETER_TYPE
{
    MemExtendedParameterInvalidType = 0,
    MemExtendedParameterAddressRequirements,
    MemExtendedParameterNumaNode,
    MemExtendedParameterPartitionHandle,
    MemExtendedParameterUserPhysicalHandle,
    MemExtendedParameterAttributeFlags,
    MemExtendedParameterImageMachine,
    MemExtendedParameterMax
} MEM_EXTENDED_PARAMETER_TYPE, *PMEM_EXTENDED_PARAMETER_TYPE;

typedef struct _MEM_ADDRESS_REQUIREMENTS
{
    PVOID  LowestStartingAddress;   /* 0 or a multiple of 64 KiB */
    PVOID  HighestEndingAddress;    /* the last byte; 0 or one less than whole pages */
    SIZE_T Alignment;               /* 0 or a power of two from 64 KiB on */
} MEM_ADDRESS_REQUIREMENTS, *PMEM_ADDRESS_REQUIREMENTS;

__extension__ typedef struct MEM_EXTENDED_PARAMETER
{
    struct
    {
        DWORD64 Type     : 8;
        DWORD64 Reserved : 56;
    };
    union
    {
        DWORD64 ULong64;
        PVOID   Pointer;
        SIZE_T  Size;
        HANDLE  Handle;
        DWORD   ULong;
    };
} MEM_EXTENDED_PARAMETER, *PMEM_EXTENDED_PARAMETER;

#pragma GCC visibility push(default)

/* Each thread has its own last error; calls that succeed leave it unchanged. */
extern DWORD WINAPI GetLastError( void );
extern void WINAPI SetLastError( DWORD error );

#define NtCurrentProcess() ((HANDLE)~(uintptr_t)0)
extern HANDLE WINAPI GetCurrentProcess( void );

extern LPVOID WINAPI VirtualAlloc( LPVOID addr, SIZE_T size, DWORD type, DWORD protect );
extern LPVOID WINAPI VirtualAllocEx( HANDLE process, LPVOID addr, SIZE_T size, DWORD type,
                                     DWORD protect );
extern PVOID WINAPI VirtualAlloc2( HANDLE process, PVOID addr, SIZE_T size, ULONG type,
                                   ULONG protect, MEM_EXTENDED_PARAMETER *params, ULONG count );
extern BOOL WINAPI VirtualFree( LPVOID addr, SIZE_T size, DWORD type );
extern BOOL WINAPI VirtualFreeEx( HANDLE process, LPVOID addr, SIZE_T size, DWORD type );
extern BOOL WINAPI VirtualProtect( LPVOID addr, SIZE_T size, DWORD protect, DWORD *old_protect );
extern BOOL WINAPI VirtualProtectEx( HANDLE process, LPVOID addr, SIZE_T size, DWORD protect,
                                     DWORD *old_protect );
extern SIZE_T WINAPI VirtualQuery( LPCVOID addr, MEMORY_BASIC_INFORMATION *info, SIZE_T size );
extern SIZE_T WINAPI VirtualQueryEx( HANDLE process, LPCVOID addr, MEMORY_BASIC_INFORMATION *info,
                                     SIZE_T size );
extern BOOL WINAPI VirtualLock( LPVOID addr, SIZE_T size );
extern BOOL WINAPI VirtualUnlock( LPVOID addr, SIZE_T size );

/* These two return 0 on success; on failure they set the last error and return ~0u. *granularity is
 * the number of bytes that each address stands for, which is not 4096 everywhere: a page of the
 * kernel has 16 KiB on some ARM systems. */
extern UINT WINAPI GetWriteWatch( DWORD flags, PVOID base, SIZE_T size, PVOID *addresses,
                                  ULONG_PTR *count, DWORD *granularity );
extern UINT WINAPI ResetWriteWatch( LPVOID base, SIZE_T size );

extern NTSTATUS NTAPI NtAllocateVirtualMemory( HANDLE process, PVOID *addr, ULONG_PTR zero_bits,
                                               SIZE_T *size, ULONG type, ULONG protect );
extern NTSTATUS NTAPI NtAllocateVirtualMemoryEx( HANDLE process, PVOID *addr, SIZE_T *size,
                                                 ULONG type, ULONG protect,
                                                 MEM_EXTENDED_PARAMETER *params, ULONG count );
extern NTSTATUS NTAPI NtFreeVirtualMemory( HANDLE process, PVOID *addr, SIZE_T *size, ULONG type );
extern NTSTATUS NTAPI NtProtectVirtualMemory( HANDLE process, PVOID *addr, SIZE_T *size,
                                              ULONG protect, ULONG *old_protect );
extern NTSTATUS NTAPI NtQueryVirtualMemory( HANDLE process, LPCVOID addr,
                                            MEMORY_INFORMATION_CLASS info_class, PVOID info,
                                            SIZE_T size, SIZE_T *ret_size );
extern NTSTATUS NTAPI NtLockVirtualMemory( HANDLE process, PVOID *addr, SIZE_T *size, ULONG type );
extern NTSTATUS NTAPI NtUnlockVirtualMemory( HANDLE process, PVOID *addr, SIZE_T *size,
                                             ULONG type );
extern NTSTATUS NTAPI NtGetWriteWatch( HANDLE process, ULONG flags, PVOID base, SIZE_T size,
                                       PVOID *addresses, ULONG_PTR *count, ULONG *granularity );
extern NTSTATUS NTAPI NtResetWriteWatch( HANDLE process, PVOID base, SIZE_T size );

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* no windows.h */

#endif /* WRITEWATCH_WINDOWS_H */
