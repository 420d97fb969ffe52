/*
 * fault injection under Wine: each call of the preloaded library fails in many ways
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <windows.h>

#include "round.h"

/* Run by tests/faults/inject, which takes its orders by looks for files (see there). Each case is
 * a process of its own, as the library is opened once in each, and goes through all phases once. */

static const struct fault_case
{
    const char *phase;
    const char *kind;
    const char *err;     /* in the short form */
    const char *first;
    const char *mode;
}
cases[] =
{
    { "open", "userfaultfd", "EPERM", "1", "ever" },
    { "open", "UFFDIO_API", "EINVAL", "1", "once" },
    { "open", "open pagemap", "EACCES", "1", "once" },
    { "open", "open pagemap", "EMFILE", "1", "ever" },
    { "open", "open ntdll.dll", "ENOENT", "1", "ever" },
    { "open", "pipe", "EMFILE", "1", "once" },
    { "open", "PAGEMAP_SCAN", "ENOTTY", "1", "ever" },
    { "open", "PAGEMAP_SCAN", "EFAULT", "3", "late" },
    { "open", "mmap", "ENOMEM", "1", "ever" },
    { "open", "mprotect", "EACCES", "1", "ever" },
    { "open", "mprotect code", "EACCES", "1", "once" },
    { "open", "mprotect code", "EACCES", "2", "once" },
    { "open", "mremap", "ENOMEM", "1", "once" },
    { "open", "mremap", "ENOMEM", "2", "once" },
    { "open", "mremap", "ENOMEM", "1", "ever" },
    { "open", "mprotect ntdll.so", "EACCES", "1", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "2", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "3", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "4", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "5", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "6", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "7", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "8", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "9", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "10", "once" },
    { "open", "mprotect ntdll.so", "EACCES", "1", "ever" },
    { "open", "mprotect ntdll.so", "EACCES", "3", "ever" },
    { "open", "mprotect ntdll.so", "EACCES", "6", "ever" },
    { "open", "munmap", "EINVAL", "1", "ever" },
    { "allocate", "UFFDIO_REGISTER", "EBUSY", "1", "ever" },
    { "allocate", "UFFDIO_REGISTER", "ENOMEM", "1", "late" },
    { "allocate", "MADV_NOHUGEPAGE", "ENOMEM", "1", "once" },
    { "allocate", "sigaction", "EINVAL", "2", "once" },
    { "allocate", "mmap", "ENOMEM", "1", "ever" },
    { "poll", "PAGEMAP_SCAN", "EPERM", "1", "ever" },
    { "take", "PAGEMAP_SCAN", "EFAULT", "1", "late" },
    { "take", "PAGEMAP_SCAN", "EPERM", "1", "half" },
    { "reset", "PAGEMAP_SCAN", "ENOMEM", "1", "late" },
    { "array", "PAGEMAP_SCAN", "EPERM", "1", "half" },
    { "lock", "mlock2", "EPERM", "1", "once" },
    { "lock", "MADV_POPULATE_READ", "EFAULT", "1", "ever" },
    { "decommit", "mprotect", "ENOMEM", "1", "once" },
    { "decommit", "mmap", "ENOMEM", "1", "ever" },
    { "decommit", "PAGEMAP_SCAN", "EFAULT", "1", "late" },
    { "decommit", "MADV_DONTNEED", "EINVAL", "1", "ever" },
    { "decommit", "MADV_DONTNEED", "ENOMEM", "1", "once" },
    { "discard", "PAGEMAP_SCAN", "EPERM", "1", "half" },
};

static const char * const errnos[] =
{
    "ENOMEM", "EPERM", "EINVAL", "ENOTTY", "EMFILE", "EBUSY", "EFAULT", "EAGAIN", "ENOSPC"
};

/* the case of a child, or NULL */
static const struct fault_case *current;

/* looks for a file, which the injector takes as a request */
static void ask( const char *format, ... )
{
    static unsigned int seq;
    char text[900];
    WCHAR path[1000];
    unsigned int i, n;
    va_list args;

    n = snprintf( text, sizeof(text), "Z:\\writewatch-inject\\%x%04x\\",
                  (unsigned int)GetCurrentProcessId(), ++seq );
    va_start( args, format );
    vsnprintf( text + n, sizeof(text) - n, format, args );
    va_end( args );
    for (i = 0; text[i]; i++)
    {
        path[i] = text[i];
        if (i > 1 && path[i] == ':') path[i] = ';';   /* Wine refuses it in names */
    }
    path[i] = 0;
    GetFileAttributesW( path );
}

