/*
 * Win32 virtual memory functions: wrappers around the native calls
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A status becomes the last error here and nowhere else. What a native call can decide is left to
 * it, arguments included.
 *
 * To use these functions instead of those of kernel32, build this file as PE with -D_KERNEL32_ and
 * link its object and -lntdll. Calls by import arrive here as well, also those of the C runtime,
 * and the program exports the functions, so that it can look up what old headers do not declare.
 */

#include "kernelbase.h"

/* Only for PE programs: an entry in the program's export table, and the pointer that calls by
 * import go through. With that pointer the linker needs nothing of kernel32 for the function, and
 * does not find two definitions. A 32-bit symbol has the size of the arguments in it. */
#ifdef _WIN64
#define IMPORT(name,args) "__imp_" #name
#define EXPORT(name,args) #name
#else
#define IMPORT(name,args) "__imp__" #name "@" #args
#define EXPORT(name,args) #name "=" #name "@" #args
#endif
#ifdef _WIN32
#define EXPORTED(name,args) \
    void *imp_##name __asm__( IMPORT( name, args )) = (void *)name; \
    __asm__( ".section .drectve,\"yn\"\n\t.ascii \" -export:" EXPORT( name, args ) "\"\n\t.text" )
EXPORTED( GetWriteWatch, 24 );
EXPORTED( ResetWriteWatch, 8 );
EXPORTED( VirtualAlloc, 16 );
EXPORTED( VirtualAlloc2, 28 );
EXPORTED( VirtualAllocEx, 20 );
EXPORTED( VirtualFree, 12 );
EXPORTED( VirtualFreeEx, 16 );
EXPORTED( VirtualLock, 8 );
EXPORTED( VirtualProtect, 16 );
EXPORTED( VirtualProtectEx, 20 );
EXPORTED( VirtualQuery, 12 );
EXPORTED( VirtualQueryEx, 16 );
EXPORTED( VirtualUnlock, 8 );
#endif


/***********************************************************************
 *             GetWriteWatch   (kernelbase.@)
 *
 * Rows 1 to 10: returns ~0u and sets the last error when the native call fails.
 */
UINT WINAPI GetWriteWatch( DWORD flags, void *base, SIZE_T size, void **addresses, ULONG_PTR *count,
                           DWORD *granularity )
{
    NTSTATUS status = NtGetWriteWatch( GetCurrentProcess(), flags, base, size, addresses, count,
                                       granularity );

    return set_ntstatus( status ) ? 0 : ~0u;
}


/***********************************************************************
 *             ResetWriteWatch   (kernelbase.@)
 *
 * Row 7: as GetWriteWatch.
 */
UINT WINAPI ResetWriteWatch( void *base, SIZE_T size )
{
    return set_ntstatus( NtResetWriteWatch( GetCurrentProcess(), base, size )) ? 0 : ~0u;
}


/***********************************************************************
 *             VirtualAllocEx   (kernelbase.@)
 */
void * WINAPI VirtualAllocEx( HANDLE process, void *addr, SIZE_T size, DWORD type, DWORD protect )
{
    NTSTATUS status = NtAllocateVirtualMemory( process, &addr, 0, &size, type, protect );

    return set_ntstatus( status ) ? addr : NULL;
}


/***********************************************************************
 *             VirtualAlloc   (kernelbase.@)
 */
void * WINAPI VirtualAlloc( void *addr, SIZE_T size, DWORD type, DWORD protect )
{
    return VirtualAllocEx( GetCurrentProcess(), addr, size, type, protect );
}


/***********************************************************************
 *             VirtualAlloc2   (kernelbase.@)
 *
 * Row 28. Without a process handle it allocates in the caller's own process.
 */
void * WINAPI VirtualAlloc2( HANDLE process, void *addr, SIZE_T size, ULONG type, ULONG protect,
                             MEM_EXTENDED_PARAMETER *params, ULONG count )
{
    NTSTATUS status;

    if (!process) process = GetCurrentProcess();
    status = NtAllocateVirtualMemoryEx( process, &addr, &size, type, protect, params, count );
    return set_ntstatus( status ) ? addr : NULL;
}


/***********************************************************************
 *             VirtualFreeEx   (kernelbase.@)
 *
 * Only the native call can release a part of a region (row 37).
 */
BOOL WINAPI VirtualFreeEx( HANDLE process, void *addr, SIZE_T size, DWORD type )
{
    if (type == MEM_RELEASE && size)
    {
        SetLastError( ERROR_INVALID_PARAMETER );
        return FALSE;
    }
    return set_ntstatus( NtFreeVirtualMemory( process, &addr, &size, type ));
}


/***********************************************************************
 *             VirtualFree   (kernelbase.@)
 */
BOOL WINAPI VirtualFree( void *addr, SIZE_T size, DWORD type )
{
    return VirtualFreeEx( GetCurrentProcess(), addr, size, type );
}


/***********************************************************************
 *             VirtualProtectEx   (kernelbase.@)
 */
BOOL WINAPI VirtualProtectEx( HANDLE process, void *addr, SIZE_T size, DWORD protect,
                              DWORD *old_protect )
{
    return set_ntstatus( NtProtectVirtualMemory( process, &addr, &size, protect, old_protect ));
}


/***********************************************************************
 *             VirtualProtect   (kernelbase.@)
 */
BOOL WINAPI VirtualProtect( void *addr, SIZE_T size, DWORD protect, DWORD *old_protect )
{
    return VirtualProtectEx( GetCurrentProcess(), addr, size, protect, old_protect );
}


/***********************************************************************
 *             VirtualQueryEx   (kernelbase.@)
 *
 * Returns the number of bytes stored, 0 for failure.
 */
SIZE_T WINAPI VirtualQueryEx( HANDLE process, const void *addr, MEMORY_BASIC_INFORMATION *info,
                              SIZE_T size )
{
    SIZE_T ret = 0;
    NTSTATUS status;

    status = NtQueryVirtualMemory( process, addr, MEMORY_BASIC_INFO_CLASS, info, size, &ret );
    return set_ntstatus( status ) ? ret : 0;
}


/***********************************************************************
 *             VirtualQuery   (kernelbase.@)
 */
SIZE_T WINAPI VirtualQuery( const void *addr, MEMORY_BASIC_INFORMATION *info, SIZE_T size )
{
    return VirtualQueryEx( GetCurrentProcess(), addr, info, size );
}


/***********************************************************************
 *             VirtualLock   (kernelbase.@)
 */
BOOL WINAPI VirtualLock( void *addr, SIZE_T size )
{
    return set_ntstatus( NtLockVirtualMemory( GetCurrentProcess(), &addr, &size, MAP_PROCESS ));
}


/***********************************************************************
 *             VirtualUnlock   (kernelbase.@)
 */
BOOL WINAPI VirtualUnlock( void *addr, SIZE_T size )
{
    return set_ntstatus( NtUnlockVirtualMemory( GetCurrentProcess(), &addr, &size, MAP_PROCESS ));
}
