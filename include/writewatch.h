/*
 * writewatch: Windows write watches for native Linux programs
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library has three sets of calls: the Win32 calls, the NT calls below them, and its own calls
 * for what Windows does not offer. writewatch(3) is the overview; each call has its own page.
 *
 * A source that includes windows.h (of Wine or mingw) before this file keeps those declarations.
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

/* Unless stated otherwise, the functions below return 0 (or a count) on success and -errno on
 * failure. Any thread may call them, but not from a signal handler. Addresses and sizes are in
 * bytes. */

/* Selects the backend: scan, sigbus, mprotect, thread or softdirty. NULL selects the one named by
 * WRITEWATCH_BACKEND in the environment, or else the best that works. The library does this itself
 * (with NULL) when it first watches memory; after that the call fails with -EBUSY. */
extern int writewatch_open( const char *backend );

/* Return the active backend, and that of the region containing an address (NULL if the address is
 * not watched). */
extern const char *writewatch_backend( void );
extern const char *writewatch_backend_of( const void *addr );

/* Describes the active backend's mechanism and form for a human reader; NULL without a backend. */
extern const char *writewatch_mechanism( void );

/* Says why the last writewatch_open() failed, or why a better backend is not used; "" if nothing is
 * wrong. The string is valid until the next call of writewatch_open(). */
extern const char *writewatch_reason( void );

/* Watches memory of any kind that the program has mapped itself; no page counts as written at
 * first. GetWriteWatch and ResetWriteWatch poll it. -EBUSY: another userfaultfd owns the memory and
 * no other backend can watch it. -EINVAL: not whole pages, or not mapped. */
extern int writewatch_watch( void *addr, size_t size );
extern int writewatch_unwatch( void *addr, size_t size );

/* Returns the number of bytes that one reported address stands for: a page of the kernel (4096 on
 * x86, up to 65536 on ARM), or a huge page. 0 if the address is not watched. */
extern size_t writewatch_granularity( const void *addr );

/* Checks that the memory has not been replaced since it was watched; the manual says what each
 * backend detects. 0: it has not; -ENOMEM: a part is not mapped; -EPERM: a part is other memory
 * now. */
extern int writewatch_check( const void *addr, size_t size );

/* Places data into pages that were never touched; they do not count as written. -EEXIST: a page
 * exists already; those before it are filled. -EOPNOTSUPP: the backend cannot do it. */
extern int writewatch_fill( void *addr, const void *data, size_t size );

/* Makes the pages of a buffer writable, so that a system call does not fail with EFAULT on them
 * (sigbus, mprotect); they count as written. */
extern int writewatch_prepare( void *addr, size_t size );

/* Serves missing pages of watched memory from a file on first touch; they do not count as written.
 * A thread of the library does the work from start to stop. */
struct writewatch_restore;
extern int writewatch_restore_start( struct writewatch_restore **restore, void *addr, size_t size,
                                     int fd, int64_t offset );
extern void writewatch_restore_stop( struct writewatch_restore *restore );

/* Page categories */
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
    uint64_t categories;   /* those of "returned" that the pages have */
};

struct writewatch_filter
{
    uint64_t required;     /* all of these */
    uint64_t any;          /* and one of these, if not 0 */
    uint64_t excluded;     /* and none of these */
    uint64_t returned;     /* report these; a range ends where they change */
    size_t   max_pages;    /* at most that many pages; 0: no limit */
    int      reset;        /* reset the listed pages, in the same atomic step */
    unsigned int flags;    /* WRITEWATCH_ACROSS */
    uint64_t reserved[4];  /* 0 */
};

#define WRITEWATCH_RESET   0x1   /* reset the listed pages, in the same atomic step */
#define WRITEWATCH_ACROSS  0x2   /* pass over memory that is not watched */

/* Lists pages of watched memory, as ranges of pages with the same categories, in any number of
 * regions. Returns the number of ranges; *next is the address to continue from (addr + size when the
 * whole range is done). May be called from a signal handler. */
extern ssize_t writewatch_list( const void *addr, size_t size,
                                const struct writewatch_filter *filter,
                                struct writewatch_range *ranges, size_t count, const void **next );

/* The same for written pages; flags are WRITEWATCH_RESET and WRITEWATCH_ACROSS. */
extern ssize_t writewatch_poll( const void *addr, size_t size, unsigned int flags,
                                struct writewatch_range *ranges, size_t count, const void **next );

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* WRITEWATCH_H */
