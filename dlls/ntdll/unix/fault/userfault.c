/*
 * What the backends share that write-protect pages by userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "engine/backend.h"
#include "engine/region.h"
#include "fault/fault.h"
#include "fault/userfault.h"
#include "fault/userfault_calls.h"
#include "sys/advise.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/wait_turn.h"

#define MAX_TURNS (2 * TURNS_BEFORE_SLEEP)

/***********************************************************************
 *           write_protect
 *
 * The same for any pages. Older kernels (6.1) refuse a range of more than one mapping, as pages of
 * different protection are: it is divided until that fits. While the program unmaps watched memory
 * the kernel answers EAGAIN to the backend thread, until its thread has read of that; the thread may
 * wait for us, so this fails in the end.
 */
static int write_protect( struct userfault *uf, uintptr_t start, uintptr_t end, int protect )
{
    uintptr_t len = end - start;
    unsigned int turns = 0;
    int ret;

    while (start < end)
    {
        ret = protect_pages( uf, start, len, protect );
        if (!ret)
        {
            start += len;
            len = end - start;
        }
        else if (ret == -ENOENT && len > page_size()) len = round_up( len / 2 );
        else if (ret == -EAGAIN && turns < MAX_TURNS) wait_turn( &turns );
        else return ret;
    }
    return 0;
}

/***********************************************************************
 *           serves_missing
 *
 * Whether the first use of a missing page is a fault of ours. What the program has mapped itself it
 * may drop by madvise(), and the kernel forgets the protection of a private page with the page: no
 * other fault would tell of the next write to it. What VirtualAlloc has made is dropped by us.
 */
static int serves_missing( const struct userfault *uf, const struct watch_region *region )
{
    return uf->missing || region->kind == REGION_ANONYMOUS;
}

/***********************************************************************
 *           userfault_attach
 *
 * Huge pages are ruled out, as in the scan backend. Memory whose pages are huge all the same cannot
 * be protected a page at a time: EOPNOTSUPP. The same for memory of huge pages before Linux 6.4,
 * where missing pages have to be filled: the kernel has no zeros of that size to place.
 */
int userfault_attach( struct userfault *uf, struct watch_region *region )
{
    uintptr_t granule = (uintptr_t)1 << region->shift;
    size_t size = region->end - region->base;
    int ret;

    if (uf->missing && region->shift != page_shift) return -EOPNOTSUPP;
    if (!region_marks( region )) return -ENOMEM;
    if ((ret = advise( (void *)region->base, size, MADV_NOHUGEPAGE )) && ret != -EINVAL) return ret;

    if ((ret = register_pages( uf, region->base, size, UFFDIO_REGISTER_MODE_WP |
                               (serves_missing( uf, region ) ? UFFDIO_REGISTER_MODE_MISSING : 0) )))
    {
        /* a part may be registered; but not what another one owns */
        if (ret != -EBUSY) userfault_detach( uf, region, region->base, region->end );
        return ret;
    }

    if ((ret = write_protect( uf, region->base, region->base + granule, 1 )) == -EINVAL)
        ret = -EOPNOTSUPP;
    if (!ret) ret = write_protect( uf, region->base, region->end, 1 );
    if (ret) userfault_detach( uf, region, region->base, region->end );
    return ret;
}

/* whether nothing keeps the access from going on, as far as we are concerned */
static int is_open( const struct userfault *uf, const struct watch_region *region,
                    uintptr_t start, unsigned int flags )
{
    uint64_t entry;

    if (userfault_read_pagemap( start, 1, &entry ) != 1) return 0;
    if (serves_missing( uf, region ) && !(entry & PM_PRESENT)) return 0;
    return !(flags & FAULT_WRITE) || !(entry & PM_UFFD_WP);
}

/***********************************************************************
 *           userfault_detach
 *
 * The kernel opens the pages and wakes who waits for them. If it does not, they are opened as for a
 * write, and those filled that are missing, so that nobody faults who would not be served.
 */
void userfault_detach( struct userfault *uf, const struct watch_region *region, uintptr_t start,
                       uintptr_t end )
{
    uintptr_t page;

    fault_forget();
    if (unregister_pages( uf, start, end - start ))
    {
        write_protect( uf, start, end, 0 );
        if (serves_missing( uf, region ))
            for (page = start; page < end; page += page_size()) fill_open( uf, page );
        wake_threads( uf, start, end - start );
    }
    fault_forget();
}

/***********************************************************************
 *           userfault_give_up
 *
 * Lets pages go that cannot be opened, or whose waiting threads cannot be woken: they are not
 * watched any more, so queries of the region fail from now on. Returns 0 if the kernel
 * refuses that too, and the access cannot go on.
 */
int userfault_give_up( struct userfault *uf, struct watch_region *region, uintptr_t start,
                       uintptr_t end )
{
    int ret;

    __atomic_fetch_or( &region->lost, LOST_MEMORY, __ATOMIC_SEQ_CST );
    region_mark_written( region, start, end );
    /* this wakes who waits for a protected page, and that one who waits for a missing one */
    ret = change_protection( uf, start, end - start, 0 );
    if (!unregister_pages( uf, start, end - start )) return 1;
    return !ret && (!serves_missing( uf, region ) || is_open( uf, region, start, FAULT_WRITE ));
}

/***********************************************************************
 *           userfault_arm
 */
int userfault_arm( struct userfault *uf, uintptr_t start, uintptr_t end )
{
    return write_protect( uf, start, end, 1 );
}

/***********************************************************************
 *           userfault_reattach
 *
 * No page is protected yet, so what the kernel calls swapped out is that, and no marker.
 */
