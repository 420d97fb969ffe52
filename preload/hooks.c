/*
 * What the hooks of both calling conventions decide alike
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "hooks.h"
#include "page.h"
#include "preload.h"
#include "watch.h"

int wine_has_watches;

/***********************************************************************
 *           begins_watch
 *
 * Whether a call makes a new watched region. The flag on a commit of reserved memory means nothing,
 * and a placeholder is not memory yet. What another process asks for arrives as a call of ours.
 */
int begins_watch( HANDLE process, ULONG type, void **base )
{
    if (process != NtCurrentProcess() || !(type & MEM_WRITE_WATCH)) return 0;
    if (type & MEM_RESERVE_PLACEHOLDER) return 0;
    return (type & MEM_RESERVE) || !*base;
}

/***********************************************************************
 *           watch_allocation
 *
 * Returns 0 if Wine must watch this memory itself.
 */
int watch_allocation( void *base, SIZE_T size )
{
    static int guarded, told;
    int err = 0;

    if (!guarded)
    {
        if (guard_signals()) err = -1;
        else guarded = 1;
    }
    if (!err && !(err = watch_add( base, size ))) return 1;

    wine_has_watches = 1;
    if (!told++)
        log_line( "Wine watches some memory itself: %s",
                  guarded ? strerror( -err ) : "its signal handlers were not recognised" );
    return 0;
}

/***********************************************************************
 *           prepare_commit
 *
 * Before Wine commits pages of memory that is watched already. What another process asks for
 * arrives as a call of ours. Returns 0, or -errno if the call must fail.
 */
int prepare_commit( HANDLE process, ULONG type, void **base, SIZE_T *size )
{
    uintptr_t start, end;

    if (!(type & MEM_COMMIT) || process != NtCurrentProcess() || !watch_needs_commit()) return 0;
    start = round_down( (uintptr_t)*base );
    end = round_up( (uintptr_t)*base + *size );
    /* Wine refuses what wraps around */
    return start && end > start ? watch_commit( (void *)start, end - start ) : 0;
}

/***********************************************************************
 *           decommits_watched
 */
int decommits_watched( HANDLE process, ULONG type, void **addr )
{
    if (process != NtCurrentProcess() || type != MEM_DECOMMIT) return 0;
    return watch_contains( (void *)round_down( (uintptr_t)*addr ), page_size() );
}
