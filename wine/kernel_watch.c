/*
 * Write watches by the kernel: the engine's host in Wine
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "defer.h"
#include "engine/backend.h"
#include "engine/give_way.h"
#include "engine/host.h"
#include "engine/watch.h"
#include "kernel_watch.h"
#include "scan/scan.h"
#include "sys/page.h"
#include "sys/user_memory.h"
#include "watch_lock.h"
#include "wine/debug.h"
#include "write_watch.h"

WINE_DEFAULT_DEBUG_CHANNEL(virtual);

/* from this size on, the kernel may refuse to charge a whole reservation */
#define LARGE_RESERVATION ((SIZE_T)256 << 20)

/* the first is exact except where reading an untouched page makes a page of the program's own */
const struct watch_backend * const backend_list[] =
{
    &scan_backend,
    &scan_marked_backend,
    NULL
};

static BOOL is_open;          /* set while there is one thread */
static BOOL is_allocating;    /* under virtual_mutex */
static BOOL wine_watches;     /* whether some memory has VPROT_WRITEWATCH because we refused it */

/* nothing of ours is shared with the parent */
void begin_child(void)
{
}

/***********************************************************************
 *           kernel_watch_init
 */
void kernel_watch_init(void)
{
    const char *value = getenv( "WINE_DISABLE_KERNEL_WRITEWATCH" );
    char reason[160];

    if (value && *value && strcmp( value, "0" )) return;
    if (!watch_open( NULL, reason, sizeof(reason) )) is_open = TRUE;
    else WARN( "not used: %s\n", reason );
}

static BOOL is_watched( const void *addr, size_t size )
{
    return is_open && size && watch_overlaps( (void *)round_down( (ULONG_PTR)addr ),
                                              round_up( size ));
}

/***********************************************************************
 *           could_be_charged
 *
 * The kernel charges memory that is watched by mprotect() page by page, as it is written, but ours
 * when it is committed. That matters only where it charges MAP_NORESERVE as well
 * (vm.overcommit_memory is 2).
 */
static BOOL could_be_charged( SIZE_T size )
{
    void *ptr = mmap( NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0 );

    if (ptr == MAP_FAILED) return FALSE;
    munmap( ptr, size );
    return TRUE;
}

/***********************************************************************
 *           kernel_watch_begin
 *
 * A placeholder is no memory yet.
 */
BOOL kernel_watch_begin( ULONG type, SIZE_T size )
{
    if (!(type & MEM_WRITE_WATCH) || (type & MEM_RESERVE_PLACEHOLDER) || !is_open) return FALSE;
    if (size >= LARGE_RESERVATION && !could_be_charged( size ))
    {
        wine_watches = TRUE;
        return FALSE;
    }
    is_allocating = TRUE;
    return TRUE;
}

void kernel_watch_cancel(void)
{
    is_allocating = FALSE;
}

/***********************************************************************
 *           kernel_watch_add
 *
 * The mapping of a placeholder is replaced: it was made without our flags and has no contents yet.
 * Memory that is committed at once is accessible already, but no thread knows its address.
 */
BOOL kernel_watch_add( void *base, SIZE_T size, ULONG type, int unix_prot )
{
    BOOL ret = TRUE;

    if (type & MEM_REPLACE_PLACEHOLDER)
        ret = kernel_watch_mmap( base, size, unix_prot, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1,
                                 0 ) != MAP_FAILED;
    is_allocating = FALSE;
    if (ret && watch_add( base, size )) ret = FALSE;
    else if (ret && (type & MEM_COMMIT) && watch_needs_commit() && watch_commit( base, size ))
    {
        watch_remove( base, size );
        ret = FALSE;
    }
    if (!ret) wine_watches = TRUE;
    return ret;
}

NTSTATUS kernel_watch_commit( void *base, SIZE_T size )
{
    if (!is_open || !watch_needs_commit() || !watch_commit( base, size )) return STATUS_SUCCESS;
    return STATUS_NO_MEMORY;
}

/***********************************************************************
 *           kernel_watch_decommit
 *
 * A new mapping would lose the registration, or leave a moment without it.
 */
