/*
 * The functions of Windows that the conformance tests use beside the library's own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each does what the tests need of it, over the C library. The functions under test come from
 * libwritewatch.
 */

#ifndef WRITEWATCH_TESTS_NATIVE_H
#define WRITEWATCH_TESTS_NATIVE_H

#include <stdint.h>
#include <stddef.h>

#include "writewatch.h"

#define CALLBACK
#define CDECL

typedef char      CHAR;
typedef uint8_t   BYTE;
typedef uint16_t  WCHAR;
typedef void     *HMODULE;
typedef void    (*FARPROC)(void);

#ifndef min
#define min( a, b ) ((a) < (b) ? (a) : (b))
#endif

#define MAX_PATH             4096
#define INVALID_HANDLE_VALUE ((HANDLE)~(ULONG_PTR)0)
#define INFINITE             0xffffffff

/* modules: the program, and the library for the names of Windows's */
#define GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT 2
#define GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS       4

extern HMODULE GetModuleHandleA( const char *name );
extern BOOL GetModuleHandleExA( DWORD flags, const void *addr, HMODULE *module );
extern DWORD GetModuleFileNameA( HMODULE module, char *path, DWORD size );
extern FARPROC GetProcAddress( HMODULE module, const char *name );

/* heap, and what belongs to one thread */
#define HEAP_ZERO_MEMORY    8
#define TLS_OUT_OF_INDEXES  0xffffffff

extern HANDLE GetProcessHeap(void);
extern void *HeapAlloc( HANDLE heap, DWORD flags, SIZE_T size );
extern BOOL HeapFree( HANDLE heap, DWORD flags, void *ptr );
extern DWORD TlsAlloc(void);
extern void *TlsGetValue( DWORD index );
extern BOOL TlsSetValue( DWORD index, void *value );

static inline LONG InterlockedIncrement( volatile LONG *ptr )
{
    return __atomic_add_fetch( ptr, 1, __ATOMIC_SEQ_CST );
}

static inline LONG InterlockedExchange( volatile LONG *ptr, LONG value )
{
    return __atomic_exchange_n( ptr, value, __ATOMIC_SEQ_CST );
}

static inline LONG InterlockedExchangeAdd( volatile LONG *ptr, LONG value )
{
    return __atomic_fetch_add( ptr, value, __ATOMIC_SEQ_CST );
}

static inline LONG InterlockedCompareExchange( volatile LONG *ptr, LONG value, LONG compare )
{
    __atomic_compare_exchange_n( ptr, &compare, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST );
    return compare;
}

/* threads, processes, waiting */
#define WAIT_OBJECT_0 0
#define WAIT_TIMEOUT  258
#define WAIT_FAILED   0xffffffff

typedef struct
{
    DWORD nLength;
    void *lpSecurityDescriptor;
    BOOL  bInheritHandle;
} SECURITY_ATTRIBUTES;

typedef struct
{
    HANDLE hProcess;
    HANDLE hThread;
    DWORD  dwProcessId;
    DWORD  dwThreadId;
} PROCESS_INFORMATION;

typedef struct
{
    DWORD cb;
} STARTUPINFOA;

extern HANDLE CreateThread( SECURITY_ATTRIBUTES *attr, SIZE_T stack,
                            DWORD (CALLBACK *func)( void * ), void *arg, DWORD flags, DWORD *id );
extern BOOL GetExitCodeThread( HANDLE thread, DWORD *code );
extern BOOL CreateProcessA( const char *app, char *cmdline, SECURITY_ATTRIBUTES *process_attr,
                            SECURITY_ATTRIBUTES *thread_attr, BOOL inherit, DWORD flags, void *env,
                            const char *dir, STARTUPINFOA *startup, PROCESS_INFORMATION *info );
extern BOOL GetExitCodeProcess( HANDLE process, DWORD *code );
extern BOOL TerminateProcess( HANDLE process, DWORD code );
extern HANDLE GetCurrentThread(void);
extern DWORD GetCurrentProcessId(void);
extern DWORD WaitForSingleObject( HANDLE handle, DWORD timeout );
extern DWORD WaitForMultipleObjects( DWORD count, const HANDLE *handles, BOOL all, DWORD timeout );
extern BOOL CloseHandle( HANDLE handle );
extern DWORD GetTickCount(void);
extern void Sleep( DWORD timeout );

/* shared memory; the handle is good in a child as well */
#define FILE_MAP_WRITE 2

extern HANDLE CreateFileMappingA( HANDLE file, SECURITY_ATTRIBUTES *attr, DWORD prot, DWORD high,
                                  DWORD low, const char *name );
extern void *MapViewOfFile( HANDLE mapping, DWORD access, DWORD high, DWORD low, SIZE_T size );
extern BOOL UnmapViewOfFile( const void *view );

/* exceptions: access violations and guard pages */
#define EXCEPTION_ACCESS_VIOLATION    STATUS_ACCESS_VIOLATION
#define EXCEPTION_EXECUTE_HANDLER     1
#define EXCEPTION_CONTINUE_SEARCH     0
#define EXCEPTION_CONTINUE_EXECUTION  (-1)

#define SEM_FAILCRITICALERRORS 1
#define SEM_NOGPFAULTERRORBOX  2

typedef struct
{
    DWORD     ExceptionCode;
    void     *ExceptionAddress;
    DWORD     NumberParameters;
    ULONG_PTR ExceptionInformation[2];
} EXCEPTION_RECORD;

typedef struct
{
    EXCEPTION_RECORD *ExceptionRecord;
    void             *ContextRecord;
} EXCEPTION_POINTERS;

extern DWORD SetErrorMode( DWORD mode );
extern void SetUnhandledExceptionFilter( LONG (CALLBACK *filter)( EXCEPTION_POINTERS * ) );
extern void *AddVectoredExceptionHandler( ULONG first,
                                          LONG (CALLBACK *handler)( EXCEPTION_POINTERS * ) );
extern ULONG RemoveVectoredExceptionHandler( void *handler );
extern BOOL FlushInstructionCache( HANDLE process, const void *addr, SIZE_T size );

#endif /* WRITEWATCH_TESTS_NATIVE_H */
