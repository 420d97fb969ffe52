/*
 * What the backends share that write-protect pages with userfaultfd
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
#include "fault/look.h"
#include "fault/userfault.h"
#include "fault/userfault_calls.h"
#include "sys/advise.h"
#include "sys/page.h"
#include "sys/pagemap.h"
#include "sys/raw_syscall.h"
#include "sys/unregister.h"
#include "sys/wait_turn.h"

#define MAX_TURNS (2 * TURNS_BEFORE_SLEEP)

/***********************************************************************
 *           write_protect
 *
 * Protects or opens any pages. Older kernels (6.1) refuse a range of more than one mapping, which
 * pages of different protection are, so the range is halved until it fits. While the program unmaps
 * memory that the thread backend watches, the kernel answers EAGAIN until the backend's thread has
 * read the message. That thread may be waiting for this one, so this fails in the end.
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
 * Whether the first use of a missing page is a fault that the backend serves. The program may drop
 * memory that it has mapped itself by madvise(), and the kernel forgets the protection of a private
 * page with the page: no other fault would report the next write to it. Memory from VirtualAlloc is
 * dropped only by the library.
 */
static int serves_missing( const struct userfault *uf, const struct watch_region *region )
{
    return uf->missing || region->kind == REGION_ANONYMOUS;
}

/***********************************************************************
 *           userfault_attach
 *
 * Keeps transparent huge pages out, as the scan backend does. Memory that has huge pages all the
 * same cannot be protected one page at a time: EOPNOTSUPP. So does memory of huge pages before
 * Linux 6.4, where missing pages have to be filled: the kernel has no zeros of that size to place.
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
        /* a part may be registered, but nothing that another userfaultfd owns */
        if (ret != -EBUSY) userfault_detach( uf, region, region->base, region->end );
        return ret;
    }

    if ((ret = write_protect( uf, region->base, region->base + granule, 1 )) == -EINVAL)
        ret = -EOPNOTSUPP;
    if (!ret) ret = write_protect( uf, region->base, region->end, 1 );
    if (ret) userfault_detach( uf, region, region->base, region->end );
    return ret;
}

/* whether an access can go on, as far as the backend is concerned */
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
 * The kernel opens the pages and wakes the threads that wait for them. If it refuses, the pages are
 * opened as for a write and missing ones are filled, so that no thread raises a fault that would
 * not be served.
 */
void userfault_detach( struct userfault *uf, const struct watch_region *region, uintptr_t start,
                       uintptr_t end )
{
    uintptr_t page;

    fault_forget();
    if (unregister_own( uf->fd, start, end, (size_t)1 << region->shift ))
    {
        write_protect( uf, start, end, 0 );
        if (serves_missing( uf, region ))
            for (page = start; page < end; page += page_size()) fill_open( uf, page );
        wake_threads( uf, start, end - start );
    }
    fault_forget();
}

int userfault_give_up( struct userfault *uf, struct watch_region *region, uintptr_t start,
                       uintptr_t end )
{
    int ret;

    __atomic_fetch_or( &region->lost, LOST_MEMORY, __ATOMIC_SEQ_CST );
    region_mark_written( region, start, end );
    /* this wakes threads that wait for a protected page; unregistering, those for a missing one */
    ret = change_protection( uf, start, end - start, 0 );
    if (!unregister_own( uf->fd, start, end, (size_t)1 << region->shift )) return 1;
    return !ret && (!serves_missing( uf, region ) || is_open( uf, region, start, FAULT_WRITE ));
}

/* memory that is no longer registered was mapped over */
int userfault_arm( struct userfault *uf, uintptr_t start, uintptr_t end )
{
    int ret = write_protect( uf, start, end, 1 );

    return ret == -ENOENT ? -EPERM : ret;
}

/***********************************************************************
 *           userfault_reattach
 *
 * No page is protected yet, so an entry that says swapped is a swapped page and no marker.
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
 *           userfault_look
 *
 * A page that is dropped loses its protection with its entry, and has none when it comes back,
 * unless the backend serves that: see note_filled in engine/backend.h. A protected entry without a
 * page may be one that is swapped out, or was never touched.
 */
int userfault_look( struct watch_region *region, struct page_scan *scan )
{
    uint64_t entries[512];
    long count = (scan->end - scan->start) >> page_shift;

    (void)region;
    if (count > 512) count = 512;
    if ((count = userfault_read_pagemap( scan->start, count, entries )) <= 0) return -EIO;
    return look_at_entries( scan, entries, count, PM_UFFD_WP );
}

