/*
 * Backends that learn of writes by faults, in native programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#include "engine/backend.h"
#include "engine/fork.h"
#include "engine/region.h"
#include "engine/region_step.h"
#include "fault/fault.h"
#include "fault/signal_chain.h"
#include "nt_types.h"
#include "sys/cpu.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/signals.h"
#include "sys/user_memory.h"

/* Serving a fault lets a write go on (opens the page) and marks the page. A query with reset takes
 * the marks and arms these pages.
 *
 * Without a lock the orders would be: open, then mark; take, then arm. Any other order can leave an
 * open page without a mark for ever. These orders cannot. But between open and mark another thread
 * can write to the page without a fault and then query: its own write would not be reported before
 * the next query. So each region has a lock that faults share and that a step of a query holds
 * alone. A step waits for faults in progress, so every open page is marked then. To faults, take
 * and arm are one step: a page whose mark was taken is armed when the next fault looks at it.
 * Faults and steps take turns: otherwise a program that does nothing but query would keep a write
 * waiting for a tenth of a second.
 *
 * There is no deadlock: the lock is taken inside a step (region_enter), by code that has all
 * signals blocked and touches no memory of the program. A thread that changes regions waits for
 * steps. Steps wait for a change only before they begin. */

/* A fault that repeats although its page is open is not the backend's: the file no longer has that
 * page, or the program has protected the page itself. It must reach the program in the end. So once
 * in this many times the backend serves the fault only if the page really is not open. */
#define MAX_REPEATS 1000

/* how often in a row it then finds the page open, where there are trackers, before the fault is
 * passed on */
#define MAX_REFUSALS 1000

static __thread struct
{
    uintptr_t    page;
    uintptr_t    pc;
    unsigned int repeats;
    unsigned int forgotten;
} last_fault;

int (*fault_on_guard)( uintptr_t addr );

/* incremented whenever pages are detached */
static unsigned int forgotten;

static void handle_fault( int sig, siginfo_t *info, void *context );

static struct signal_chain chains[] =
{
    { .sig = SIGSEGV, .handler = handle_fault },
    { .sig = SIGBUS,  .handler = handle_fault },
};

static pthread_mutex_t install_mutex = PTHREAD_MUTEX_INITIALIZER;

void fault_hold( struct watch_region *region )
{
    note_lock( LOCK_FAULTS );
    fair_lock_hold( &fault_data( region )->lock );
}

void fault_release( struct watch_region *region )
{
    note_unlock( LOCK_FAULTS );
    fair_lock_release( &fault_data( region )->lock );
}

void fault_free_locks( struct watch_region *region )
{
    static const struct fair_lock free_lock;

    fault_data( region )->lock = free_lock;
}

int fault_collect_nothing( struct watch_region *region, struct page_scan *scan )
{
    (void)region;
    scan->next = scan->end;
    return 0;
}

void fault_forget(void)
{
    __atomic_fetch_add( &forgotten, 1, __ATOMIC_SEQ_CST );
}

int fault_uses_memory( uintptr_t start, uintptr_t end )
{
    return overlaps( start, end, &last_fault, sizeof(last_fault) ) ||
           overlaps( start, end, chains, sizeof(chains) );
}

/* Whether the page is marked already, so that a fault on it is unexpected. The region's lock is
 * shared. */
static int is_marked( struct watch_region *region, uintptr_t page )
{
    struct page_marks *marks = __atomic_load_n( &region->marks, __ATOMIC_ACQUIRE );

    return marks && marks_peek( marks, page, page + page_size() );
}

/***********************************************************************
 *           serve
 *
 * Serves a fault that was delivered by a signal, or read by a backend's thread (sig is 0). Returns
 * 0 if no backend made the fault. *repeats counts faults on pages that should be open.
 */
static int serve( uintptr_t addr, unsigned int flags, int sig, unsigned int *repeats )
{
    uintptr_t page = round_down( addr ), granule, start, end;
    const struct watch_backend *backend;
    struct watch_region *region;
    enum region_step step;
    int ret;

    fork_before_fault();
    do if (!(region = region_find( page, page + page_size() ))) return 0;
    while (!(step = region_enter( region, page, page + page_size() )));

    backend = __atomic_load_n( &region->backend, __ATOMIC_ACQUIRE );
    if (!backend->fault || backend->signal != sig)
    {
        region_leave( region, step );
        return 0;
    }
    note_lock( LOCK_FAULTS );
    fair_lock_share( &fault_data( region )->lock );

    granule = (uintptr_t)1 << region->shift;
    start = page & -granule;
    end   = start + granule;
    if (start < region->base) start = region->base;
    if (end > region->end) end = region->end;

    if ((flags & FAULT_WRITE) && !is_marked( region, page )) *repeats = 0;
    else if (++*repeats > MAX_REPEATS) flags |= FAULT_REPEAT;
    ret = region->backend->fault( region, start, end, flags );
    if (flags & FAULT_REPEAT)
    {
        /* where there are trackers a marked page is no surprise, and another thread may have opened
         * it just now */
        if (!ret && region->trackers && *repeats < MAX_REPEATS + MAX_REFUSALS) ret = 1;
        else *repeats = 0;
    }

    note_unlock( LOCK_FAULTS );
    fair_lock_unshare( &fault_data( region )->lock );
    region_leave( region, step );
    return ret;
}

