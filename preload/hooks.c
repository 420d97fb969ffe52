/*
 * Code shared by the hooks of both calling conventions
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>
#include <sys/mman.h>

#include "engine/host.h"
#include "engine/watch.h"
#include "hooks.h"
#include "preload.h"
#include "record.h"
#include "sys/page.h"

/* from this size on, the kernel may refuse to charge a whole reservation */
#define LARGE_RESERVATION ((SIZE_T)256 << 20)

int wine_has_watches, wine_has_kernel_watches;

static const char uncommittable[] = "the kernel would not let the program commit all of it";

/***********************************************************************
 *           leave_to_wine
 *
 * Notes that Wine watches some memory itself; logs the first time.
 */
static void leave_to_wine( const char *reason )
{
    static int logged;

    wine_has_watches = 1;
    if (!logged++) log_line( "Wine watches some memory itself: %s", reason );
}

static void log_refusal( const char *reason )
{
    static int logged;

    if (!logged++) log_line( "memory to be watched is refused: %s", reason );
}

/***********************************************************************
 *           may_leave_to_wine
 *
 * Returns whether Wine may watch memory that could not be charged. If not, the allocation fails.
 */
int may_leave_to_wine(void)
{
    if (!wine_has_kernel_watches) return 1;
    log_refusal( uncommittable );
    return 0;
}

/***********************************************************************
 *           could_be_charged
 *
 * Returns whether the kernel would let the program commit all of a reservation. It always does
 * unless vm.overcommit_memory is 2. Then it charges our memory when the program commits it, but
 * stock Wine's memory page by page as the program writes. An allocation that commits at once needs
 * no test here: end_allocation() notices the refusal. Nor does one in a Wine with kernel watches,
 * whose memory is charged as ours is.
 */
int could_be_charged( ULONG type, SIZE_T size )
{
    void *ptr;

    if ((type & MEM_COMMIT) || size < LARGE_RESERVATION || wine_has_kernel_watches) return 1;
    ptr = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0 );
    if (ptr == MAP_FAILED) return 0;
    munmap( ptr, size );
    return 1;
}

struct thread_state begin_hook(void)
{
    struct thread_state outer = { decommitting, allocating };

    decommitting = 0;
    allocating = ALLOCATION_NONE;
    return outer;
}

void end_hook( struct thread_state outer )
{
    decommitting = outer.decommitting;
    allocating = outer.allocating;
}

/***********************************************************************
 *           concerns_us
 *
 * Returns whether an allocation may need our work. A process handle other than the current process
 * does not: the request arrives in the target as a call for itself.
 */
int concerns_us( HANDLE process, ULONG type )
{
    if (process != NtCurrentProcess()) return 0;
    if (is_recording() && type & (MEM_COMMIT | MEM_RESET)) return 1;
    return type & MEM_WRITE_WATCH || (type & MEM_COMMIT && watch_needs_commit());
}

/***********************************************************************
 *           begins_watch
 *
 * Returns whether a call makes a new watched region. MEM_WRITE_WATCH has no effect on a commit of
 * reserved memory, and a placeholder is not memory yet.
 */
int begins_watch( ULONG type, void *base )
{
    if (!(type & MEM_WRITE_WATCH) || type & MEM_RESERVE_PLACEHOLDER) return 0;
    return (type & MEM_RESERVE) || !base;
}

/***********************************************************************
 *           touch_parameters
 *
 * Reads what Wine will read. A fault in Wine's code returns straight to the program, so bad
 * parameters must fault before begin_allocation() has set the thread's state.
 */
void touch_parameters( const void *parameters, ULONG count )
{
    const uint64_t enough = 64, requirements = 1, mask = 0xff;
    const volatile uint64_t *param = parameters;
    const volatile uintptr_t *ptr;
    ULONG i;

    for (i = 0; i < count && i < enough; i++, param += 2)
    {
        if ((param[0] & mask) != requirements || !(ptr = (const uintptr_t *)(uintptr_t)param[1]))
            continue;
        (void)ptr[0];   /* lowest address, highest address, alignment */
        (void)ptr[2];
    }
}

/***********************************************************************
 *           begin_allocation
 *
 * Until end_allocation(), we will watch the memory that Wine maps.
 */
void begin_allocation( ULONG type )
{
    allocating = type & MEM_REPLACE_PLACEHOLDER ? ALLOCATION_IN_PLACEHOLDER : ALLOCATION_NEW;
}

/***********************************************************************
 *           end_allocation
 *
 * Returns whether Wine must allocate again and watch the memory itself, because the kernel refused
 * to charge all of it at once. The caller first frees what Wine allocated, if anything.
 */
int end_allocation( NTSTATUS status, ULONG type )
{
    int refused = allocating == ALLOCATION_REFUSED;

    allocating = ALLOCATION_NONE;
    if (!(type & MEM_COMMIT)) return 0;
    return status ? status == STATUS_NO_MEMORY : refused;
}

/***********************************************************************
 *           left_to_wine
 *
 * Takes the status of a call in which Wine watches memory that could not be charged; returns it.
 */
NTSTATUS left_to_wine( NTSTATUS status )
{
    if (!status) leave_to_wine( uncommittable );
    return status;
}

/***********************************************************************
 *           watch_allocation
 *
 * Starts to watch new memory. What we cannot watch is left to Wine, or refused if Wine would not
 * watch it exactly. If Wine's signal handlers are not recognised, we watch nothing at all.
 */
enum watching watch_allocation( void *base, SIZE_T size )
{
    static int guarded, counted;
    int err;

    if (!guarded)
    {
        if (guard_signals())
        {
            leave_to_wine( "its signal handlers were not recognised" );
            return LEFT_TO_WINE;
        }
        guarded = 1;
    }
    if (!counted)
    {
        change_lock();
        begin_status();
        counted = 1;
        change_unlock();
    }
    if (!(err = watch_add( base, size ))) return WATCHED;
    if (wine_has_kernel_watches)
    {
        log_refusal( strerror( -err ) );
        return REFUSED;
    }
    leave_to_wine( strerror( -err ) );
    return LEFT_TO_WINE;
}

/***********************************************************************
 *           prepare_commit
 *
 * Called before pages of watched memory become accessible to the program. Returns 0, or -errno if
 * the call must fail.
 */
int prepare_commit( ULONG type, void *base, SIZE_T size )
{
    uintptr_t start, end;

    if (!(type & MEM_COMMIT) || !watch_needs_commit()) return 0;
    start = round_down( (uintptr_t)base );
    end = round_up( (uintptr_t)base + size );
    /* Wine refuses a range that wraps around */
    return start && end > start ? watch_commit( (void *)start, end - start ) : 0;
}

int is_watched_page( void *addr )
{
    return watch_contains( (void *)round_down( (uintptr_t)addr ), page_size() );
}

/***********************************************************************
 *           record_allocation
 *
 * Records what NtAllocateVirtualMemory has done, if that concerns memory that we watch. In
 * Windows' order: MEM_RESET is the only type of its call.
 */
void record_allocation( ULONG type, int begins, void *base, SIZE_T size )
{
    if (begins)
    {
        if (is_watched_page( base )) record_change( RECORD_ALLOC, base, size, type );
    }
    else if (watch_overlaps( (void *)round_down( (uintptr_t)base ), round_up( size )))
        record_change( type & MEM_RESET ? RECORD_DISCARD : RECORD_COMMIT, base, size, 0 );
}
