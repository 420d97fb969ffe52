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
    const char *mechanism;    /* what it is made of, for people */
    int         automatic;    /* whether it is used without being asked for */

    /* Opens what is needed and proves by a self-test that it behaves; may be called once only. On
     * failure says why in reason, in a form that follows "not active: ". */
    int (*open)( char *reason, size_t len );

    /* Undoes open(), when nothing is attached. */
    void (*close)(void);

    /* Begins to watch the mapped memory of a region, of any protection; what is there counts as not
     * written. The region is in the index already, so that faults find it. Writers' lock held. */
    int (*attach)( struct watch_region *region );

    /* Finds written pages of [start, end), ascending, in at most len runs (len > 0) with together at
     * most max_pages pages (> 0). With SCAN_RESET exactly the pages found become not written, in one
     * atomic step each. *next is the first address that was not looked at: end, or the place to go
     * on from. Returns the number of runs. On failure pages up to end may have become not written
     * without being told. Called from uninterrupted code in a step of a query. NULL if all written
     * state is in the region's bitmap. */
    int (*scan)( struct watch_region *region, uintptr_t start, uintptr_t end, unsigned int flags,
                 struct page_run *runs, size_t len, size_t max_pages, uintptr_t *next );

    /* Makes the next write to pages be noticed, whose marks were just taken from the bitmap. A write
     * before it returns is covered by the report of these marks. NULL if the kernel does that. On
     * failure the marks are put back. Called in a step of a query. */
    int (*arm)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* Drops the contents of pages; they become not written, and remain watched. Those that are marked
     * in the bitmap need not be armed. Writers' lock held. */
    int (*discard)( struct watch_region *region, uintptr_t start, uintptr_t end );

    /* mprotect() of pages, as the program asks for it, that keeps the watch. NULL: mprotect() does. */
    int (*protect)( struct watch_region *region, uintptr_t start, uintptr_t end, int prot );

    /* mlock() that does not count as a write. NULL: mlock() does. */
    int (*lock)( const void *base, size_t size );
};

extern const struct watch_backend scan_backend;

/* Finds and opens backends. By name (any), or NULL for the first automatic one that works. On failure
 * returns NULL and the reason. */
extern const struct watch_backend *open_backend( const char *name, char *reason, size_t len );

/* the next automatic one after one that failed, opened, or NULL */
extern const struct watch_backend *open_next_backend( const struct watch_backend *backend );
extern void close_backends(void);

#endif /* WRITEWATCH_BACKEND_H */
