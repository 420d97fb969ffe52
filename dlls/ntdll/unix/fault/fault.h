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

/* What a backend that serves faults keeps of a region. Any other data of its own comes after it. */
struct fault_data
{
    struct fair_lock lock;   /* shared by faults, held by steps of queries: see fault.c */
};

REGION_DATA_SIZE_FITS( struct fault_data );

static inline struct fault_data *fault_data( struct watch_region *region )
{
    return REGION_DATA( struct fault_data, region );
}

/* To arm pages takes a call of the kernel for each run of marks, and faults wait meanwhile: steps
 * that do so are shorter than others. */
#define MAX_ARMED_PAGES ((size_t)512)

/* The library's handler of SIGSEGV and SIGBUS: faults on pointers of the program (user_memory.h),
 * then the backends, then what the program had. Once is enough; returns 0 or -errno. Any thread. */
extern int fault_handler_install(void);

/* Whether a signal still comes to us. If the program has put a handler of its own in the place of
 * ours, ours is put before it. Returns 0, or -errno if that has failed. Any thread, no lock. */
extern int fault_handler_check( int sig );

/* what the program did to our handlers, for people; "" if nothing */
/* around a fork(), after the lock of the writers */
extern void fault_lock_for_fork(void);
extern void fault_unlock_after_fork(void);

extern const char *fault_notice(void);

/* Lets the backend of the region that holds an address deal with a fault there, of which its thread
 * was told. Returns 0 if the fault is not of our making. All signals must be blocked. */
extern int fault_serve( uintptr_t addr, int write );

/* What the memory manager makes of a fault that is nobody else's: 0 nothing; 1 a guard page, which
 * is none any more: the program is told once, by SIGSEGV with STATUS_GUARD_PAGE_VIOLATION as
 * si_code; 2 it is to be tried again. NULL without a memory manager. */
extern int (*fault_on_guard)( uintptr_t addr );

/* for struct watch_backend */
extern void fault_hold( struct watch_region *region );
extern void fault_release( struct watch_region *region );
extern void fault_free_locks( struct watch_region *region );

/* For collect_written(): all written state is in the marks. */
extern int fault_collect_nothing( struct watch_region *region, struct page_scan *scan );

/* Notes that pages have been let go: a fault that was met before, and is none of ours any more when
 * its handler comes to look, is not to be taken for the program's. */
extern void fault_forget(void);

/* whether memory holds what the handler of faults itself has to change in this thread */
extern int fault_uses_memory( uintptr_t start, uintptr_t end );

#endif /* WRITEWATCH_FAULT_H */
