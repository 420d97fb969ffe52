/*
 * The native memory manager: its lock, and the protection of pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "engine/give_way.h"
#include "engine/watch.h"
#include "fault/fault.h"
#include "native/virtual_internal.h"
#include "sys/lock_order.h"
#include "sys/signals.h"

/* the protections that memory without a file can have, indexed by their numbers in a page state */
static const struct
{
    ULONG protect;
    int   prot;
} protections[] =
{
    { PAGE_NOACCESS,          PROT_NONE },
    { PAGE_READONLY,          PROT_READ },
    { PAGE_READWRITE,         PROT_READ | PROT_WRITE },
    { PAGE_EXECUTE,           PROT_READ | PROT_EXEC },
    { PAGE_EXECUTE_READ,      PROT_READ | PROT_EXEC },
    { PAGE_EXECUTE_READWRITE, PROT_READ | PROT_WRITE | PROT_EXEC },
};

#define PROTECTION_COUNT (sizeof(protections) / sizeof(protections[0]))

/* guard pages that were hit so far, and how many of them a thread knows of */
static unsigned int guards_hit;
static __thread unsigned int guards_known;

static pthread_mutex_t virtual_mutex = PTHREAD_MUTEX_INITIALIZER;

static __thread int is_forking;   /* from lock_for_fork() to unlock_after_fork() */

void virtual_lock( sigset_t *sigset )
{
    block_all_signals( sigset );
    note_lock( LOCK_VIRTUAL );
    pthread_mutex_lock( &virtual_mutex );
    begin_address_space_change();
}

void virtual_unlock( const sigset_t *sigset )
{
    end_address_space_change();
    note_unlock( LOCK_VIRTUAL );
    pthread_mutex_unlock( &virtual_mutex );
    restore_signals( sigset );
}

int virtual_uses_memory( uintptr_t start, uintptr_t end )
{
    sigset_t sigset;
    int ret;

    virtual_lock( &sigset );
    ret = views_use_memory( start, end ) || page_states_use_memory( start, end );
    virtual_unlock( &sigset );
    return ret;
}

void virtual_lock_for_fork(void)
{
    is_forking = 1;
    note_lock( LOCK_VIRTUAL );
    pthread_mutex_lock( &virtual_mutex );
}

void virtual_unlock_after_fork(void)
{
    note_unlock( LOCK_VIRTUAL );
    pthread_mutex_unlock( &virtual_mutex );
    is_forking = 0;
}

NTSTATUS state_from_protection( ULONG protect, unsigned char *state )
{
    unsigned int i;

    for (i = 0; i < PROTECTION_COUNT; i++) if (protections[i].protect == (protect & 0xff)) break;
    if (i == PROTECTION_COUNT) return STATUS_INVALID_PAGE_PROTECTION;
    if (protect & PAGE_GUARD) i |= PAGE_STATE_GUARD;
    if (protect & PAGE_NOCACHE) i |= PAGE_STATE_NOCACHE;
    if (protect & PAGE_WRITECOMBINE) i |= PAGE_STATE_WRITECOMBINE;
    *state = i;
    return STATUS_SUCCESS;
}

ULONG protection_from_state( unsigned char state )
{
    ULONG ret = protections[state & PAGE_STATE_PROTECTION].protect;

    if (state & PAGE_STATE_GUARD) ret |= PAGE_GUARD;
    if (state & PAGE_STATE_NOCACHE) ret |= PAGE_NOCACHE;
    if (state & PAGE_STATE_WRITECOMBINE) ret |= PAGE_WRITECOMBINE;
    return ret;
}

int unix_protection( unsigned char state )
{
    if (!(state & PAGE_STATE_COMMITTED) || (state & PAGE_STATE_GUARD)) return PROT_NONE;
    return protections[state & PAGE_STATE_PROTECTION].prot;
}

/***********************************************************************
 *           set_pages
 *
 * A guard page needs our handler. If the program has replaced it, it is put back, and calls the
 * program's from then on.
 */
NTSTATUS set_pages( uintptr_t start, uintptr_t end, unsigned char state )
{
    int prot = unix_protection( state ), ret = 0;

    if (watch_overlaps( (void *)start, end - start ))
        ret = watch_protect( (void *)start, end - start, prot );
    else if (mprotect( (void *)start, end - start, prot )) ret = -errno;

    if (ret) return ret == -ENOMEM ? STATUS_NO_MEMORY : STATUS_ACCESS_DENIED;
    page_state_set( start, end, state );
    if (state & PAGE_STATE_GUARD) fault_handler_check( SIGSEGV );
    return STATUS_SUCCESS;
}

/***********************************************************************
 *           commit_range
 *
 * The engine prepares pages while they have no access yet.
 */
NTSTATUS commit_range( uintptr_t start, uintptr_t end, unsigned char state )
{
    if (watch_commit( (void *)start, end - start )) return STATUS_NO_MEMORY;
    return set_pages( start, end, state | PAGE_STATE_COMMITTED );
}

/***********************************************************************
 *           guard_fault
 *
 * Row 22. A thread that is in fork() has the lock itself, and the change lock: functions of the
 * program that run there get a fault on a guard page as any other, and the page stays one.
 */
int guard_fault( uintptr_t addr )
{
    uintptr_t start = round_down( addr );
    sigset_t sigset;
    unsigned char state;
    int ret = 0;

    if (is_forking) return 0;
    virtual_lock( &sigset );
    state = page_state( start );
    if ((state & PAGE_STATE_COMMITTED) && (state & PAGE_STATE_GUARD))
    {
        if (!set_pages( start, start + page_size(), state & ~PAGE_STATE_GUARD ))
        {
            guards_hit++;
            ret = 1;
        }
    }
    /* another thread may have hit it first */
    else if (guards_known != guards_hit) ret = 2;
    guards_known = guards_hit;
    virtual_unlock( &sigset );
    return ret;
}

/***********************************************************************
 *           watched_run_end
 *
 * Almost always that is the end of the range.
 */
uintptr_t watched_run_end( uintptr_t start, uintptr_t end, int *watched )
{
    *watched = 1;
    if (watch_contains( (void *)start, end - start )) return end;
    *watched = 0;
    if (!watch_overlaps( (void *)start, end - start )) return end;

    *watched = watch_overlaps( (void *)start, page_size() );
    do start += page_size();
    while (start < end && watch_overlaps( (void *)start, page_size() ) == *watched);
    return start;
}
