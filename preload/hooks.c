/*
 * What the hooks of both calling conventions decide alike
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>
#include <sys/mman.h>

#include "engine/watch.h"
#include "hooks.h"
#include "preload.h"
#include "sys/page.h"

/* a reservation that may be too large to be charged all at once */
#define LARGE_RESERVATION ((SIZE_T)256 << 20)

int wine_has_watches;

static const char uncommittable[] = "the kernel would not let the program commit all of it";

/***********************************************************************
 *           leave_to_wine
 *
 * Some memory is watched by Wine itself; says so once.
 */
static void leave_to_wine( const char *reason )
{
    static int told;

    wine_has_watches = 1;
    if (!told++) log_line( "Wine watches some memory itself: %s", reason );
}

/***********************************************************************
 *           could_be_charged
 *
 * Whether the kernel would let the program commit all of a reservation. It always does unless
 * vm.overcommit_memory is 2: then memory of ours is charged when it is committed, where stock
 * Wine's is page by page as it is written. What is committed at once is tried.
 */
int could_be_charged( ULONG type, SIZE_T size )
{
    void *ptr;

    if ((type & MEM_COMMIT) || size < LARGE_RESERVATION) return 1;
    ptr = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0 );
    if (ptr == MAP_FAILED) return 0;
    munmap( ptr, size );
    return 1;
}

/***********************************************************************
 *           begin_hook
 */
struct thread_state begin_hook(void)
{
    struct thread_state outer = { decommitting, allocating };

    decommitting = 0;
    allocating = ALLOCATION_NONE;
    return outer;
}

/***********************************************************************
 *           end_hook
 */
void end_hook( struct thread_state outer )
{
    decommitting = outer.decommitting;
    allocating = outer.allocating;
}

/***********************************************************************
 *           concerns_us
 *
 * Whether an allocation may need anything of us: by itself, as another process' arrives as a call of
 * ours.
 */
int concerns_us( HANDLE process, ULONG type )
{
    if (process != NtCurrentProcess()) return 0;
    return type & MEM_WRITE_WATCH || (type & MEM_COMMIT && watch_needs_commit());
}

/***********************************************************************
 *           begins_watch
 *
 * Whether a call makes a new watched region. The flag on a commit of reserved memory means nothing,
 * and a placeholder is not memory yet.
 */
int begins_watch( ULONG type, void *base )
{
    if (!(type & MEM_WRITE_WATCH) || type & MEM_RESERVE_PLACEHOLDER) return 0;
    return (type & MEM_RESERVE) || !base;
}

/***********************************************************************
 *           touch_parameters
 *
 * Wine returns to the program from a fault where it is. For bad parameters that must be before we
 * have noted what it is called for.
 */
void touch_parameters( const void *parameters, ULONG count )
{
    const uint64_t enough = 64, requirements = 1, mask = 0xff;
    const volatile uint64_t *param = parameters, *ptr;
    ULONG i;

    for (i = 0; i < count && i < enough; i++, param += 2)
    {
        if ((param[0] & mask) != requirements || !(ptr = (const uint64_t *)(uintptr_t)param[1]))
            continue;
        (void)ptr[0];   /* lowest address, highest address, alignment */
        (void)ptr[2];
    }
}

/***********************************************************************
 *           begin_allocation
 *
 * From here to end_allocation() what Wine maps is to be watched by us.
 */
void begin_allocation( ULONG type )
{
    allocating = type & MEM_REPLACE_PLACEHOLDER ? ALLOCATION_IN_PLACEHOLDER : ALLOCATION_NEW;
}

/***********************************************************************
 *           end_allocation
 *
 * Returns whether Wine shall try again, and watch the memory itself, because the kernel did not let
 * us charge all of it at once. What it allocated, if it did, must be given back before.
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
 * With what it came to when Wine was asked to watch memory that could not be charged.
 */
NTSTATUS left_to_wine( NTSTATUS status )
{
    if (!status) leave_to_wine( uncommittable );
    return status;
}

/***********************************************************************
 *           watch_allocation
 *
 * Returns 0 if Wine must watch this memory itself.
 */
int watch_allocation( void *base, SIZE_T size )
{
    static int guarded;
    int err = 0;

    if (!guarded)
    {
        if (guard_signals()) err = -1;
        else guarded = 1;
    }
    if (!err && !(err = watch_add( base, size ))) return 1;

    leave_to_wine( guarded ? strerror( -err ) : "its signal handlers were not recognised" );
    return 0;
}

/***********************************************************************
 *           prepare_commit
 *
 * Before Wine commits pages of memory that is watched already. Returns 0, or -errno if the call
 * must fail.
 */
int prepare_commit( ULONG type, void *base, SIZE_T size )
{
    uintptr_t start, end;

    if (!(type & MEM_COMMIT) || !watch_needs_commit()) return 0;
    start = round_down( (uintptr_t)base );
    end = round_up( (uintptr_t)base + size );
    /* Wine refuses what wraps around */
    return start && end > start ? watch_commit( (void *)start, end - start ) : 0;
}

/***********************************************************************
 *           is_watched_page
 */
int is_watched_page( void *addr )
{
    return watch_contains( (void *)round_down( (uintptr_t)addr ), page_size() );
}