int userfault_reattach( struct userfault *uf, struct watch_region *region )
{
    uint64_t entries[512];
    uintptr_t addr = region->base;
    long i, count;

    if (region->kind != REGION_FRESH) region_mark_written( region, region->base, region->end );
    for (; region->kind == REGION_FRESH && addr < region->end; addr += count << page_shift)
    {
        count = (region->end - addr) >> page_shift;
        if (count > 512) count = 512;
        if ((count = userfault_read_pagemap( addr, count, entries )) <= 0) return -EIO;
        for (i = 0; i < count; i++)
            if (entries[i] & (PM_PRESENT | PM_SWAP))
                region_mark_written( region, addr + (i << page_shift),
                                    addr + ((i + 1) << page_shift) );
    }
    return userfault_attach( uf, region );
}

/***********************************************************************
 *           userfault_discard
 *
 * The kernel forgets the protection of a page with the page, so it is armed anew. What is there
 * then was written in between, or read: it counts as written. A page that is missing needs no
 * arming where that is a fault.
 */
int userfault_discard( struct userfault *uf, struct watch_region *region, uintptr_t start,
                       uintptr_t end )
{
    uint64_t entries[256];
    uintptr_t addr;
    long i, count;
    int ret;

    if ((ret = discard_pages( start, end ))) return ret;
    if ((ret = write_protect( uf, start, end, 1 ))) goto failed;
    if (serves_missing( uf, region )) return 0;

    for (addr = start; addr < end; addr += (uintptr_t)count << page_shift)
    {
        count = (end - addr) >> page_shift;
        if (count > 256) count = 256;
        if ((count = userfault_read_pagemap( addr, count, entries )) <= 0)
        {
            ret = -EIO;
            goto failed;
        }
        for (i = 0; i < count; i++)
        {
            uintptr_t page = addr + ((uintptr_t)i << page_shift);

            /* dropping leaves the contents of shared memory where they are */
            if ((entries[i] & PM_PRESENT) && !(entries[i] & PM_FILE))
                region_mark_written( region, page, page + page_size() );
        }
    }
    return 0;

failed:
    region_mark_written( region, start, end );
    return ret;
}

/***********************************************************************
 *           userfault_verify
 *
 * Protects what is protected and opens what is open, which the kernel refuses for memory that is
 * not registered. Faults wait meanwhile.
 */
int userfault_verify( struct userfault *uf, struct watch_region *region )
{
    uintptr_t start, end, granule = (uintptr_t)1 << region->shift;
    struct page_marks *marks = region_marks( region );
    int ret = marks ? 0 : -ENOMEM;

    fault_hold( region );
    for (start = region->base; !ret && start < region->end; start = end)
    {
        if ((end = marks_next( marks, start, region->end )) > start)
        {
            ret = write_protect( uf, start, end, 1 );
            continue;
        }
        while (end < region->end && marks_peek( marks, end, end + granule )) end += granule;
        ret = write_protect( uf, start, end, 0 );
    }
    fault_release( region );
    return ret == -ENOENT || ret == -EINVAL ? -EPERM : ret;
}

/***********************************************************************
 *           wait_for_unmapping
 *
 * For the backend thread, to which the kernel answers EAGAIN: it is this thread that has to read of
 * the unmapping, and then the thread that unmaps must run. So it goes on, and meets the fault again
 * a millisecond later; after MAX_REPEATS of them it is a fault like any other.
 */
static int wait_for_unmapping(void)
{
    struct timespec time = { 0, 1000000 };

    raw_syscall3( SYS_nanosleep, (uintptr_t)&time, 0, 0 );
    return 1;
}

/***********************************************************************
 *           userfault_fault
 *
 * A missing page that is read must be protected in the step that makes it, or a write could slip
 * in. The shared page of zeros cannot be made that way, so it costs a page of its own.
 */
int userfault_fault( struct userfault *uf, struct watch_region *region, uintptr_t start,
                     uintptr_t end, unsigned int flags )
{
    int ret;

    if ((flags & FAULT_REPEAT) && is_open( uf, region, start, flags )) return 0;
    if (uf->missing || (serves_missing( uf, region ) && !(flags & FAULT_WRITE)))
    {
        ret = flags & FAULT_WRITE ? fill_open( uf, start ) : fill_protected( uf, start );
        if (ret == -EAGAIN && !(flags & FAULT_REPEAT)) return wait_for_unmapping();
        if (!ret && flags & FAULT_WRITE) region_mark_written( region, start, end );
        if (!ret || (ret == -EEXIST && !(flags & FAULT_WRITE))) return 1;
        /* memory that was let go since */
        if (ret == -ENOENT) return 0;
        if (ret != -EEXIST) return userfault_give_up( uf, region, start, end );
    }
    if (!(flags & FAULT_WRITE)) return 0;
    if ((ret = protect_pages( uf, start, end - start, 0 )) == -ENOENT)
    {
        /* a fault of memory that was let go since, and is about to be watched anew: nobody waits */
        if (is_open( uf, region, start, flags )) return 0;
        ret = protect_pages( uf, start, end - start, 0 );
    }
    /* it may still be missing, and would fault again */
    if (!ret && !uf->missing && serves_missing( uf, region ) &&
        (ret = fill_open( uf, start )) == -EEXIST) ret = 0;
    /* also if that failed: the page may be open all the same */
    region_mark_written( region, start, end );
    if (!ret) return 1;
    if (ret == -EAGAIN && !(flags & FAULT_REPEAT) &&
        !(__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) & LOST_MEMORY)) return wait_for_unmapping();
    return userfault_give_up( uf, region, start, end );
}
