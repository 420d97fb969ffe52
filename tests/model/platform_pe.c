/*
 * What the model test needs of Windows
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/wow64.h"
#include "platform.h"

static const char code[] =
"\n"
"static MAYBE_UNUSED void kernel_write( int how, char *addr, SIZE_T size, unsigned int value )\n"
"{\n"
"    HANDLE from, to;\n"
"    char data[PAGE];\n"
"    SIZE_T i;\n"
"\n"
"    for (i = 0; i < size; i++) data[i] = value >> 8 * ((ULONG_PTR)(addr + i) & 3);\n"
"    if (how)\n"
"        ok( WriteProcessMemory( GetCurrentProcess(), addr, data, size, NULL ), \"write\\n\" );\n"
"    else if (CreatePipe( &from, &to, NULL, 0x10000 ) &&\n"
"             WriteFile( to, data, size, (DWORD *)&i, NULL ))\n"
"        ok( ReadFile( from, addr, size, (DWORD *)&i, NULL ), \"read\\n\" );\n"
"}\n";

struct platform platform =
{
    .code         = code,
    .name         = "Windows",
    .system_calls = 2,
};

static HANDLE pipe_read, pipe_write;

static NTSTATUS (WINAPI *pNtGetWriteWatch)( HANDLE, ULONG, void *, SIZE_T, void **, ULONG_PTR *,
                                            ULONG * );
static NTSTATUS (WINAPI *pNtResetWriteWatch)( HANDLE, void *, SIZE_T );
static NTSTATUS (WINAPI *pNtAllocateVirtualMemory)( HANDLE, void **, ULONG_PTR, SIZE_T *, ULONG,
                                                    ULONG );
static NTSTATUS (WINAPI *pNtAllocateVirtualMemoryEx)( HANDLE, void **, SIZE_T *, ULONG, ULONG,
                                                      void *, ULONG );
static NTSTATUS (WINAPI *pNtFreeVirtualMemory)( HANDLE, void **, SIZE_T *, ULONG );
static NTSTATUS (WINAPI *pNtProtectVirtualMemory)( HANDLE, void **, SIZE_T *, ULONG, ULONG * );

NTSTATUS call_allocate( void **addr, SIZE_T *size, ULONG type, ULONG protect )
{
    return pNtAllocateVirtualMemory( GetCurrentProcess(), addr, 0, size, type, protect );
}

NTSTATUS call_allocate_ex( void **addr, SIZE_T *size, ULONG type, ULONG protect )
{
    return pNtAllocateVirtualMemoryEx( GetCurrentProcess(), addr, size, type, protect, NULL, 0 );
}

NTSTATUS call_free( void **addr, SIZE_T *size, ULONG type )
{
    return pNtFreeVirtualMemory( GetCurrentProcess(), addr, size, type );
}

NTSTATUS call_protect( void **addr, SIZE_T *size, ULONG protect, ULONG *old )
{
    return pNtProtectVirtualMemory( GetCurrentProcess(), addr, size, protect, old );
}

NTSTATUS call_get( ULONG flags, void *base, SIZE_T size, void **array, ULONG_PTR *count,
                   ULONG *granularity )
{
    return pNtGetWriteWatch( GetCurrentProcess(), flags, base, size, array, count, granularity );
}

NTSTATUS call_reset( void *base, SIZE_T size )
{
    return pNtResetWriteWatch( GetCurrentProcess(), base, size );
}

static LONG CALLBACK handle_exception( EXCEPTION_POINTERS *ptrs )
{
    uintptr_t next = access_failed( CONTEXT_PC( ptrs->ContextRecord ),
                                    ptrs->ExceptionRecord->ExceptionCode );

    if (!next) return EXCEPTION_CONTINUE_SEARCH;
    CONTEXT_PC( ptrs->ContextRecord ) = next;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/***********************************************************************
 *           find_out
 *
 * What this version of Windows or Wine has.
 */
