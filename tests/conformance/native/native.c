/*
 * The functions of Windows that the conformance tests use beside the library's own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../common/context.h"
#include "native.h"

/* What a handle of a thread or process points to; a mapping's is its descriptor and the lowest bit,
 * so that a child finds it again. */
struct object
{
    enum { THREAD, PROCESS } type;
    DWORD                  (*func)( void *arg );
    void                    *arg;
    pthread_t                thread;
    pid_t                    pid;
    int                      done;
    int                      refs;
    DWORD                    code;
};

#define MAPPING_HANDLE( fd ) ((HANDLE)(ULONG_PTR)((fd) << 2 | 1))

static LONG (*exception_filter)( EXCEPTION_POINTERS * );
static LONG (*exception_handler)( EXCEPTION_POINTERS * );

/***********************************************************************
 *           wine_get_version
 *
 * Says to the tests that this is not Windows itself.
 */
static const char *wine_get_version(void)
{
    return "0.0";
}

/***********************************************************************
 *           check_backend
 *
 * One that was asked for and cannot be used is reported once, not by each test that finds no
 * memory. In a child, as handlers of the tests are to be there before the library's.
 */
static void __attribute__((constructor)) check_backend(void)
{
    int status;
    pid_t pid;

    if (!getenv( "WRITEWATCH_BACKEND" )) return;
    if (!(pid = fork()))
    {
        if (!writewatch_open( NULL )) _exit( 0 );
        fprintf( stderr, "%s\n", writewatch_reason() );
        _exit( 1 );
    }
    if (waitpid( pid, &status, 0 ) != pid || status) _exit( 2 );
}

static HMODULE module_of( const void *addr )
{
    Dl_info info;

    return dladdr( addr, &info ) ? info.dli_fbase : NULL;
}

HMODULE GetModuleHandleA( const char *name )
{
    return module_of( name ? (void *)NtGetWriteWatch : (void *)GetModuleHandleA );
}

BOOL GetModuleHandleExA( DWORD flags, const void *addr, HMODULE *module )
{
    (void)flags;
    return (*module = module_of( addr )) != NULL;
}

DWORD GetModuleFileNameA( HMODULE module, char *path, DWORD size )
{
    ssize_t len = readlink( "/proc/self/exe", path, size - 1 );

    (void)module;
    if (len < 0) return 0;
    path[len] = 0;
    return len;
}

FARPROC GetProcAddress( HMODULE module, const char *name )
{
    void *ptr;

    if (!strcmp( name, "wine_get_version" )) return (FARPROC)wine_get_version;
    ptr = dlsym( RTLD_DEFAULT, name );
    return ptr && module_of( ptr ) == module ? (FARPROC)ptr : NULL;
}

HANDLE GetProcessHeap(void)
{
    return NULL;
}

void *HeapAlloc( HANDLE heap, DWORD flags, SIZE_T size )
{
    (void)heap;
    return flags & HEAP_ZERO_MEMORY ? calloc( 1, size ) : malloc( size );
}

BOOL HeapFree( HANDLE heap, DWORD flags, void *ptr )
{
    (void)heap, (void)flags;
    free( ptr );
    return TRUE;
}

DWORD TlsAlloc(void)
{
    pthread_key_t key;

    return pthread_key_create( &key, NULL ) ? TLS_OUT_OF_INDEXES : key;
}

void *TlsGetValue( DWORD index )
{
    return pthread_getspecific( index );
}

BOOL TlsSetValue( DWORD index, void *value )
{
    return !pthread_setspecific( index, value );
}

