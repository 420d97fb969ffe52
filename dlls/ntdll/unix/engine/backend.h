/*
 * The interface between the engine and the backends, which detect writes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_BACKEND_H
#define WRITEWATCH_BACKEND_H

#include <stddef.h>
#include <stdint.h>

/* A run of pages, [start, end), as a scan reports it. The layout is the kernel's. */
struct page_run
{
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

/* The kernel holds mmap_lock during a scan, and other threads' mmap() calls wait for it: 1 GiB of
 * written pages in one call made them wait 15 ms, 32 MiB at most 0.7 ms together with give_way.h.
 * Shorter calls did not slow down a reset of 4 GiB (6.18). A page that is not written takes a
 * twentieth of the time, so a step may pass over more of those. */
#define MAX_SCAN_PAGES ((size_t)8192)

#define COLLECT_RESET 1

/* A question to a backend about pages, and its answer. */
struct page_scan
{
    uintptr_t        start;
    uintptr_t        end;
    unsigned int     flags;       /* COLLECT_RESET */
    uint64_t         required;    /* categories, for list() */
    struct page_run *runs;        /* room for the answer, in ascending order */
    size_t           len;         /* number of runs there is room for, > 0 */
    size_t           max_pages;   /* limit of pages in all runs, > 0 */
    uintptr_t        next;        /* answer: the first address not covered: end, or where to
                                   * continue */
};

/* What look() finds of a page: that it has contents; that it has lost them, or the protection that
 * a page has which is not written. */
#define LOOK_HELD 1
#define LOOK_BARE 2

#define FAULT_WRITE  1
#define FAULT_REPEAT 2   /* the fault repeats: serve it only if the page really is not open */

/* Why contents are dropped: the program has lost access, and commits the pages before it gets
 * access again; or it keeps access (MEM_RESET), and may write at the same time. */
enum discard_reason
{
    DISCARD_DECOMMIT,
    DISCARD_RESET,
};

/* Why a watch ends: the pages are about to be unmapped, or they stay mapped. */
enum detach_reason
{
    DETACH_UNMAP,
    DETACH_KEEP,
};

/* What a backend can do for a region (writewatch_capabilities(3) says what each promises). */
enum watch_capabilities
{
    CAN_SYSCALLS      = 0x01,   /* system calls write to watched memory */
    CAN_BLOCK_SIGNALS = 0x02,   /* no write needs a signal */
    CAN_DROP          = 0x04,   /* no write is lost where the program drops contents unseen */
    CAN_FILL          = 0x08,   /* fill() and serve() */
    CAN_LIST_ZERO     = 0x10,   /* list() shows all categories */
    CAN_LIST_SWAPPED  = 0x20,   /* a list shows all private pages that are swapped out */
    CAN_BE_EXACT      = 0x40,   /* no page is reported that was not written */
    CAN_SEE_REPLACED  = 0x80,   /* queries fail where other memory has taken the place */
};

struct watch_region;

/* A backend is one file with one const table. Unless they say otherwise, all functions return 0 (or
 * a count) on success and -errno on failure, take no lock of the engine, may be called by any
 * thread, and get page aligned ranges inside a region that attach() was called for.
 *
 * Each backend decides where written state lives: in the kernel, which collect_written() asks, or
 * among the region's marks, where a fault puts it (region_mark_written() in region.h); then arm()
 * makes the next write fault again. The engine looks at both, and does not ask which it is. */
struct watch_backend
{
    const char *name;         /* for WRITEWATCH_BACKEND and messages */
    const char *form;         /* distinguishes tables of the same name; NULL: the only one */
    const char *mechanism;    /* what it is built on, for people */
    int         automatic;    /* whether it is used without being requested */

    /* Opens what is needed and proves by a self-test that it works; called at most once. On failure
     * reason says why, in words that follow "not active: ". */
    int (*open)( char *reason, size_t len );

    /* In a child by fork(), where descriptors are the parent's and locks may be held by threads
     * that do not exist there: frees the locks, and opens new descriptors. One thread. */
    int (*reopen)(void);

    /* After that: watches a region anew that was attached before. Pages that may have been written
     * become written. There are no other threads, and the locks of the region are free. */
    int (*reattach)( struct watch_region *region );

    /* In the same child, before either of them: frees the locks in the region's backend_data. NULL:
     * there are none. */
    void (*free_locks)( struct watch_region *region );

    /* Undoes open(); nothing is attached. */
    void (*close)(void);

    /* Starts watching the mapped memory of a region, of any protection; existing pages count as not
     * written. The region is in the index already, so that faults find it. Change lock held. */
    int (*attach)( struct watch_region *region );

    /* Passes what the backend keeps about a region on to a part of it that became a region of its
     * own. Change lock held. NULL: there is nothing to pass on, or the part starts anew. */
    void (*split)( struct watch_region *part, const struct watch_region *whole );

    /* Frees what the backend keeps about a region that no thread uses any more. Change lock held.
     * NULL: it keeps nothing outside backend_data. */
    void (*drop)( struct watch_region *region );

    /* Prepares pages of fresh memory before they become accessible; pages that were prepared before
     * keep their state. On failure some pages may be prepared, which does no harm. Change lock
     * held. NULL: nothing needs to be prepared. */
    int (*commit)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Finds written pages. With COLLECT_RESET exactly the pages found are reset, each in one atomic
     * step. Returns the number of runs. On failure, pages before end may have been reset without
     * being reported. Called from uninterrupted code in a step of a query. */
    int (*collect_written)( struct watch_region *region, struct page_scan *scan );