/***********************************************************************
 *           userfault_discard
 *
 * The kernel forgets the protection of a page with the page, so the pages are armed again. A page
 * that is present afterwards was written or read in between, and counts as written. A missing page
 * needs no arming where its first use is a fault.
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

            /* dropping pages of shared memory keeps their contents */
            if ((entries[i] & PM_PRESENT) && !(entries[i] & PM_FILE))
                region_mark_written( region, page, page + page_size() );
        }
    }
    return 0;

failed:
    region_mark_written( region, start, end );
    return ret;
}

/* Whether a marked page is protected all the same, as trackers need it. */
static int is_armed( uintptr_t page )
{
    uint64_t entry;

    return userfault_read_pagemap( page, 1, &entry ) != 1 || entry & PM_UFFD_WP;
}

/* the end of the pages that are like the first one */
static uintptr_t same_state( struct watch_region *region, struct page_marks *marks, uintptr_t start,
                             int *armed )
{
    uintptr_t granule = (uintptr_t)1 << region->shift;
    uintptr_t end = marks_next( marks, start, region->end );

    *armed = 1;
    if (end > start) return end;
    *armed = region->trackers && is_armed( start );
    for (end = start + granule; end < region->end && marks_peek( marks, end, end + granule );
         end += granule)
        if (region->trackers && is_armed( end ) != *armed) break;
    return end;
}

/***********************************************************************
 *           userfault_verify
 *
 * Protects the pages that are protected and opens those that are open. The kernel refuses that for
 * memory that is not registered. Faults wait meanwhile.
 */
int userfault_verify( struct userfault *uf, struct watch_region *region )
{
    struct page_marks *marks = region_marks( region );
    uintptr_t start, end;
    int armed, ret = marks ? 0 : -ENOMEM;

    fault_hold( region );
    for (start = region->base; !ret && start < region->end; start = end)
    {
        end = same_state( region, marks, start, &armed );
        ret = write_protect( uf, start, end, armed );
    }
    fault_release( region );
    return ret == -ENOENT || ret == -EINVAL ? -EPERM : ret;
}

/***********************************************************************
 *           userfault_capabilities
 *
 * Shared pages and those of files keep their protection when they are dropped; private anonymous
 * ones need that their first use is a fault.
 */
unsigned int userfault_capabilities( const struct userfault *uf, const struct watch_region *region,
                                     int anonymous )
{
    if (!anonymous || (region && serves_missing( uf, region ))) return CAN_BE_EXACT | CAN_DROP;
    return CAN_BE_EXACT | (uf->missing ? CAN_DROP : 0);
}

/***********************************************************************
 *           wait_for_unmapping
 *
 * For the thread of the thread backend, which gets EAGAIN: it has to read the message about the
 * unmapping itself, and then the thread that unmaps must run. So it goes on, and reads the fault
 * again a millisecond later. After MAX_REPEATS of these it is a fault like any other.
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
 * A missing page that is read must be protected by the call that fills it, or a write could slip
 * in. The shared page of zeros cannot be placed protected, so this costs a page of its own.
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
        else if (!ret && region->backend->note_filled)
            region->backend->note_filled( region, start, end );
        if (!ret || (ret == -EEXIST && !(flags & FAULT_WRITE))) return 1;
        /* the memory was detached meanwhile */
        if (ret == -ENOENT) return 0;
        if (ret != -EEXIST) return userfault_give_up( uf, region, start, end );
    }
    if (!(flags & FAULT_WRITE)) return 0;
    if ((ret = protect_pages( uf, start, end - start, 0 )) == -ENOENT)
    {
        /* the memory was detached meanwhile and is being watched again: no thread waits */
        if (is_open( uf, region, start, flags )) return 0;
        ret = protect_pages( uf, start, end - start, 0 );
    }
    /* the page may still be missing, and would fault again */
    if (!ret && !uf->missing && serves_missing( uf, region ) &&
        (ret = fill_open( uf, start )) == -EEXIST) ret = 0;
    /* even on failure: the page may be open all the same */
    region_mark_written( region, start, end );
    if (!ret) return 1;
    if (ret == -EAGAIN && !(flags & FAULT_REPEAT) &&
        !(__atomic_load_n( &region->lost, __ATOMIC_SEQ_CST ) & LOST_MEMORY))
        return wait_for_unmapping();
    return userfault_give_up( uf, region, start, end );
}
