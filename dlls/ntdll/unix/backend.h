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

/* A backend is one file with one const table. All functions return 0 (or a count) on success and
 * -errno on failure, take no lock of the engine, may be called by any thread, and are given page
 * aligned ranges that lie inside memory which attach() was called for, unless they say otherwise. */
struct watch_backend
{
    const char *name;         /* for WRITEWATCH_BACKEND and messages */
    const char *mechanism;    /* what it is made of, for people */

    /* Opens what is needed and proves by a self-test that it behaves; may be called once only. On
     * failure says why in reason, in a form that follows "not active: ". */
    int (*open)( char *reason, size_t len );

    /* Undoes open(), when nothing is attached. */
    void (*close)(void);

    /* Begins to watch mapped memory, of any protection; fresh memory counts as not written. */
    int (*attach)( void *base, size_t size );

    /* Finds written pages of [start, end), ascending, in at most len runs (len > 0) with together at
     * most max_pages pages (> 0). With SCAN_RESET exactly the pages found become not written, in one
     * atomic step each. *next is the first address that was not looked at: end, or the place to go
     * on from. Returns the number of runs. On failure pages up to end may have become not written
     * without being told. Called from uninterrupted code, and stands there itself. */
    int (*scan)( uintptr_t start, uintptr_t end, unsigned int flags, struct page_run *runs,
                 size_t len, size_t max_pages, uintptr_t *next );

    /* Drops the contents of pages; they become not written, and remain watched. */
    int (*discard)( void *base, size_t size );

    /* mlock() that does not count as a write. */
    int (*lock)( const void *base, size_t size );
};

extern const struct watch_backend scan_backend;

/* Opens the first backend that works. On failure returns NULL and the reasons. */
extern const struct watch_backend *open_backend( char *reason, size_t len );

#endif /* WRITEWATCH_BACKEND_H */