static void arm( const struct fault_case *fault )
{
    ask( "arm\\%s\\%s\\%s\\%s", fault->kind, fault->err, fault->first, fault->mode );
}

static void begin_phase( const char *name )
{
    if (current && !strcmp( name, current->phase )) arm( current );
}

static void end_faults(void)
{
    ask( "end" );
}

static void tell( const struct fault_case *fault, const char *text )
{
    char which[32];

    if (!strcmp( fault->mode, "ever" ) && !strcmp( fault->first, "1" )) strcpy( which, "all" );
    else snprintf( which, sizeof(which), "%s%s", !strcmp( fault->mode, "ever" ) ? "from " :
                   !strcmp( fault->mode, "once" ) ? "" :
                   !strcmp( fault->mode, "late" ) ? "made, then " : "half made, then ",
                   fault->first );
    ask( "tell\\wine\\%s\\%s\\%s\\%s\\%s", fault->phase, fault->kind, fault->err, which, text );
}

/***********************************************************************
 *           child
 *
 * Goes through all phases. Returns whether the outcome was right.
 */
static int child(void)
{
    struct memory mem, other;

    use_memory( &mem, &other );
    phase( "release" );
    if (other.base) check_contents( &other );
    release( &other );
    end_faults();
    phase_name = "the end";
    settle( &mem );
    release( &mem );
    allocate( &mem, MEM_RESERVE | MEM_COMMIT );
    settle( &mem );
    release( &mem );
    if (current) tell( current, *outcome ? outcome : "nothing to be seen" );
    if (outcome_wrong) printf( "%s\n", outcome );
    return !outcome_wrong && (current || !*outcome);
}

/***********************************************************************
 *           run_case
 *
 * Runs a child for a case, or without one. Returns whether all was right.
 */
static int run_case( const char *program, const struct fault_case *fault )
{
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char line[1024];
    DWORD code = 0;

    if (fault)
        snprintf( line, sizeof(line), "\"%s\" child %s \"%s\" %s %s %s", program, fault->phase,
                  fault->kind, fault->err, fault->first, fault->mode );
    else snprintf( line, sizeof(line), "\"%s\" child", program );
    if (fault && !strcmp( fault->phase, "open" )) arm( fault );
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdOutput = startup.hStdError = GetStdHandle( STD_OUTPUT_HANDLE );
    if (!CreateProcessA( NULL, line, NULL, NULL, TRUE, DETACHED_PROCESS, NULL, NULL, &startup,
                         &info ))
    {
        printf( "no process: %lu\n", GetLastError() );
        return 0;
    }
    if (WaitForSingleObject( info.hProcess, 600000 ) != WAIT_OBJECT_0)
    {
        ask( "end" );
        TerminateProcess( info.hProcess, 1 );
        if (fault) tell( fault, "WRONG: hangs" );
        code = 1;
    }
    else if (!GetExitCodeProcess( info.hProcess, &code ) || code > 1)
    {
        ask( "end" );
        snprintf( line, sizeof(line), "WRONG: ends by %lx", code );
        if (fault) tell( fault, line );
    }
    CloseHandle( info.hProcess );
    CloseHandle( info.hThread );
    if (code)
        printf( "%s %s %s %s %s: code %lx\n", fault ? fault->phase : "no case",
                fault ? fault->kind : "", fault ? fault->err : "", fault ? fault->first : "",
                fault ? fault->mode : "", code );
    fflush( stdout );
    return !code;
}

/***********************************************************************
 *           main
 *
 * usage: windows.exe [--all] | child [PHASE KIND ERRNO NUMBER MODE]
 */
int main( int argc, char **argv )
{
    struct fault_case fault;
    unsigned int i, j, count = 0, failures = 0;
    char program[MAX_PATH];

    if (argc > 1 && !strcmp( argv[1], "child" ))
    {
        if (argc == 7)
        {
            fault.phase = argv[2];
            fault.kind  = argv[3];
            fault.err   = argv[4];
            fault.first = argv[5];
            fault.mode  = argv[6];
            current = &fault;
        }
        return !child();
    }
    GetModuleFileNameA( NULL, program, sizeof(program) );
    if (!run_case( program, NULL ))
    {
        printf( "without a fault it is wrong already\n" );
        return 1;
    }
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    {
        fault = cases[i];
        for (j = 0; j < sizeof(errnos) / sizeof(errnos[0]); j++)
        {
            if (argc > 1) fault.err = errnos[j];   /* --all */
            count++;
            if (!run_case( program, &fault )) failures++;
            if (argc == 1) break;
        }
    }
    printf( "%u cases, %u wrong\n", count, failures );
    return failures != 0;
}