void *kernel_watch_decommit( void *base, SIZE_T size )
{
    int err;

    if (!is_watched( base, size ) || !watch_contains( base, size ))
        return kernel_watch_mmap( base, size, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1,
                                  0 );
    if (!(err = watch_decommit( base, size ))) return base;
    errno = -err;
    return MAP_FAILED;
}

/***********************************************************************
 *           kernel_watch_mmap
 *
 * A new mapping over watched memory ends the watch: memory that lost its registration unseen would
 * read as "nothing written". MAP_NORESERVE keeps the kernel from charging all of it at once, and
 * MAP_STACK rules out huge pages, which would make neighbours of a written page count as written.
 */
void *kernel_watch_mmap( void *addr, size_t size, int prot, int flags, int fd, off_t offset )
{
    void *ret;

    begin_address_space_change();
    if ((flags & MAP_FIXED) && is_watched( addr, size )) watch_remove( addr, round_up( size ));
    if (is_allocating && (flags & MAP_ANONYMOUS)) flags |= MAP_NORESERVE | MAP_STACK;
    ret = mmap( addr, size, prot, flags, fd, offset );
    end_address_space_change();
    return ret;
}

int kernel_watch_munmap( void *addr, size_t size )
{
    int ret;

    begin_address_space_change();
    if (is_watched( addr, size )) watch_remove( addr, round_up( size ));
    ret = munmap( addr, size );
    end_address_space_change();
    return ret;
}

/* must wait for queries, like other changes of mappings, so that these come to an end */
int kernel_watch_mprotect( void *addr, size_t size, int prot )
{
    int ret;

    begin_address_space_change();
    ret = mprotect( addr, size, prot );
    end_address_space_change();
    return ret;
}

/* MEM_RESET drops the contents, not the written state */
int kernel_watch_madvise( void *addr, size_t size, int advice )
{
    int err;

    if (advice != MADV_DONTNEED || !is_watched( addr, size ))
        return madvise( addr, size, advice );
    if (!(err = watch_discard( addr, round_up( size )))) return 0;
    errno = -err;
    return -1;
}

/* must not make pages written */
int kernel_watch_mlock( const void *addr, size_t size )
{
    int err;

    if (!is_watched( addr, size )) return mlock( addr, size );
    if (!(err = watch_mlock( addr, size ))) return 0;
    errno = -err;
    return -1;
}

/* what a query of memory that is not ours returns */
static NTSTATUS not_ours( NTSTATUS status )
{
    return status == STATUS_INVALID_PARAMETER && wine_watches ? STATUS_NOT_SUPPORTED : status;
}

NTSTATUS kernel_watch_get( ULONG flags, void *base, SIZE_T size, void **addresses, ULONG_PTR *count,
                           ULONG *granularity )
{
    NTSTATUS status;

    if (!is_open) return STATUS_NOT_SUPPORTED;
    status = get_write_watch( flags, base, size, addresses, count, granularity );
    deliver_deferred_signals();
    return not_ours( status );
}

NTSTATUS kernel_watch_reset( void *base, SIZE_T size )
{
    NTSTATUS status;

    if (!is_open) return STATUS_NOT_SUPPORTED;
    status = reset_write_watch( base, size );
    deliver_deferred_signals();
    return not_ours( status );
}

BOOL kernel_watch_defer( int signal, const void *context )
{
    return defer_signal( signal, context );
}

BOOL kernel_watch_fault( void *context, NTSTATUS status )
{
    if (!is_user_access( context_pc( context ))) return FALSE;
    if (status >= -MAX_ERRNO) status = STATUS_ACCESS_VIOLATION;
    user_access_fail( context, status );
    return TRUE;
}

/* a mapped file no longer has the page; alignment faults are left to Wine */
BOOL kernel_watch_bus( const siginfo_t *siginfo, void *context )
{
    if (siginfo->si_code <= 0 || siginfo->si_code == BUS_ADRALN) return FALSE;
    return kernel_watch_fault( context, STATUS_ACCESS_VIOLATION );
}