static void find_out(void)
{
    SIZE_T size = 0x30000;
    void *base = NULL, *part;

    if (pNtAllocateVirtualMemoryEx &&
        !call_allocate_ex( &base, &size, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS ))
    {
        part = (char *)base + 0x10000;
        size = 0x10000;
        platform.has_placeholders =
            !call_free( &part, &size, MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER );
    }
    base = NULL;
    size = 0x30000;
    if (call_allocate( &base, &size, MEM_RESERVE, PAGE_NOACCESS )) return;
    part = (char *)base + 0x10000;
    size = 0x10000;
    platform.releases_parts = !call_free( &part, &size, MEM_RELEASE );
}

/***********************************************************************
 *           platform_open
 */
const char *platform_open(void)
{
    HMODULE ntdll = GetModuleHandleA( "ntdll.dll" );

#define LOAD(name) p##name = (void *)GetProcAddress( ntdll, #name )
    LOAD( NtGetWriteWatch );
    LOAD( NtResetWriteWatch );
    LOAD( NtAllocateVirtualMemory );
    LOAD( NtAllocateVirtualMemoryEx );
    LOAD( NtFreeVirtualMemory );
    LOAD( NtProtectVirtualMemory );
#undef LOAD
    if (!AddVectoredExceptionHandler( 1, handle_exception )) return "no exception handler";
    SetErrorMode( SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX );
    find_out();
    if ((platform.copies_answers = is_wine_wow64()))
        printf( "todo: an array that cannot be written loses what was written\n" );
    return CreatePipe( &pipe_read, &pipe_write, NULL, 0x20000 ) ? NULL : "no pipe";
}

/***********************************************************************
 *           kernel_write
 *
 * ReadFile(), or WriteProcessMemory().
 */
int kernel_write( unsigned int how, void *addr, const void *data, size_t size )
{
    SIZE_T done;
    DWORD count;

    if (how & 1)
        return WriteProcessMemory( GetCurrentProcess(), addr, data, size, &done ) && done == size;
    if (!WriteFile( pipe_write, data, size, &count, NULL ) || count != size) return 0;
    return ReadFile( pipe_read, addr, size, &count, NULL ) && count == size;
}

int in_child( int (*func)( void *arg ), void *arg )
{
    (void)func, (void)arg;
    return 1;
}

/***********************************************************************
 *           run_self
 */
int run_self( const char *arguments, int quiet )
{
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    char line[1024], *pos = line;
    DWORD code = -1;

    *pos++ = '"';
    pos += GetModuleFileNameA( NULL, pos, MAX_PATH );
    snprintf( pos, line + sizeof(line) - pos, "\" %s", arguments );
    memset( &startup, 0, sizeof(startup) );
    startup.cb = sizeof(startup);
    if (quiet) startup.dwFlags = STARTF_USESTDHANDLES;
    fflush( stdout );
    if (!CreateProcessA( NULL, line, NULL, NULL, !quiet, 0, NULL, NULL, &startup, &info ))
        return -1;
    if (WaitForSingleObject( info.hProcess, quiet ? 600000 : 3600000 ))
    {
        TerminateProcess( info.hProcess, 255 );
        WaitForSingleObject( info.hProcess, 60000 );
    }
    GetExitCodeProcess( info.hProcess, &code );
    CloseHandle( info.hProcess );
    CloseHandle( info.hThread );
    return code < 255 ? (int)code : -1;
}

/***********************************************************************
 *           scratch_file
 */
const char *scratch_file( const char *suffix )
{
    static char name[2][2 * MAX_PATH];
    static unsigned int calls;
    char dir[MAX_PATH];

    if (!GetTempPathA( sizeof(dir), dir )) strcpy( dir, ".\\" );
    snprintf( name[++calls & 1], sizeof(name[0]), "%swritewatch-model-%u.%s", dir,
              (unsigned int)GetCurrentProcessId(), suffix );
    return name[calls & 1];
}
