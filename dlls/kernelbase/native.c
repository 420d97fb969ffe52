/*
 * What the Win32 face needs where there is no Windows: last errors, process handles
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "kernelbase.h"

static __thread DWORD last_error;


/***********************************************************************
 *             GetLastError   (kernelbase.@)
 */
DWORD WINAPI GetLastError(void)
{
    return last_error;
}


/***********************************************************************
 *             SetLastError   (kernelbase.@)
 */
void WINAPI SetLastError( DWORD error )
{
    last_error = error;
}


/***********************************************************************
 *             GetCurrentProcess   (kernelbase.@)
 */
HANDLE WINAPI GetCurrentProcess(void)
{
    return NtCurrentProcess();
}


/***********************************************************************
 *             RtlNtStatusToDosError   (ntdll.@)
 *
 * For the statuses that the native calls of this library return.
 */
ULONG RtlNtStatusToDosError( NTSTATUS status )
{
    switch (status)
    {
    case STATUS_SUCCESS:                 return ERROR_SUCCESS;
    case STATUS_WORKING_SET_LIMIT_RANGE: return ERROR_INVALID_PARAMETER;
    case STATUS_UNSUCCESSFUL:            return ERROR_GEN_FAILURE;
    case STATUS_INVALID_INFO_CLASS:      return ERROR_INVALID_PARAMETER;
    case STATUS_INFO_LENGTH_MISMATCH:    return ERROR_BAD_LENGTH;
    case STATUS_ACCESS_VIOLATION:        return ERROR_NOACCESS;
    case STATUS_INVALID_HANDLE:          return ERROR_INVALID_HANDLE;
    case STATUS_INVALID_PARAMETER:       return ERROR_INVALID_PARAMETER;
    case STATUS_NO_MEMORY:               return ERROR_NOT_ENOUGH_MEMORY;
    case STATUS_CONFLICTING_ADDRESSES:   return ERROR_INVALID_ADDRESS;
    case STATUS_NOT_MAPPED_VIEW:         return ERROR_INVALID_ADDRESS;
    case STATUS_UNABLE_TO_FREE_VM:       return ERROR_INVALID_PARAMETER;
    case STATUS_ACCESS_DENIED:           return ERROR_ACCESS_DENIED;
    case STATUS_NOT_COMMITTED:           return ERROR_INVALID_ADDRESS;
    case STATUS_INVALID_PAGE_PROTECTION: return ERROR_INVALID_PARAMETER;
    case STATUS_FREE_VM_NOT_AT_BASE:     return ERROR_INVALID_ADDRESS;
    case STATUS_MEMORY_NOT_ALLOCATED:    return ERROR_INVALID_ADDRESS;
    case STATUS_NOT_SUPPORTED:           return ERROR_NOT_SUPPORTED;
    case STATUS_INVALID_PARAMETER_3:     return ERROR_INVALID_PARAMETER;
    case STATUS_INVALID_PARAMETER_4:     return ERROR_INVALID_PARAMETER;
    case STATUS_GUARD_PAGE_VIOLATION:    return STATUS_GUARD_PAGE_VIOLATION;   /* itself */
    default:                             return ERROR_MR_MID_NOT_FOUND;
    }
}
