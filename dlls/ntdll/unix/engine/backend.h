/*
 * The interface between the engine and what finds out about writes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_BACKEND_H
#define WRITEWATCH_BACKEND_H

#include <stddef.h>
#include <stdint.h>

/* A run of pages, [start, end), as a scan reports them. The layout is the kernel's. */
struct page_run
{
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

/* The kernel holds the lock of the address space during a scan, and other threads' mmap calls
 * wait: 1 GiB of written pages in one call made them wait 15 ms, 32 MiB 0.7 ms at most with what
 * give_way.h does; shorter calls made a reset of 4 GiB no slower (6.18). A page that was not
 * written takes a twentieth of the time: a step may pass over more of those. */
#define MAX_SCAN_PAGES ((size_t)8192)

#define COLLECT_RESET 1

/* What a backend is asked about pages, and what it answers. */
struct page_scan
{
    uintptr_t        start;
    uintptr_t        end;
    unsigned int     flags;       /* COLLECT_RESET */
    uint64_t         required;    /* categories, for list() */
    struct page_run *runs;        /* where the answer goes, ascending */
    size_t           len;         /* room for so many of them, > 0 */
    size_t           max_pages;   /* with at most so many pages in all, > 0 */
    uintptr_t        next;        /* answer: the first address that was not looked at: end, or where
                                   * to go on */
};

#define FAULT_WRITE  1
#define FAULT_REPEAT 2   /* comes back again and again: to be served only if the page really is
                          * not open */

/* Why contents are dropped: the program has no access any more, and commits the pages before it
 * has it again; or it keeps its access (MEM_RESET), and may write at the same time. */
enum discard_reason
{
    DISCARD_DECOMMIT,
    DISCARD_RESET,
};

/* Why a watch ends: the mapping of the pages goes away next, or it stays. */
enum detach_reason
{
    DETACH_UNMAP,
    DETACH_KEEP,
};

struct watch_region;

/* A backend is one file with one const table. All functions return 0 (or a count) on success and
 * -errno on failure, take no lock of the engine, may be called by any thread, and are given page
 * aligned ranges inside a region that attach() was called for, unless they say otherwise.
 *
 * Written state is where a backend has it: in the kernel, which collect_written() asks, or in the
 * region's marks, where a fault puts it (region_mark_written() in region.h); then arm() makes the
 * next write fault again. The engine looks at both, and does not ask which it is. */
struct watch_backend
{
    const char *name;         /* for WRITEWATCH_BACKEND and messages */
    const char *form;         /* which of several tables of that name this is; NULL: the only one */
    const char *mechanism;    /* what it is made of, for people */
    int         automatic;    /* whether it is used without being asked for */

    /* Opens what is needed and proves by a self-test that it behaves; may be called once only. On
     * failure says why in reason, in a form that follows "not active: ". */
    int (*open)( char *reason, size_t len );

    /* In a child by fork(), where descriptors are the parent's and locks may be held by threads
     * that are not there: frees the locks, and opens descriptors anew. One thread. */
    int (*reopen)(void);

    /* After that: watches a region anew that was attached before. What may have been written
     * becomes written. Other threads are gone, and locks of the region are free. */
    int (*reattach)( struct watch_region *region );

    /* In the same child, before any of that: frees the locks in the region's backend_data. NULL:
     * there are none. */
    void (*free_locks)( struct watch_region *region );

    /* Undoes open(), when nothing is attached. */
    void (*close)(void);

    /* Begins to watch the mapped memory of a region, of any protection; what is there counts as not
     * written. The region is in the index already, so that faults find it. Change lock held. */
    int (*attach)( struct watch_region *region );

    /* Hands what the backend keeps of a region on to a part of it, which was made a region of its
     * own. Change lock held. NULL: that is nothing, or it starts anew. */
    void (*split)( struct watch_region *part, const struct watch_region *whole );

    /* Frees what the backend keeps of a region that no thread uses any more. Change lock held.
     * NULL: it has nothing but backend_data. */
    void (*drop)( struct watch_region *region );

    /* Prepares pages of fresh memory that are about to become accessible, before they do; those that
     * were prepared before stay as they are. On failure some pages may be prepared, which does no
     * harm. Change lock held. NULL: nothing is to be prepared. */
    int (*commit)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Finds written pages. With COLLECT_RESET exactly the pages found are reset, in one atomic step
     * each. Returns the number of runs. On failure, pages before end may have been reset without
     * being reported. Called from uninterrupted code in a step of a query. */
    int (*collect_written)( struct watch_region *region, struct page_scan *scan );

