/*
 * The native memory manager: what its files share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_VIRTUAL_INTERNAL_H
#define WRITEWATCH_VIRTUAL_INTERNAL_H

#include <signal.h>

#include "native/view.h"
#include "nt_types.h"
#include "sys/address_space.h"
#include "sys/page.h"
#include "sys/user_memory.h"

/* One lock for views and page states, held with all signals blocked. */
extern void virtual_lock( sigset_t *sigset );
extern void virtual_lock_for_fork(void);
extern void virtual_unlock_after_fork(void);
extern void virtual_unlock( const sigset_t *sigset );

/* Whether data of the memory manager lies in [start, end). Takes the lock. */
extern int virtual_uses_memory( uintptr_t start, uintptr_t end );

/* The end of what programs can allocate: as on Windows, 64 KiB below the end of their addresses. */
#define USER_SPACE_LIMIT (address_space_last() - 0xffff)

/* the state of a committed page, without PAGE_STATE_COMMITTED, from PAGE_* constants and back */
extern NTSTATUS state_from_protection( ULONG protect, unsigned char *state );
extern ULONG protection_from_state( unsigned char state );
extern int unix_protection( unsigned char state );

/* Gives pages of a view a new state. The lock is held. */
extern NTSTATUS set_pages( uintptr_t start, uintptr_t end, unsigned char state );

/* Commits pages of a view, or gives those that are committed another state. On failure their states
 * are unchanged. The lock is held. */
extern NTSTATUS commit_range( uintptr_t start, uintptr_t end, unsigned char state );

/* The end of the run of pages that are all watched, or all not. A program may begin and end the
 * watch of any part of what it has allocated. */
extern uintptr_t watched_run_end( uintptr_t start, uintptr_t end, int *watched );

/* What a fault on an address was: 0 not of a guard page; 1 of a guard page, which no longer is one;
 * 2 the access can be tried again, as another thread has hit the guard page. For a signal handler,
 * with all signals blocked. */
extern int guard_fault( uintptr_t addr );

/* Reads an argument that is also written. A bad pointer gives the status of its fault. */
static inline NTSTATUS get_argument( void *ptr, uintptr_t *value )
{
    NTSTATUS status;

    if (!ptr) return STATUS_ACCESS_VIOLATION;
    if ((status = user_load_pointer( ptr, value ))) return status;
    return user_probe_write( ptr, 2, sizeof(uintptr_t) - 1 );
}

/* Begins each call: reads the range. */
static inline NTSTATUS get_range_arguments( HANDLE process, void **addr, SIZE_T *size,
                                            uintptr_t *addr_value, uintptr_t *size_value )
{
    NTSTATUS status;

    if ((status = get_argument( addr, addr_value ))) return status;
    if ((status = get_argument( size, size_value ))) return status;
    return process == NtCurrentProcess() ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

static inline NTSTATUS put_range_arguments( void **addr, SIZE_T *size, uintptr_t start,
                                            uintptr_t end )
{
    NTSTATUS status = user_store_pointer( addr, start );

    return status ? status : user_store_pointer( size, end - start );
}

#endif /* WRITEWATCH_VIRTUAL_INTERNAL_H */
