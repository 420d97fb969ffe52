/*
 * The library as a whole: which backend is used, and the two calls that query it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "writewatch_windows.h"

#include "engine/backend.h"
#include "engine/fork.h"
#include "engine/fork_state.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "fault/own_memory.h"
#include "native/failure.h"
#include "native/other_threads.h"
#include "native/process.h"
#include "native/virtual_internal.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/proc_files.h"
#include "sys/signals.h"
#include "write_watch.h"

int process_ready;

__thread struct failure last_failure;

/* protects what follows */
static pthread_mutex_t process_mutex = PTHREAD_MUTEX_INITIALIZER;
static enum { NOT_OPENED, OPENED, REFUSED } process_state;
static int open_error;       /* when it is REFUSED */
static int has_watches;      /* the backend cannot be changed any more */
static unsigned int opening; /* threads that are about to watch memory */
static char open_reason[512];

/* Faults are not blocked: the self-test of a backend causes some. */
static void lock_process( sigset_t *sigset )
{
    block_all_but_faults( sigset );
    note_lock( LOCK_PROCESS );
    pthread_mutex_lock( &process_mutex );
}

static void unlock_process( const sigset_t *sigset )
{
    note_unlock( LOCK_PROCESS );
    pthread_mutex_unlock( &process_mutex );
    restore_signals( sigset );
}

void process_lock_for_fork(void)
{
    note_lock( LOCK_PROCESS );
    pthread_mutex_lock( &process_mutex );
}

void process_unlock_after_fork( int child )
{
    if (child) opening = 0;   /* those were threads of the parent */
    note_unlock( LOCK_PROCESS );
    pthread_mutex_unlock( &process_mutex );
}

/***********************************************************************
 *           process_prepare
 *
 * Sets up what every call needs; by any thread.
 */
void process_prepare(void)
{
    sigset_t sigset;

    lock_process( &sigset );
    if (!process_ready)
    {
        page_init();
        cpu_init();
        fault_on_guard = guard_fault;
        fault_handler_install();
        __atomic_store_n( &process_ready, 1, __ATOMIC_RELEASE );
    }
    unlock_process( &sigset );
}

/***********************************************************************
 *           process_check_handlers
 *
 * Puts our handlers back if the program has replaced them, by any thread. If that fails,
 * fault_notice() says so. A backend that needs them fails then, too; with the others only faults on
 * bad pointers are no longer caught.
 */
void process_check_handlers(void)
{
    fault_handler_check( SIGSEGV );
    fault_handler_check( SIGBUS );
}

/***********************************************************************
 *           init_query
 *
 * The same for queries. To check a handler takes 200 ns, a fifth of a small query. Memory beyond
 * the end of a file gives SIGBUS, so that handler is checked only when the array is not the one of
 * the last query.
 */
static void init_query( void **addresses )
{
    static __thread void **last;

    if (!__atomic_load_n( &process_ready, __ATOMIC_ACQUIRE )) process_prepare();
    fault_handler_check( SIGSEGV );
    if (addresses == last) return;
    fault_handler_check( SIGBUS );
    last = addresses;
}

/***********************************************************************
 *           open_locked
 *
 * Opens the backend with a name, else the one that the environment names, else the best one.
 * -EINVAL if there is none of that name, -ENOTSUP if it does not work here. The lock is held.
 */
static int open_locked( const char *name )
{
    if (!name) name = secure_getenv( "WRITEWATCH_BACKEND" );
    if (name && !*name) name = NULL;

    open_reason[0] = 0;
    open_error = watch_open( name, open_reason, sizeof(open_reason) );
    if (open_error && name && !has_backend( name )) open_error = -EINVAL;
    if (!open_error) proc_keep();
    process_state = open_error ? REFUSED : OPENED;
    return open_error;
}

/***********************************************************************
 *           process_open
 *
 * Opens a backend when memory is first watched, unless the program has done so. Returns 0 or
 * -errno. A refused backend remains refused: no other takes its place until the program asks. The
 * backend stays until process_opened().
 */
int process_open(void)
{
    sigset_t sigset;
    int ret;

    process_init();
    lock_process( &sigset );
    ret = process_state == NOT_OPENED ? open_locked( NULL ) : open_error;
    if (!ret) opening++;
    unlock_process( &sigset );
    if (ret) last_failure.error = 0;   /* what process_reason() says is the newer one */
    return ret;
}

void process_opened( int is_used )
{
    sigset_t sigset;

    lock_process( &sigset );
    opening--;
    if (is_used) has_watches = 1;
    unlock_process( &sigset );
}

int (*process_other_data)( uintptr_t start, uintptr_t end );

static enum own_memory find_own_memory( uintptr_t start, uintptr_t end )
{
    int (*other_data)( uintptr_t start, uintptr_t end );

    if (virtual_uses_memory( start, end )) return OWN_DATA;
    other_data = __atomic_load_n( &process_other_data, __ATOMIC_RELAXED );
    if (other_data && other_data( start, end )) return OWN_DATA;
    return threads_hold( start, end ) ? OWN_THREAD : OWN_NOTHING;
}

int process_watch( void *addr, size_t size, enum memory_kind kind, unsigned int shift )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;
    int ret;

    own_memory_look( start, end, find_own_memory( start, end ));
    ret = watch_add_as( addr, size, kind, shift );
    own_memory_forget();
    return ret;
}

/***********************************************************************
 *           process_choose
 *
 * -EBUSY once memory is watched.
 */
int process_choose( const char *name )
{
    sigset_t sigset;
    int ret;

    if (fork_is_unhandled()) return -EIO;
    lock_process( &sigset );
    if (has_watches || opening)
    {
        snprintf( open_reason, sizeof(open_reason), "memory is being watched already, by %s",
                  watch_backend_name() );
        ret = -EBUSY;
    }
    else
    {
        if (process_state == OPENED) watch_close();
        ret = open_locked( name );
    }
    unlock_process( &sigset );
    return ret;
}

/***********************************************************************
 *           process_reason
 *
 * Why no backend, or not the best one, was opened; otherwise what happened to our handlers, or that
 * some memory has another backend.
 */
const char *process_reason(void)
{
    const char *notice = fault_notice();

    if (*fork_notice()) return fork_notice();
    if (open_reason[0]) return open_reason;
    if (!*notice) notice = own_memory_notice();
    return *notice ? notice : moved_region_notice();
}

const char *process_open_reason(void)
{
    return *fork_notice() ? fork_notice() : open_reason;
}

const char *process_watch_reason(void)
{
    return own_memory_notice();
}

int process_refuses_stack( const void *base, size_t size )
{
    return own_memory_refuses_stack( base, size );
}

/***********************************************************************
 *             NtGetWriteWatch
 *
 * The handle is ignored (row 9).
 */
NTSTATUS NTAPI NtGetWriteWatch( HANDLE process, ULONG flags, void *base, SIZE_T size,
                                void **addresses, ULONG_PTR *count, ULONG *granularity )
{
    (void)process;
    init_query( addresses );
    return get_write_watch( flags, base, size, addresses, count, granularity );
}

NTSTATUS NTAPI NtResetWriteWatch( HANDLE process, void *base, SIZE_T size )
{
    (void)process;
    if (!__atomic_load_n( &process_ready, __ATOMIC_ACQUIRE )) process_prepare();
    return reset_write_watch( base, size );
}
