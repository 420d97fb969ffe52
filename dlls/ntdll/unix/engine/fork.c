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
#include "engine/fork_state.h"
#include "engine/give_way.h"
#include "engine/host.h"
#include "engine/region_object.h"
#include "sys/kernel_api.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "sys/proc_files.h"
#include "sys/raw_syscall.h"

/* A child cannot use what it inherits: a userfaultfd and a pagemap refer to the parent's memory
 * forever, the child's own memory is not registered, and threads that were in the middle of
 * something do not exist. A query through such a descriptor would reset pages of the parent.
 *
 * So the forking thread takes all locks first, which leaves the index of regions, and everything
 * that changes under a lock, complete in the child. It does not wait for queries and faults, as the
 * kernel or the C library may fault on watched memory (a stack) before fork() is done: their steps
 * and locks belong to threads that the child does not have, and are cleared there. Then each
 * backend opens its own descriptors and each region is watched anew. The child cannot know which
 * pages were written: all that may have been are reported, until it resets them. */

static char notice[160];

static void note_failure( const struct watch_region *region, int err )
{
    if (*notice) return;
    snprintf( notice, sizeof(notice), "%s cannot watch inherited memory in this child: %s",
              region->backend->name, strerror( -err ));
}

/* the marks have what was dropped, the backend finds what has contents */
static void adopt_region( struct watch_region *region )
{
    int ret;

    /* the parent no longer watches it, and may have other memory there */
    if (region->lost & LOST_MEMORY)
    {
        region->lost = LOST_MEMORY;
        return;
    }
    if (!(ret = reopened_backend( region->backend )) &&
        !(ret = region->backend->reattach( region ))) return;
    region->lost = LOST_MEMORY;
    note_failure( region, ret );
}

static int some_need_commit(void)
{
    struct watch_region *region;
    uintptr_t addr;

    for (addr = 0; (region = region_first( addr, ~(uintptr_t)0 )); addr = region->end)
        if (region->backend->commit) return 1;
    return 0;
}

/* prepares memory that is accessible already: a callback of maps_for_all() */
static int commit_mapping( uintptr_t start, uintptr_t end, int prot )
{
    struct watch_region *region;
    int ret;

    if (!prot) return 0;
    for (; (region = region_first( start, end )); start = region->end)
    {
        if (!region->backend->commit || region->lost & LOST_MEMORY) continue;
        ret = region->backend->commit( region, region->base > start ? region->base : start,
                                       region->end < end ? region->end : end );
        if (!ret) continue;
        region->lost = LOST_MEMORY;
        note_failure( region, ret );
    }
    return 0;
}

/* Called in the child, by its only thread. Code that runs on watched memory may fault meanwhile. */
static void adopt(void)
{
    struct watch_region *region;
    uintptr_t addr;
    int ret;

    give_way_to_none();
    *notice = 0;
    regions_without_steps();
    proc_keep_in_child();
    reopen_backends();
    for (addr = 0; (region = region_first( addr, ~(uintptr_t)0 )); addr = region->end)
        adopt_region( region );
    if (!some_need_commit() || !(ret = maps_for_all( commit_mapping ))) return;
    for (addr = 0; (region = region_first( addr, ~(uintptr_t)0 )); addr = region->end)
    {
        if (!region->backend->commit) continue;
        region->lost = LOST_MEMORY;
        note_failure( region, ret );
    }
}

void fork_before_fault(void)
{
    if (*fork_state != FORK_CHILD) return;
    *fork_state = FORK_FAULT;
    adopt();
}

static void go_on_in_parent(void)
{
    unlock_after_fork( 0 );
}

/* the state may still be FORK_OURS, where the kernel does not clear it */
static void go_on_in_child(void)
{
    if (*fork_state != FORK_FAULT)
    {
        *fork_state = FORK_FAULT;
        adopt();
    }
    *fork_state = FORK_OURS;
    unlock_after_fork( 1 );
}

int fork_register(void)
{
    static int registered;
    int ret = registered ? 0 : pthread_atfork( lock_for_fork, go_on_in_parent, go_on_in_child );

    if (!ret) registered = 1;
    return -ret;
}

int fork_open(void)
{
    static int opened;
    int ret = fork_register();
    long page;

    if (ret || opened) return ret;
    page = raw_mmap_anon( page_size() );
    if (raw_failed( page )) return page;
    if (raw_syscall3( SYS_madvise, page, page_size(), MADV_WIPEONFORK ))
    {
        raw_munmap( (void *)page, page_size() );
        return 0;
    }
    *(volatile int *)page = FORK_OURS;
    __atomic_store_n( &fork_state, (volatile int *)page, __ATOMIC_RELEASE );
    opened = 1;
    return 0;
}

const char *fork_notice(void)
{
    return notice;
}
