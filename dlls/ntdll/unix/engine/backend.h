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

#define SCAN_RESET 1

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

struct watch_region;

/* A backend is one file with one const table. All functions return 0 (or a count) on success and
 * -errno on failure, take no lock of the engine, may be called by any thread, and are given page
 * aligned ranges inside a region that attach() was called for, unless they say otherwise.
 *
 * There are two kinds. The kernel keeps the written state and scan() asks for it; or each first
 * write is met by a fault, which marks the page in the region's bitmap (mark_written_page() in
 * fault.h), and arm() makes the next write fault again. */
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
     * counts as written; if it is not fresh all of it is marked already. */
    int (*reattach)( struct watch_region *region );

    /* Undoes open(), when nothing is attached. */
    void (*close)(void);

    /* Begins to watch the mapped memory of a region, of any protection; what is there counts as not
     * written. The region is in the index already, so that faults find it. Writers' lock held. */
    int (*attach)( struct watch_region *region );

    /* Prepares pages of fresh memory that are about to become accessible, before they do; those that
     * were prepared before stay as they are. On failure some pages may be prepared, which does no
     * harm. Change lock held. NULL: nothing is to be prepared. */
    int (*commit)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Finds written pages of [start, end), ascending, in at most len runs (len > 0) with together
     * at most max_pages pages (> 0). With SCAN_RESET exactly the pages found become not written, in
     * one atomic step each. *next is the first address that was not looked at: end, or the place to
     * go on from. Returns the number of runs. On failure pages up to end may have become not
     * written without being told. Called from uninterrupted code in a step of a query. NULL if all
     * written state is in the region's bitmap. */
    int (*scan)( struct watch_region *region, uintptr_t start, uintptr_t end, unsigned int flags,
                 struct page_run *runs, size_t len, size_t max_pages, uintptr_t *next );

    /* Makes the next write to pages be noticed, whose marks were just taken from the bitmap. A
     * write before it returns is covered by the report of these marks. NULL if the kernel does
     * that. On failure the marks are put back. Called in a step of a query. */
    int (*arm)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Marks written pages in the bitmap, which is there; contents are dropped next, so they may
     * stay written besides. Returns whether there is anything to drop. The region is closed.
     * Writers' lock held. NULL: scan() does. */
    int (*save)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Drops the contents of pages; they become not written, and remain watched. Those that are
     * marked in the bitmap need not be armed. Writers' lock held. */
    int (*discard)( struct watch_region *region, uintptr_t start, uintptr_t end,
                    enum discard_reason reason );

    /* mprotect() of pages, as the program asks for it, that keeps the watch. NULL:
     * mprotect() does. */
    int (*protect)( struct watch_region *region, uintptr_t start, uintptr_t end, int prot );

    /* Ends watching pages: they become as the program wants them. What was written is forgotten.
     * The region is closed. Writers' lock held. NULL: nothing is to be done. */
    void (*detach)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* mlock() that does not count as a write. NULL: mlock() does. */
    int (*lock)( const void *base, size_t size );

    /* Places data into missing pages, which do not become written by that. *filled is how many
     * bytes were placed, also on failure; -EEXIST: the page after them is there. In no step, and
     * without a lock. NULL, as the next one: it cannot. */
    int (*fill)( struct watch_region *region, uintptr_t start, uintptr_t end, const void *data,
                 size_t *filled );

    /* From now on the first use of a missing page waits until somebody fills it. Returns the
     * userfaultfd whose messages tell of such uses; it remains the backend's. Only detach() ends
     * that. Writers' lock held. */
    int (*serve)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Whether a whole region is still what attach() was called for: 0, or -EPERM if it holds other
     * memory. That all of it is mapped has been found out. Changes no state. Writers' lock held. */
    int (*verify)( struct watch_region *region );

    /* Tells the categories of pages (WRITEWATCH_*) as they are now, WRITTEN as scan() means it.
     * Pages without the required ones may be left out. Runs and *next as with scan(). In a step.
     * NULL: /proc/self/pagemap tells enough. */
    int (*list)( struct watch_region *region, uintptr_t start, uintptr_t end, uint64_t required,
                 struct page_run *runs, size_t len, uintptr_t *next );

    /* What follows is NULL where the kernel keeps the written state. */

    /* by which faults are met; 0: a thread of the backend is told */
    int signal;

    /* Called for a fault on what is told apart as one, [start, end): lets the access go on, and
     * marks what a write touches. Returns 0 if the fault is none of the backend's. In a signal
     * handler or a thread of the backend, in a step, while no query holds the
     * region (see fault.c). */
    int (*fault)( struct watch_region *region, uintptr_t start, uintptr_t end, unsigned int flags );

    /* Around each step of a query: faults wait meanwhile, so that taking marks and arming are one
     * to them, and letting a write go on and marking it are one to a query. */
    void (*hold)( struct watch_region *region );
    void (*release)( struct watch_region *region );

    /* Before a query: whether faults still come to us. On failure the query fails. */
    int (*check)(void);
};

extern const struct watch_backend scan_backend;
extern const struct watch_backend scan_marked_backend;
extern const struct watch_backend sigbus_backend;
extern const struct watch_backend mprotect_backend;
extern const struct watch_backend thread_backend;
extern const struct watch_backend softdirty_backend;

/* for tests: what mprotect takes for vm.max_map_count when it is opened, unless 0 */
extern long mprotect_map_limit;

/* all there are, best first, ended by NULL: backend_list.c,
 * or for the preload library another one */
extern const struct watch_backend * const backend_list[];

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
 * writers' lock held. And what was said, for people; "" if nothing was. */
extern void note_moved_region( const struct watch_backend *from, const struct watch_backend *to,
                               int err );
extern const char *moved_region_notice(void);

#endif /* WRITEWATCH_BACKEND_H */