    /* Makes the next write fault, for pages whose marks were just taken. A write before it returns
     * is covered by the report of these marks. On failure the marks are put back. Called in a step
     * of a query. NULL: nothing needs to be armed. */
    int (*arm)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* How many pages a step of a query that takes marks may cover. */
    size_t max_marked_pages;

    /* Marks written pages; the region has marks. The contents are dropped next, so the pages may
     * stay written in the backend, too. Returns whether there is anything to drop. The region is
     * closed. Change lock held. NULL: written pages are marked already. */
    int (*save)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Drops the contents of pages, which resets them, and keeps them watched. Marked pages need not
     * be armed. Change lock held. */
    int (*discard)( struct watch_region *region, uintptr_t start, uintptr_t end,
                    enum discard_reason reason );

    /* mprotect() on behalf of the program that keeps the watch. NULL: plain mprotect() will do. */
    int (*protect)( struct watch_region *region, uintptr_t start, uintptr_t end, int prot );

    /* Stops watching pages, and forgets what was written. Pages that stay mapped get the protection
     * that the program wants. The region is closed. Change lock held. */
    void (*detach)( struct watch_region *region, uintptr_t start, uintptr_t end,
                    enum detach_reason reason );

    /* mlock() that does not count as a write. NULL: plain mlock() will do. */
    int (*mlock_pages)( const void *base, size_t size );

    /* Places data into missing pages without making them written. *filled is the number of bytes
     * placed, also on failure; -EEXIST: the next page is present. Outside of steps, no lock. NULL,
     * like the next one: not supported. */
    int (*fill)( struct watch_region *region, uintptr_t start, uintptr_t end, const void *data,
                 size_t *filled );

    /* From now on the first access to a missing page waits until a thread fills it. Returns the
     * userfaultfd that reports such accesses; it remains the backend's. Only detach() ends this.
     * Change lock held. */
    int (*serve)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Whether a whole region is still what attach() was called for: 0, or -EPERM if it holds other
     * memory. The caller has checked that all of it is mapped. Changes no state. Change lock
     * held. */
    int (*verify)( struct watch_region *region );

    /* Reports the current categories of pages (PAGE_IS_*), with WRITTEN as collect_written()
     * defines it. Pages without the required ones may be left out; there is no limit of pages.
     * Returns the number of runs. In a step. NULL: /proc/self/pagemap has all that can be
     * requested. */
    int (*list)( struct watch_region *region, struct page_scan *scan );

    /* What it can do (CAN_*) for a region, or for fresh memory (NULL); anonymous says whether a
     * part of the memory is private and anonymous. The engine knows CAN_BLOCK_SIGNALS and CAN_FILL
     * from the rest of the table. No lock. */
    unsigned int (*capabilities)( const struct watch_region *region, int anonymous );

    /* The rest is NULL for a backend that serves no faults. */

    /* signal that delivers faults; 0: a thread of the backend reads them */
    int signal;

    /* Serves a fault on a page of the region's granularity, [start, end): lets the access proceed,
     * and marks the page if it is a write. Returns 0 if the fault does not concern the backend. In
     * a signal handler or a thread of the backend, in a step, while no query holds the region (see
     * fault.c). */
    int (*fault)( struct watch_region *region, uintptr_t start, uintptr_t end, unsigned int flags );

    /* Around each step of a query. Faults wait meanwhile: to a fault, taking marks and arming pages
     * is one step; to a query, letting a write proceed and marking its page is one. All signals are
     * blocked. */
    void (*hold)( struct watch_region *region );
    void (*release)( struct watch_region *region );

    /* Before a query: whether faults still reach the backend. On failure the query fails. */
    int (*check)(void);

    /* Looks for pages that the program has dropped itself: runs with LOOK_HELD and LOOK_BARE as
     * categories; of pages in no run nothing is known. Returns the number of runs. In a step, while
     * no fault is served. NULL: that cannot be found out. */
    int (*look)( struct watch_region *region, struct page_scan *scan );

    /* The rest is NULL but in a table that takes the place of a backend's while trackers
     * follow the region's pages (track/). */

    /* called for pages that were found written, after they were marked; in a step, or while the
     * region is closed */
    void (*note_written)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* called for a missing page that was filled for a read, while the fault is served */
    void (*note_filled)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* the table whose place it takes */
    const struct watch_backend *original;
};

/* the backend's own table */
static inline __attribute__((always_inline)) const struct watch_backend *
original_backend( const struct watch_backend *backend )
{
    return backend->original ? backend->original : backend;
}

#define MAX_BACKENDS 8

extern int has_backend( const char *name );

/* Finds and opens a backend: any by name, or for NULL the first automatic one that works. Returns
 * NULL and the reason on failure. */
extern const struct watch_backend *open_backend( const char *name, char *reason, size_t len );

/* why an earlier form of a backend is not used, "" if there is no such reason */
extern const char *form_reason( const struct watch_backend *backend );

/* opens the next automatic backend after one that failed, NULL if there is none */
extern const struct watch_backend *open_next_backend( const struct watch_backend *backend );
extern void close_backends(void);

/* In a child by fork(): reopens the backends that are open; and the result for one of them, 0 or
 * -errno. */
extern void reopen_backends(void);
extern int reopened_backend( const struct watch_backend *backend );

/* Notes, once, that one backend could not watch a region (-errno) and that another one does; change
 * lock held. And that note, for people; "" if there is none. */
extern void note_moved_region( const struct watch_backend *from, const struct watch_backend *to,
                               int err );
extern const char *moved_region_notice(void);

#endif /* WRITEWATCH_BACKEND_H */
