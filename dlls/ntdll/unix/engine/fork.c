/*
 * Children by fork()
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/backend.h"
#include "engine/fork.h"
#include "engine/give_way.h"
#include "engine/host.h"
#include "engine/region_object.h"
#include "engine/step.h"
#include "engine/watch.h"
#include "scan/noted_run.h"
#include "sys/kernel_api.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"

/* What a child inherits is of no use to it: a userfaultfd and a pagemap mean the memory of the
 * parent for ever, its own memory is registered nowhere, and threads that were in the middle of
 * something are not there. To ask through such a descriptor would be to take the parent's pages.
 *
 * So the forking thread takes all locks before, which leaves the index of regions, and what changes
 * under a lock, complete in the child. It does not wait for queries and faults, as the kernel or
 * the C library may meet a fault of watched memory (a stack) before all is done: their steps and
 * locks are counted and taken by threads that the child does not have, and are cleared there. Then
 * each backend opens descriptors of its own and each region is watched anew. Which pages were
 * written the child cannot know: all that may have been are, until it resets them. */

static volatile int always_ours = FORK_OURS;
const volatile int *fork_state = &always_ours;

static volatile int *state = &always_ours;   /* the same, to be changed */
static char notice[160];

/***********************************************************************
 *           note_failure
 */
static void note_failure( const struct watch_region *region, int err )
{
    if (*notice) return;
    snprintf( notice, sizeof(notice), "%s cannot watch inherited memory in this child: %s",
              region->backend->name, strerror( -err ));
}

/***********************************************************************
 *           adopt_region
 *
 * Memory that the program mapped itself counts as written as a whole; of other memory what has
 * contents does, which the backend finds. The bitmap has what was dropped.
 */
static void adopt_region( struct watch_region *region )
{
    /* the program may drop what it has mapped itself: nothing is kept of its blocks */
    int kept = region->blocks.count || region->blocks.noted != NOTED_NEVER, ret;

    /* watched no more in the parent, and what is there may not be what was */
    if (region->lost & 2)
    {
        region->lost = 2;
        return;
    }
    ret = reopened_backend( region->backend );
    blocks_close( &region->blocks );
    if (region->kind != REGION_FRESH) mark_region_written( region, region->base, region->end );
    if (!ret) ret = region->backend->reattach( region );
    if (!kept)
    {
        blocks_close( &region->blocks );
        region->blocks.noted = NOTED_NEVER;
    }
    if (!ret) return;
    region->lost = 2;
    note_failure( region, ret );
}

/* prepares what the program has access to already: a callback of maps_for_all() */
static int commit_mapping( uintptr_t start, uintptr_t end, int prot )
{
    struct watch_region *region;
    int ret;

    if (!prot) return 0;
    for (; (region = region_first( start, end )); start = region->end)
    {
        if (!region->backend->commit || region->lost & 2) continue;
        ret = region->backend->commit( region, region->base > start ? region->base : start,
                                       region->end < end ? region->end : end );
        if (!ret) continue;
        region->lost = 2;
        note_failure( region, ret );
    }
    return 0;
}

/***********************************************************************
 *           adopt
 *
 * In the child, by its only thread; what runs on watched memory may meet faults meanwhile.
 */
static void adopt(void)
{
    struct watch_region *region;
    uintptr_t addr;
    int ret;

    give_way_to_none();
    *notice = 0;
    regions_without_steps();
    reopen_backends();
    for (addr = 0; (region = region_first( addr, ~(uintptr_t)0 )); addr = region->end)
        adopt_region( region );
    if (!watch_needs_commit() || !(ret = maps_for_all( commit_mapping ))) return;
    for (addr = 0; (region = region_first( addr, ~(uintptr_t)0 )); addr = region->end)
    {
        if (!region->backend->commit) continue;
        region->lost = 2;
        note_failure( region, ret );
    }
}

/***********************************************************************
 *           fork_before_fault
 */
void fork_before_fault(void)
{
    if (*state != FORK_CHILD) return;
    *state = FORK_FAULT;
    adopt();
}

static void go_on_in_parent(void)
{
    unlock_after_fork( 0 );
}

/* where the kernel does not clear the state it says nothing */
static void go_on_in_child(void)
{
    if (*state != FORK_FAULT)
    {
        *state = FORK_FAULT;
        adopt();
    }
    *state = FORK_OURS;
    unlock_after_fork( 1 );
}

/***********************************************************************
 *           fork_register
 */
int fork_register(void)
{
    static int registered;
    int ret = registered ? 0 : pthread_atfork( lock_for_fork, go_on_in_parent, go_on_in_child );

    if (!ret) registered = 1;
    return -ret;
}

/***********************************************************************
 *           fork_open
 */
int fork_open(void)
{
    int ret = fork_register();
    long page;

    if (ret || state != &always_ours) return ret;
    page = raw_mmap_anon( page_size() );
    if (raw_failed( page )) return page;
    if (raw_syscall3( SYS_madvise, page, page_size(), MADV_WIPEONFORK ))
    {
        raw_munmap( (void *)page, page_size() );
        return 0;
    }
    state = (volatile int *)page;
    *state = FORK_OURS;
    __atomic_store_n( &fork_state, state, __ATOMIC_RELEASE );
    return 0;
}

/***********************************************************************
 *           fork_notice
 */
const char *fork_notice(void)
{
    return notice;
}