    /* Makes the next write to pages fault, whose marks were just taken. A write before it returns
     * is covered by the report of these marks. On failure the marks are put back. Called in a step
     * of a query. NULL: there is nothing to do. */
    int (*arm)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* How many pages a step of a query passes at most that takes marks. */
    size_t max_marked_pages;

    /* Marks written pages; the region has marks. Contents are dropped next, so the pages may stay
     * written besides. Returns whether there is anything to drop. The region is closed. Change
     * lock held. NULL: what is written is marked already. */
    int (*save)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Drops the contents of pages, which resets them, and keeps them watched. Pages with marks
     * need not be armed. Change lock held. */
    int (*discard)( struct watch_region *region, uintptr_t start, uintptr_t end,
                    enum discard_reason reason );

    /* mprotect() of pages, as the program asks for it, that keeps the watch. NULL:
     * mprotect() does. */
    int (*protect)( struct watch_region *region, uintptr_t start, uintptr_t end, int prot );

    /* Ends watching pages, and forgets what was written. If they stay mapped they get the
     * protection that the program wants. The region is closed. Change lock held. */
    void (*detach)( struct watch_region *region, uintptr_t start, uintptr_t end,
                    enum detach_reason reason );

    /* mlock() that does not count as a write. NULL: mlock() does. */
    int (*mlock_pages)( const void *base, size_t size );

    /* Places data into missing pages, which do not become written by that. *filled is how many
     * bytes were placed, also on failure; -EEXIST: the page after them is there. In no step, and
     * without a lock. NULL, as the next one: it cannot. */
    int (*fill)( struct watch_region *region, uintptr_t start, uintptr_t end, const void *data,
                 size_t *filled );

    /* From now on the first use of a missing page waits until somebody fills it. Returns the
     * userfaultfd whose messages tell of such uses; it remains the backend's. Only detach() ends
     * that. Change lock held. */
    int (*serve)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Whether a whole region is still what attach() was called for: 0, or -EPERM if it holds other
     * memory. That all of it is mapped has been found out. Changes no state. Change lock held. */
    int (*verify)( struct watch_region *region );

    /* The categories of pages (PAGE_IS_*) as they are now, WRITTEN as collect_written() means it.
     * Pages without the required ones may be left out; there is no limit of pages. Returns the
     * number of runs. In a step. NULL: /proc/self/pagemap has all that can be asked for. */
    int (*list)( struct watch_region *region, struct page_scan *scan );

    /* What follows is NULL where no faults are served. */

    /* signal that delivers faults; 0: a thread of the backend reads them */
    int signal;

    /* Serves a fault on a page of the region's size, [start, end): lets the access go on, and marks
     * the page if it is a write. Returns 0 if the fault is not the backend's. In a signal handler
     * or a thread of the backend, in a step, while no query holds the region (see fault.c). */
    int (*fault)( struct watch_region *region, uintptr_t start, uintptr_t end, unsigned int flags );

    /* Around each step of a query. Faults wait meanwhile: to them, taking marks and arming pages is
     * one step; to a query, letting a write go on and marking its page is one. All signals are
     * blocked. */
    void (*hold)( struct watch_region *region );
    void (*release)( struct watch_region *region );

    /* Before a query: whether faults still reach the backend. On failure the query fails. */
    int (*check)(void);
};

#define MAX_BACKENDS 8

extern int has_backend( const char *name );

/* Finds and opens backends. By name (any), or NULL for the first automatic one that works. On
 * failure returns NULL and the reason. */
extern const struct watch_backend *open_backend( const char *name, char *reason, size_t len );

/* why an earlier form of a backend is not used, "" if there is no such reason */
extern const char *form_reason( const struct watch_backend *backend );

/* the next automatic one after one that failed, opened, or NULL */
extern const struct watch_backend *open_next_backend( const struct watch_backend *backend );
extern void close_backends(void);

/* In a child by fork(): lets those that are open open again; and what came of it, 0 or -errno. */
extern void reopen_backends(void);
extern int reopened_backend( const struct watch_backend *backend );

/* Says, once, that a region could not be taken by one backend (-errno) and is with another one;
 * change lock held. And what was said, for people; "" if nothing was. */
extern void note_moved_region( const struct watch_backend *from, const struct watch_backend *to,
                               int err );
extern const char *moved_region_notice(void);

#endif /* WRITEWATCH_BACKEND_H */
