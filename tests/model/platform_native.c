/*
 * What the model test needs of Linux
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/context.h"
#include "platform.h"

static const char code[] =
"#include <sys/mman.h>\n"
"#include <sys/uio.h>\n"
"#include <sys/wait.h>\n"
"#include <unistd.h>\n"
"\n"
"static MAYBE_UNUSED void kernel_write( int how, char *addr, SIZE_T size, unsigned int value )\n"
"{\n"
"    char data[PAGE];\n"
"    struct iovec local = { data, size }, remote = { addr, size };\n"
"    int fds[2];\n"
"    SIZE_T i;\n"
"\n"
"    for (i = 0; i < size; i++) data[i] = value >> 8 * ((ULONG_PTR)(addr + i) & 3);\n"
"    writewatch_prepare( addr, size );\n"
"    if (how)\n"
"        ok( process_vm_writev( getpid(), &local, 1, &remote, 1, 0 ) == size, \"write\\n\" );\n"
"    else if (!pipe( fds ) && write( fds[1], data, size ) == size)\n"
"        ok( read( fds[0], addr, size ) == size, \"read\\n\" );\n"
"}\n"
"\n"
"static MAYBE_UNUSED void in_child( char *addr, SIZE_T size )\n"
"{\n"
"    pid_t pid = fork();\n"
"\n"
"    for (; !pid && size; size--) ++*addr++;\n"
"    if (!pid) _exit( 0 );\n"
"    waitpid( pid, NULL, 0 );\n"
"}\n";

struct platform platform =
{
    .code              = code,
    .can_fork          = 1,
    .system_calls      = 2,
    .system_calls_fail = 1,
    .has_placeholders  = 1,
    .releases_parts    = 1,
    .strict_statuses   = 1,
    .strict_locks      = 1,
    .strict_sizes      = 1,
};

static int pipe_fds[2];
static int must_prepare;   /* system calls cannot write to what was not opened by a write */

NTSTATUS call_allocate( void **addr, SIZE_T *size, ULONG type, ULONG protect )
{
    return NtAllocateVirtualMemory( NtCurrentProcess(), addr, 0, size, type, protect );
}

NTSTATUS call_allocate_ex( void **addr, SIZE_T *size, ULONG type, ULONG protect )
{
    return NtAllocateVirtualMemoryEx( NtCurrentProcess(), addr, size, type, protect, NULL, 0 );
}

NTSTATUS call_free( void **addr, SIZE_T *size, ULONG type )
{
    return NtFreeVirtualMemory( NtCurrentProcess(), addr, size, type );
}

NTSTATUS call_protect( void **addr, SIZE_T *size, ULONG protect, ULONG *old )
{
    return NtProtectVirtualMemory( NtCurrentProcess(), addr, size, protect, old );
}

NTSTATUS call_get( ULONG flags, void *base, SIZE_T size, void **array, ULONG_PTR *count,
                   ULONG *granularity )
{
    return NtGetWriteWatch( NtCurrentProcess(), flags, base, size, array, count, granularity );
}

NTSTATUS call_reset( void *base, SIZE_T size )
{
    return NtResetWriteWatch( NtCurrentProcess(), base, size );
}

/***********************************************************************
 *           handle_fault
 *
 * Gets what the library does not know.
 */
static void handle_fault( int sig, siginfo_t *info, void *context )
{
    NTSTATUS code = STATUS_ACCESS_VIOLATION;
    uintptr_t next;

    if (info->si_code == STATUS_GUARD_PAGE_VIOLATION) code = info->si_code;
    if (!(next = access_failed( get_counter( context ), code )))
    {
        static const char text[] = "a fault in the test itself\n";

        if (write( 2, text, sizeof(text) - 1 ) < 0) _exit( 4 );
        signal( sig, SIG_DFL );
        return;
    }
    set_counter( context, next );
}

/***********************************************************************
 *           platform_open
 */
const char *platform_open(void)
{
    struct sigaction action;

    memset( &action, 0, sizeof(action) );
    action.sa_sigaction = handle_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction( SIGSEGV, &action, NULL );
    sigaction( SIGBUS, &action, NULL );

    if (writewatch_open( NULL )) return writewatch_reason();
    platform.name = writewatch_backend();
    must_prepare = strcmp( platform.name, "scan" ) && strcmp( platform.name, "softdirty" );
    return pipe( pipe_fds ) ? "no pipe" : NULL;
}

/***********************************************************************
 *           kernel_write
 *
 * read(), or process_vm_writev().
 */
int kernel_write( unsigned int how, void *addr, const void *data, size_t size )
{
    struct iovec local = { (void *)data, size }, remote = { addr, size };
    char drain[4096];
    ssize_t ret;

    if (must_prepare && writewatch_prepare( addr, size )) return 0;
    if (how & 1) return process_vm_writev( getpid(), &local, 1, &remote, 1, 0 ) == (ssize_t)size;

    if (write( pipe_fds[1], data, size ) != (ssize_t)size) return 0;
    ret = read( pipe_fds[0], addr, size );
    if (ret == (ssize_t)size) return 1;
    for (size -= ret > 0 ? ret : 0; size; size -= ret)
        if ((ret = read( pipe_fds[0], drain, size < sizeof(drain) ? size : sizeof(drain) )) <= 0)
            break;
    return 0;
}

/***********************************************************************
 *           in_child
 */
int in_child( int (*func)( void *arg ), void *arg )
{
    int status;
    pid_t pid;

    fflush( stdout );
    if (!(pid = fork())) _exit( func( arg ) );
    return pid != -1 && waitpid( pid, &status, 0 ) == pid && !status;
}

/***********************************************************************
 *           run_self
 */
int run_self( const char *arguments, int quiet )
{
    char line[1024], *argv[16], *word, *next = NULL;
    int status, fd, argc = 0;
    pid_t pid;

    snprintf( line, sizeof(line), "model %s", arguments );
    word = strtok_r( line, " ", &next );
    for (; word && argc < 15; word = strtok_r( NULL, " ", &next )) argv[argc++] = word;
    argv[argc] = NULL;

    fflush( stdout );
    if (!(pid = fork()))
    {
        if (quiet && (fd = open( "/dev/null", O_WRONLY )) != -1)
        {
            dup2( fd, 1 );
            dup2( fd, 2 );
        }
        alarm( quiet ? 600 : 3600 );   /* hanging is failing */
        execv( "/proc/self/exe", argv );
        _exit( 127 );
    }
    if (pid == -1 || waitpid( pid, &status, 0 ) != pid) return -1;
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : -1;
}

/***********************************************************************
 *           scratch_file
 */
const char *scratch_file( const char *suffix )
{
    static char name[2][256];
    static unsigned int calls;
    const char *dir = getenv( "TMPDIR" );

    snprintf( name[++calls & 1], sizeof(name[0]), "%s/writewatch-model-%d.%s", dir ? dir : "/tmp",
              (int)getpid(), suffix );
    return name[calls & 1];
}
