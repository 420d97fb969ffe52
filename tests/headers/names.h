/*
 * Names of Windows that a program has defined for itself, otherwise than Windows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TEST_NAMES_H
#define WRITEWATCH_TEST_NAMES_H

typedef signed char BOOL;
typedef unsigned long DWORD;
typedef long LONG;
typedef unsigned long ULONG, *PVOID;
typedef unsigned short HANDLE;
typedef enum { FALSE, TRUE } truth;
typedef struct { int value; } SIZE_T, NTSTATUS;

static int MEM_COMMIT = 1, PAGE_READWRITE = 2, ERROR_SUCCESS = 3, STATUS_SUCCESS = 4;
static int WINAPI = 5, NTAPI = 6;

extern int VirtualAlloc( int count );
extern DWORD GetLastError( int which );

static inline int use_names( void )
{
    return MEM_COMMIT + PAGE_READWRITE + ERROR_SUCCESS + STATUS_SUCCESS + WINAPI + NTAPI + TRUE;
}

#endif /* WRITEWATCH_TEST_NAMES_H */