DWORD GetTickCount(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void Sleep( DWORD timeout )
{
    if (timeout) usleep( timeout * 1000 );
    else sched_yield();
}

static void release_object( struct object *object )
{
    if (!__atomic_sub_fetch( &object->refs, 1, __ATOMIC_SEQ_CST )) free( object );
}

static void *run_thread( void *arg )
{
    struct object *object = arg;

    object->code = object->func( object->arg );
    __atomic_store_n( &object->done, 1, __ATOMIC_SEQ_CST );
    release_object( object );
    return NULL;
}

HANDLE CreateThread( SECURITY_ATTRIBUTES *attr, SIZE_T stack, DWORD (*func)( void * ), void *arg,
                     DWORD flags, DWORD *id )
{
    struct object *object = calloc( 1, sizeof(*object) );

    (void)attr, (void)stack, (void)flags, (void)id;
    object->type = THREAD;
    object->refs = 2;
    object->func = func;
    object->arg  = arg;
    if (pthread_create( &object->thread, NULL, run_thread, object ))
    {
        free( object );
        return NULL;
    }
    pthread_detach( object->thread );
    return object;
}

/***********************************************************************
 *           CreateProcessA
 *
 * The command line has no other quotes than around its first word.
 */
BOOL CreateProcessA( const char *app, char *cmdline, SECURITY_ATTRIBUTES *process_attr,
                     SECURITY_ATTRIBUTES *thread_attr, BOOL inherit, DWORD flags, void *env,
                     const char *dir, STARTUPINFOA *startup, PROCESS_INFORMATION *info )
{
    struct object *object = calloc( 1, sizeof(*object) );
    char *line = strdup( cmdline ), *argv[16], *word, *next = line;
    int argc = 0;

    (void)app, (void)process_attr, (void)thread_attr, (void)inherit, (void)flags, (void)env;
    (void)dir, (void)startup;
    if (*next == '"') argv[argc++] = strtok_r( next + 1, "\"", &next );
    while (argc < 15 && (word = strtok_r( NULL, " ", &next ))) argv[argc++] = word;
    argv[argc] = NULL;

    fflush( stdout );
    object->type = PROCESS;
    object->refs = 1;
    if (!(object->pid = fork()))
    {
        execv( "/proc/self/exe", argv );
        _exit( 255 );
    }
    free( line );
    info->hProcess = object;
    info->hThread = NULL;
    info->dwProcessId = object->pid;
    info->dwThreadId = 0;
    return object->pid != -1;
}

static int is_done( struct object *object )
{
    int status;

    if (object->type == PROCESS && !object->done &&
        waitpid( object->pid, &status, WNOHANG ) == object->pid)
    {
        if (WIFEXITED( status )) object->code = WEXITSTATUS( status );
        else object->code = STATUS_ACCESS_VIOLATION;
        object->done = 1;
    }
    return __atomic_load_n( &object->done, __ATOMIC_SEQ_CST );
}

DWORD WaitForMultipleObjects( DWORD count, const HANDLE *handles, BOOL all, DWORD timeout )
{
    DWORD start = GetTickCount(), i, first, done;

    for (;;)
    {
        for (i = done = 0, first = count; i < count; i++)
        {
            if (!handles[i]) return WAIT_FAILED;
            if (!is_done( handles[i] )) continue;
            if (!done++) first = i;
        }
        if (done == count || (done && !all)) return WAIT_OBJECT_0 + first;
        if (timeout != INFINITE && GetTickCount() - start >= timeout) return WAIT_TIMEOUT;
        usleep( 500 );
    }
}

DWORD WaitForSingleObject( HANDLE handle, DWORD timeout )
{
    return WaitForMultipleObjects( 1, &handle, TRUE, timeout );
}

BOOL GetExitCodeThread( HANDLE thread, DWORD *code )
{
    struct object *object = thread;

    *code = is_done( object ) ? object->code : 259 /* STILL_ACTIVE */;
    return TRUE;
}

BOOL GetExitCodeProcess( HANDLE process, DWORD *code )
{
    return GetExitCodeThread( process, code );
}

BOOL TerminateProcess( HANDLE process, DWORD code )
{
    struct object *object = process;

    if (process == GetCurrentProcess()) _exit( code );
    if (!is_done( object )) kill( object->pid, SIGKILL );
    return TRUE;
}

HANDLE GetCurrentThread(void)
{
    return (HANDLE)~(ULONG_PTR)1;
}

DWORD GetCurrentProcessId(void)
{
    return getpid();
}

BOOL CloseHandle( HANDLE handle )
{
    if (!handle) return FALSE;
    if ((ULONG_PTR)handle & 1) return !close( (ULONG_PTR)handle >> 2 );
    release_object( handle );
    return TRUE;
}

HANDLE CreateFileMappingA( HANDLE file, SECURITY_ATTRIBUTES *attr, DWORD prot, DWORD high,
                           DWORD low, const char *name )
{
    int fd = memfd_create( "mapping", attr && attr->bInheritHandle ? 0 : MFD_CLOEXEC );

    (void)file, (void)prot, (void)name;
    if (fd == -1 || ftruncate( fd, (off_t)high << 32 | low )) return NULL;
    return MAPPING_HANDLE( fd );
}

void *MapViewOfFile( HANDLE mapping, DWORD access, DWORD high, DWORD low, SIZE_T size )
{
    int fd = (ULONG_PTR)mapping >> 2;
    void *ptr;

    (void)access;
    if (!size) size = lseek( fd, 0, SEEK_END );
    ptr = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)high << 32 | low );
    return ptr == MAP_FAILED ? NULL : ptr;
}

BOOL UnmapViewOfFile( const void *view )
{
    MEMORY_BASIC_INFORMATION info;

    if (!VirtualQuery( view, &info, sizeof(info) )) return FALSE;
    return !munmap( (void *)view, info.RegionSize );
}

/***********************************************************************
 *           handle_fault
 *
 * A signal becomes an exception.
 */
static void handle_fault( int sig, siginfo_t *info, void *context )
{
    EXCEPTION_POINTERS pointers;
    EXCEPTION_RECORD record;

    (void)sig;
    memset( &record, 0, sizeof(record) );
    record.ExceptionCode = STATUS_ACCESS_VIOLATION;
    if (info->si_code == STATUS_GUARD_PAGE_VIOLATION) record.ExceptionCode = info->si_code;
    record.ExceptionAddress = (void *)get_counter( context );
    record.NumberParameters = 2;
    record.ExceptionInformation[1] = (ULONG_PTR)info->si_addr;
    pointers.ExceptionRecord = &record;
    pointers.ContextRecord = context;
    if (exception_handler && exception_handler( &pointers ) == EXCEPTION_CONTINUE_EXECUTION) return;
    exception_filter( &pointers );
    _exit( 255 );
}

/***********************************************************************
 *           SetUnhandledExceptionFilter
 *
 * The signal handler is there before the library's, which then passes on what it does not know.
 */
void SetUnhandledExceptionFilter( LONG (*filter)( EXCEPTION_POINTERS * ) )
{
    struct sigaction action;

    exception_filter = filter;
    memset( &action, 0, sizeof(action) );
    action.sa_sigaction = handle_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction( SIGSEGV, &action, NULL );
    sigaction( SIGBUS, &action, NULL );
}

void *AddVectoredExceptionHandler( ULONG first, LONG (*handler)( EXCEPTION_POINTERS * ) )
{
    (void)first;
    exception_handler = handler;
    return &exception_handler;
}

ULONG RemoveVectoredExceptionHandler( void *handler )
{
    (void)handler;
    exception_handler = NULL;
    return 1;
}

DWORD SetErrorMode( DWORD mode )
{
    (void)mode;
    return 0;
}

BOOL FlushInstructionCache( HANDLE process, const void *addr, SIZE_T size )
{
    (void)process;
    __builtin___clear_cache( (char *)addr, (char *)addr + size );
    return TRUE;
}
