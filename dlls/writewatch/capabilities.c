/*
 * What a region's backend can do
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "writewatch.h"

#include "engine/fork_state.h"
#include "engine/region.h"
#include "engine/watch.h"
#include "native/failure.h"
#include "native/process.h"
#include "sys/maps.h"
#include "sys/page.h"

_Static_assert( WRITEWATCH_CAN_SYSCALLS == CAN_SYSCALLS &&
                WRITEWATCH_CAN_BLOCK_SIGNALS == CAN_BLOCK_SIGNALS &&
                WRITEWATCH_CAN_DROP == CAN_DROP && WRITEWATCH_CAN_FILL == CAN_FILL &&
                WRITEWATCH_CAN_LIST_ZERO == CAN_LIST_ZERO &&
                WRITEWATCH_CAN_LIST_SWAPPED == CAN_LIST_SWAPPED &&
                WRITEWATCH_CAN_BE_EXACT == CAN_BE_EXACT &&
                WRITEWATCH_CAN_SEE_REPLACED == CAN_SEE_REPLACED, "the engine's values" );

/* what the mappings of a region are */
struct contents
{
    int anonymous;   /* some of it is private and anonymous */
    int shared;      /* some of it is shared */
    int unfillable;  /* some of it has no missing pages: it is of a file */
};

/***********************************************************************
 *           can_fill
 *
 * Only the kernel knows whether memory of a file is a file's on a disk. It is asked to place a page
 * that cannot be read: it refuses to place anything in such memory before it looks at that.
 */
static int can_fill( struct watch_region *region, uintptr_t addr )
{
    size_t size = (size_t)1 << region->shift, filled;
    void *unreadable;
    int ret;

    if (!region->backend->fill) return 0;
    unreadable = mmap( NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0 );
    if (unreadable == MAP_FAILED) return -errno;
    addr &= -size;
    ret = region->backend->fill( region, addr, addr + size, unreadable, &filled );
    munmap( unreadable, size );
    return ret != -EINVAL && ret != -ENOENT;
}

static int read_contents( struct watch_region *region, struct contents *contents )
{
    struct maps_reader reader;
    struct mapping mapping;
    int ret;

    if ((ret = maps_open( &reader, 0 ))) return ret;
    while ((ret = maps_next( &reader, &mapping )) > 0 && mapping.start < region->end)
    {
        if (mapping.end <= region->base) continue;
        if (mapping.shared) contents->shared = 1;
        else if (!mapping.file) contents->anonymous = 1;
        ret = can_fill( region, mapping.start > region->base ? mapping.start : region->base );
        if (ret < 0) break;
        if (!ret) contents->unfillable = 1;
    }
    maps_close( &reader );
    return ret < 0 ? ret : 0;
}

/* gives the caller as much as it has room for, and zeros beyond what is known */
static void store( struct writewatch_capabilities *to, const struct writewatch_capabilities *from )
{
    size_t size = to->size;

    if (size > sizeof(*from))
    {
        memset( (char *)to + sizeof(*from), 0, size - sizeof(*from) );
        size = sizeof(*from);
    }
    memcpy( to, from, size );
}

/***********************************************************************
 *           writewatch_capabilities
 *
 * By any thread; reads the list of mappings. Whether pages of files can be filled is a question of
 * each mapping, and a region can do only what all of its memory can. Errors: -EINVAL (the size is
 * too small), -ENOENT (not watched; NULL: no backend is active), -ENOMEM, and what reading the
 * mappings says.
 */
int writewatch_capabilities( const void *addr, struct writewatch_capabilities *capabilities )
{
    struct writewatch_capabilities ret = { .size = capabilities->size };
    struct contents contents = { 0, 0, 0 };
    const struct watch_backend *backend;
    struct watch_region *region = NULL;
    uintptr_t page;
    int err = 0;

    process_init();
    page = round_down( (uintptr_t)addr );
    if (capabilities->size < offsetof( struct writewatch_capabilities, reserved ))
        return failed( __func__, -EINVAL, NULL );
    if (fork_is_unhandled()) return failed( __func__, -EIO, NULL );
    if (!addr)
    {
        if (!(backend = watch_backend())) return failed( __func__, -ENOENT, process_reason() );
        ret.granularity = page_size();
        contents.anonymous = 1;
    }
    else
    {
        if (!(region = region_get( page, page + page_size() )))
            return failed( __func__, -ENOENT, NULL );
        backend = region->backend;
        ret.granularity = (uint64_t)1 << region->shift;
        err = read_contents( region, &contents );
    }
    ret.flags   = watch_capabilities( backend, region, contents.anonymous );
    ret.backend = backend->name;
    ret.form    = backend->form ? backend->form : "";
    if (region) region_put( region );
    if (err) return failed( __func__, err, NULL );

    if (contents.unfillable) ret.flags &= ~(uint64_t)CAN_FILL;
    /* shared pages that are swapped out have no entry */
    if (contents.shared) ret.flags &= ~(uint64_t)CAN_LIST_SWAPPED;
    store( capabilities, &ret );
    return returned( __func__, 0 );
}
