/*
 * writewatch: Windows write watches for native Linux programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Three faces of one library: the Win32 calls, the NT calls below them, and calls of its own for
 * what Windows has no name for. writewatch(3) is the overview; each call has a page of its own.
 *
 * A source that has included windows.h (of Wine or mingw) before this file
 * keeps those declarations.
 */

#ifndef WRITEWATCH_H
#define WRITEWATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "writewatch_windows.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* All functions below return 0 (or a count) on success and -errno on failure, may be called by any
 * thread, and not from a signal handler, unless they say otherwise.
 * Addresses and sizes are bytes. */

/* Chooses the backend: scan, sigbus, mprotect, thread, softdirty, or NULL for WRITEWATCH_BACKEND in
 * the environment or else the best that works. Done by itself (with NULL) when memory is first
 * watched; -EBUSY after that. */
extern int writewatch_open( const char *backend );

/* The active backend, and the one of the region that holds an address (NULL if it
 * is not watched). */
extern const char *writewatch_backend( void );
extern const char *writewatch_backend_of( const void *addr );

/* What the active backend is made of and in which form, for people; NULL without one. */
extern const char *writewatch_mechanism( void );

/* Why the last writewatch_open() failed, or why a better backend is not used; "" if nothing is
 * wrong. Valid until the next call of writewatch_open(). */
extern const char *writewatch_reason( void );

/* Watches memory that the program has mapped itself, of any kind; nothing counts as written yet. It
 * is polled by GetWriteWatch and ResetWriteWatch. -EBUSY: another userfaultfd owns it and no other
 * backend can take it. -EINVAL: not whole pages, or not mapped. */
extern int writewatch_watch( void *addr, size_t size );
extern int writewatch_unwatch( void *addr, size_t size );

/* The bytes that one reported address stands for: more than a page in huge page mappings. 0 if the
 * address is not watched. */
extern size_t writewatch_granularity( const void *addr );

/* Whether memory is still what was watched, as the manual says for each backend: 0, -ENOMEM (a part
 * is not mapped), -EPERM (a part is other memory now). */
extern int writewatch_check( const void *addr, size_t size );

/* Places data into pages that were never touched; they do not count as written. -EEXIST: a page was
 * there already; those before it are filled. -EOPNOTSUPP: not with this backend. */
extern int writewatch_fill( void *addr, const void *data, size_t size );

/* Makes the pages of a buffer writable for a system call where the backend would let it fail with
 * EFAULT (sigbus, mprotect); they count as written. */
extern int writewatch_prepare( void *addr, size_t size );

/* Serves the missing pages of watched memory from a file on first touch, without their counting as
 * written. From start to stop a thread does the work. */
struct writewatch_restore;
extern int writewatch_restore_start( struct writewatch_restore **restore, void *addr, size_t size,
                                     int fd, off_t offset );
extern void writewatch_restore_stop( struct writewatch_restore *restore );

/* Pages by category, as ranges of like pages. */
#define WRITEWATCH_WRITTEN  0x0002
#define WRITEWATCH_FILE     0x0004
#define WRITEWATCH_PRESENT  0x0008
#define WRITEWATCH_SWAPPED  0x0010
#define WRITEWATCH_ZERO     0x0020
#define WRITEWATCH_HUGE     0x0040

struct writewatch_range
{
    uint64_t start;
    uint64_t end;
    uint64_t categories;   /* of those asked for in "returned" */
};

struct writewatch_filter
{
    uint64_t required;     /* all of these */
    uint64_t any;          /* and one of these, if not 0 */
    uint64_t excluded;     /* and none of these */
    uint64_t returned;     /* what to tell, and to tell ranges apart by */
    size_t   max_pages;    /* at most that many pages; 0: no limit */
    int      reset;        /* make what is listed not written, in the same atomic step */
};

/* Lists pages of watched memory; returns the number of ranges, and in *next where to go on (addr +
 * size when all was looked at). */
extern ssize_t writewatch_list( const void *addr, size_t size,
                                const struct writewatch_filter *filter,
                                struct writewatch_range *ranges, size_t count, const void **next );

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* WRITEWATCH_H */
