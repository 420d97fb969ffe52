/*
 * Changing the size and the place of watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>

#include "writewatch.h"

#include "native/failure.h"
#include "native/process.h"
#include "sys/page.h"
#include "track/move.h"

static int map_anew( uintptr_t start, size_t old_size, size_t size, int flags, uintptr_t *place )
{
    void *mapped = mremap( (void *)start, old_size, size, flags );

    if (mapped == MAP_FAILED) return -errno;
    *place = (uintptr_t)mapped;
    return 0;
}

static int watch_as_before( const struct moved_state *state, uintptr_t start, size_t size )
{
    return process_watch( (void *)start, size, state->kind, state->shift );
}

/* what is added becomes a region of its own, in which nothing is written */
static int watch_rest( const struct moved_state *state, uintptr_t start, size_t size )
{
    return watch_as_before( state, start + state->size, size - state->size );
}

/* The last page grows, so that it does not matter how many mappings the range has. What is there
 * stays watched meanwhile. */
static int grow( const struct moved_state *state, size_t size )
{
    size_t granule = (size_t)1 << state->shift;
    uintptr_t last = state->start + state->size - granule, place;
    int ret;

    if ((ret = map_anew( last, granule, size - state->size + granule, 0, &place ))) return ret;
    if ((ret = watch_rest( state, state->start, size )))
        map_anew( last, size - state->size + granule, granule, 0, &place );
    return ret;
}

/***********************************************************************
 *           move
 *
 * Takes the watch away, has the kernel map the memory anew, and watches it again. Where the kernel
 * refuses, what is known of the memory is as before. A part of a region is one of its own from then
 * on: the rest was watched meanwhile, and joining them would lose what is written just then. Sets
 * *place if the memory has moved, also on failure.
 */
static int move( struct moved_state *state, size_t size, int flags, uintptr_t *place )
{
    int ret, err;

    if ((ret = move_take( state ))) return ret;
    ret = map_anew( state->start, state->size, size, flags, place );
    err = watch_as_before( state, *place, state->size );
    move_give( state, *place );   /* what is not watched gets nothing */
    if (err) return err;
    return ret ? ret : watch_rest( state, *place, size );
}

/***********************************************************************
 *           writewatch_remap
 *
 * mremap() for watched memory that the program has mapped itself and that lies in one region:
 * written state stays, for queries and for trackers that follow both places. What is added is a
 * region of its own. flags are 0 or MREMAP_MAYMOVE; *addr is the new address. Whole pages. Takes
 * the engine's lock for changes. No other thread may use memory that moves; with mprotect and
 * softdirty no other thread may write to memory that grows.
 *
 * Errors: -EINVAL (not whole pages, or other flags), -ENOENT (not in one region), -EOPNOTSUPP
 * (memory from VirtualAlloc), those of mremap(), and then the memory is where it was, with its
 * written state (a part of a region that had to move may have become a region of its own); -ENOMEM,
 * if a region cannot be split, and then all queries of it fail; those of writewatch_watch(), and
 * then *addr is where the memory is, and the part that could not be watched is not watched.
 */
int writewatch_remap( void **addr, size_t old_size, size_t size, int flags )
{
    uintptr_t start = (uintptr_t)*addr, place = start;
    struct moved_state state;
    int ret;

    process_init();
    if (!old_size || !size || start + old_size < start || start + size < start ||
        flags & ~MREMAP_MAYMOVE || (start | old_size | size) & (page_size() - 1))
        return failed( __func__, -EINVAL, NULL );
    if ((ret = move_look( &state, start, old_size ))) return failed( __func__, ret, NULL );
    if (state.kind == REGION_FRESH) return failed( __func__, -EOPNOTSUPP, NULL );
    if ((old_size | size) & (((size_t)1 << state.shift) - 1))
        return failed( __func__, -EINVAL, NULL );
    if (size < old_size)
    {
        if (!(ret = watch_detach( (void *)(start + size), old_size - size )) &&
            munmap( (void *)(start + size), old_size - size )) ret = -errno;
    }
    else if (size > old_size)
    {
        ret = state.has_protection ? -ENOMEM : grow( &state, size );
        if (ret == -ENOMEM && (flags || state.has_protection))
            ret = move( &state, size, flags, &place );
        *addr = (void *)place;
    }
    return returned( __func__, ret );
}