int fault_serve( uintptr_t addr, int write )
{
    if (last_fault.page != round_down( addr )) last_fault.repeats = 0;
    last_fault.page = round_down( addr );
    return serve( addr, write ? FAULT_WRITE : 0, 0, &last_fault.repeats );
}

/***********************************************************************
 *           is_ours
 *
 * Serves a fault that a backend made. Returns 1 if the instruction can be tried again.
 */
static int is_ours( int sig, const siginfo_t *info, const ucontext_t *context )
{
    uintptr_t addr = (uintptr_t)info->si_addr, pc = context_pc( context );
    unsigned int count;

    if (info->si_code <= 0) return 0;   /* sent by kill() or the like */
    if ((sig == SIGSEGV && info->si_code == SEGV_ACCERR)
        || (sig == SIGBUS && info->si_code == BUS_ADRERR))
    {
        if (last_fault.page != round_down( addr ) || last_fault.pc != pc)
        {
            last_fault.page = round_down( addr );
            last_fault.pc = pc;
            last_fault.repeats = 0;
        }
        if (serve( addr, context_is_write( context ) ? FAULT_WRITE : 0, sig, &last_fault.repeats ))
            return 1;

        /* the page may have been watched when the fault was raised */
        count = __atomic_load_n( &forgotten, __ATOMIC_SEQ_CST );
        if (last_fault.forgotten != count)
        {
            last_fault.forgotten = count;
            return 1;
        }
    }
    return 0;
}

/***********************************************************************
 *           pass_on
 *
 * Passes on a fault that no backend made; guard is 1 for a guard page, else 0. If it is an access
 * by the library to a pointer of the program, the call fails with the status (rows 34, 34b).
 * Otherwise the program's handler runs. A negative si_code reports a guard page, so that a program
 * without a handler ends: the access would succeed now.
 */
static void pass_on( int sig, siginfo_t *info, ucontext_t *context, int guard, void *frame )
{
    siginfo_t guard_info;

    if (info->si_code > 0 && is_user_access( context_pc( context )))
    {
        user_access_fail( context, guard ? STATUS_GUARD_PAGE_VIOLATION : STATUS_ACCESS_VIOLATION );
        return;
    }
    if (guard)
    {
        guard_info = *info;
        guard_info.si_code = STATUS_GUARD_PAGE_VIOLATION;
        info = &guard_info;
    }
    signal_chain_next( &chains[sig == SIGBUS], info, context, frame );
}

/***********************************************************************
 *           handle_fault
 *
 * The backends come first, since a results array may be watched memory. Guard pages come next.
 */
static void handle_fault( int sig, siginfo_t *info, void *context )
{
    int err = errno, guard = 0;

    if (!is_ours( sig, info, context ))
    {
        if (sig == SIGSEGV && info->si_code == SEGV_ACCERR && fault_on_guard)
            guard = fault_on_guard( (uintptr_t)info->si_addr );
        if (guard != 2) pass_on( sig, info, context, guard, __builtin_frame_address( 0 ));
    }
    errno = err;
}

static int install( int sig )
{
    sigset_t sigset;
    int ret = 0;
    size_t i;

    block_all_signals( &sigset );
    note_lock( LOCK_HANDLERS );
    pthread_mutex_lock( &install_mutex );
    for (i = 0; i < sizeof(chains) / sizeof(chains[0]) && !ret; i++)
        if (!sig || chains[i].sig == sig) ret = signal_chain_install( &chains[i] );
    note_unlock( LOCK_HANDLERS );
    pthread_mutex_unlock( &install_mutex );
    restore_signals( &sigset );
    return ret;
}

void fault_lock_for_fork(void)
{
    note_lock( LOCK_HANDLERS );
    pthread_mutex_lock( &install_mutex );
}

void fault_unlock_after_fork(void)
{
    note_unlock( LOCK_HANDLERS );
    pthread_mutex_unlock( &install_mutex );
}

int fault_handler_install(void)
{
    return install( 0 );
}

int fault_handler_check( int sig )
{
    return signal_chain_is_first( &chains[sig == SIGBUS] ) ? 0 : install( sig );
}

const char *fault_notice(void)
{
    if (chains[0].full || chains[1].full)
        return "the program replaced the fault handler with too many others";
    if (chains[0].replaced || chains[1].replaced)
        return "the program replaced the fault handler; it was put before the program's again";
    return "";
}
