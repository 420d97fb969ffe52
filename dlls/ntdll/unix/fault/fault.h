/*
 * Backends that learn of writes by faults, in native programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_FAULT_H
#define WRITEWATCH_FAULT_H

#include <stdint.h>

#include "engine/region.h"
#include "fault/fair_lock.h"

/* What a backend that serves faults keeps for a region. Any data of its own follows it. */
struct fault_data
{
    struct fair_lock lock;   /* shared by faults, held by steps of queries (fault.c) */
};

REGION_DATA_SIZE_FITS( struct fault_data );

static inline struct fault_data *fault_data( struct watch_region *region )
{
    return REGION_DATA( struct fault_data, region );
}

/* Arming pages takes a system call for each run of marks, and faults wait meanwhile. So steps that
 * arm pages are shorter than others. */
#define MAX_ARMED_PAGES ((size_t)512)

/* Installs the library's handler of SIGSEGV and SIGBUS. It tries the backends first, then guard
 * pages, then accesses to pointers of the program (user_memory.h), and calls the program's handler
 * last. A second call does nothing. Returns 0 or -errno. Any thread. */
extern int fault_handler_install(void);

/* Makes sure that a signal still reaches the library's handler: if the program has replaced it with
 * one of its own, installs it again, before the program's. Returns 0, or -errno if that fails. Any
 * thread, no lock. */
extern int fault_handler_check( int sig );

/* what the program did to the handlers, for people; "" if nothing */
extern const char *fault_notice(void);

/* around a fork(), after the change lock is taken */
extern void fault_lock_for_fork(void);
extern void fault_unlock_after_fork(void);

/* Serves a fault that a backend's thread has read, by the backend of the region that holds the
 * address. Returns 0 if no backend made the fault. All signals must be blocked. */
extern int fault_serve( uintptr_t addr, int write );

/* Asks the memory manager about a fault that no backend made. 0: not a guard page. 1: a guard page,
 * which from now on is an ordinary one; the program gets SIGSEGV once, with
 * STATUS_GUARD_PAGE_VIOLATION as si_code. 2: the access is to be tried again. NULL without a memory
 * manager. */
extern int (*fault_on_guard)( uintptr_t addr );

/* for struct watch_backend */
extern void fault_hold( struct watch_region *region );
extern void fault_release( struct watch_region *region );
extern void fault_free_locks( struct watch_region *region );

/* for collect_written(): all written state is in the marks */
extern int fault_collect_nothing( struct watch_region *region, struct page_scan *scan );

/* Notes that pages are being detached. A fault raised before that belongs to no backend once its
 * handler looks, but must not be passed on to the program. */
extern void fault_forget(void);

/* whether memory holds data that the fault handler itself changes in this thread */
extern int fault_uses_memory( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_FAULT_H */
