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
 * With WRITEWATCH_NO_WINDOWS defined only the library's own calls are declared, and no name but
 * those that begin with writewatch_ or WRITEWATCH_.
 */

#ifndef WRITEWATCH_H
#define WRITEWATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef WRITEWATCH_NO_WINDOWS
#include "writewatch_windows.h"
#endif

/* The version of this header. WRITEWATCH_VERSION can be compared: 1002003 is 1.2.3. */
#define WRITEWATCH_VERSION_MAJOR 0
#define WRITEWATCH_VERSION_MINOR 1
#define WRITEWATCH_VERSION_MICRO 0
#define WRITEWATCH_VERSION (WRITEWATCH_VERSION_MAJOR * 1000000 + \
                            WRITEWATCH_VERSION_MINOR * 1000 + WRITEWATCH_VERSION_MICRO)

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Unless stated otherwise, the functions below return 0 (or a count) on success and -errno on
 * failure. Any thread may call them, but not from a signal handler. Addresses and sizes are in
 * bytes. */

/* Returns the WRITEWATCH_VERSION that the library in use was built with. */
extern unsigned int writewatch_version( void );

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

/* Says why this thread's last writewatch_ call failed; after one that succeeded, why a better
 * backend is not used; "" if nothing is wrong. The string is valid until the thread's next call, or
 * until any thread calls writewatch_open(). */
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

/* mremap() for watched memory in one region that the program has mapped itself: what was written
 * stays so. What is added is a region of its own. */
extern int writewatch_remap( void **addr, size_t old_size, size_t size, int flags );

/* madvise( MADV_DONTNEED or MADV_REMOVE ) for watched memory: what was written stays so, and
 * trackers can see what was dropped. */
extern int writewatch_drop( void *addr, size_t size, int advice );

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
 * regions. Returns the number of ranges; *next is the address to continue from (addr + size when
 * the whole range is done). May be called from a signal handler. */
extern ssize_t writewatch_list( const void *addr, size_t size,
                                const struct writewatch_filter *filter,
                                struct writewatch_range *ranges, size_t count, const void **next );

/* Trackers: each follows the same memory with a "since when" of its own. A tracker of a range
 * covers what is watched of it, now or later. Nothing in it is written when it is opened; its lists
 * reset pages for it alone, and neither other trackers nor the calls above change what it lists. */
struct writewatch_tracker;
#define WRITEWATCH_TRACK_DROPS  0x1   /* pages whose contents are dropped count as written */
extern int writewatch_tracker_open( struct writewatch_tracker **tracker, const void *addr,
                                    size_t size, unsigned int flags );
extern void writewatch_tracker_close( struct writewatch_tracker *tracker );

/* Another mapping of the memory at addr: what is written through it is written at addr, too, for
 * the tracker. */
extern int writewatch_tracker_add_view( struct writewatch_tracker *tracker, const void *addr,
                                        size_t size, const void *other );

/* writewatch_list() from *pos to end for what is written since the tracker has reset it; *pos is
 * where to continue then. */
extern ssize_t writewatch_tracker_list( struct writewatch_tracker *tracker, const void **pos,
                                        const void *end, const struct writewatch_filter *filter,
                                        struct writewatch_range *ranges, size_t count );

/* Copies the pages that have changed to the same place in a copy of the range, in memory or in a
 * file from an offset on, and resets them for the tracker. Whole pages. Returns how many bytes that
 * are. */
extern ssize_t writewatch_tracker_save( struct writewatch_tracker *tracker, const void *addr,
                                        size_t size, void *copy );
extern ssize_t writewatch_tracker_save_to( struct writewatch_tracker *tracker, const void *addr,
                                           size_t size, int fd, int64_t offset );

/* Puts the pages that have changed back from such a copy, and resets them for the tracker. No other
 * thread may write to the range meanwhile. */
extern ssize_t writewatch_tracker_restore( struct writewatch_tracker *tracker, void *addr,
                                           size_t size, const void *copy );

/* writewatch_list() for written pages; flags are WRITEWATCH_RESET and WRITEWATCH_ACROSS. */
extern ssize_t writewatch_poll( const void *addr, size_t size, unsigned int flags,
                                struct writewatch_range *ranges, size_t count, const void **next );
/* Another process, which need not cooperate and is not disturbed: what the kernel says of its
 * pages. A process that has ended is an error (-ESRCH), and so is one that has executed another
 * program (-ESTALE): no call then returns "nothing written". -EACCES: it may not be looked at. */
struct writewatch_process;
extern int writewatch_process_open( struct writewatch_process **process, int pidfd );
extern void writewatch_process_close( struct writewatch_process *process );

/* A category for these two calls alone: the kernel itself records writes to the page (scan). */
#define WRITEWATCH_ASYNC    0x0001

/* Lists the memory from *next on that the process has registered for write-protection, with the
 * categories ASYNC and FILE; fewer ranges than count: these are all. */
extern ssize_t writewatch_process_regions( struct writewatch_process *process,
                                           struct writewatch_range *ranges, size_t count,
                                           uint64_t *next );

/* Lists pages of the process as writewatch_list() lists one's own, but in pages of the kernel, and
 * never resets one: -EINVAL. Its seven arguments are those of writewatch_poll(), with a filter for
 * its flags, and the process. */
extern ssize_t writewatch_process_list( struct writewatch_process *process, uint64_t addr,
                                        uint64_t size, const struct writewatch_filter *filter,
                                        struct writewatch_range *ranges, size_t count,
                                        uint64_t *next );

/* What the backend can do for a region; the manual says what each promises. */
#define WRITEWATCH_CAN_SYSCALLS      0x01   /* system calls write to it without prepare */
#define WRITEWATCH_CAN_BLOCK_SIGNALS 0x02   /* no write needs a signal and its handler */
#define WRITEWATCH_CAN_DROP          0x04   /* no write is lost with madvise( MADV_DONTNEED ) */
#define WRITEWATCH_CAN_FILL          0x08   /* writewatch_fill(), writewatch_restore_start() */
#define WRITEWATCH_CAN_LIST_ZERO     0x10   /* lists know ZERO and HUGE */
#define WRITEWATCH_CAN_LIST_SWAPPED  0x20   /* lists show all pages that are swapped out */
#define WRITEWATCH_CAN_BE_EXACT      0x40   /* no page is reported that was not written */
#define WRITEWATCH_CAN_SEE_REPLACED  0x80   /* queries fail if other memory was mapped there */

struct writewatch_capabilities
{
    uint32_t    size;          /* set by the caller: sizeof(struct writewatch_capabilities) */
    uint32_t    unused;
    uint64_t    flags;         /* WRITEWATCH_CAN_* */
    uint64_t    granularity;   /* as writewatch_granularity() returns it */
    const char *backend;
    const char *form;          /* "" if the backend has only one */
    uint64_t    reserved[4];   /* 0 */
};

/* Of the region that contains an address, or (NULL) of memory that is allocated now with
 * MEM_WRITE_WATCH and the active backend. -ENOENT: not watched, or no backend is active. */
extern int writewatch_capabilities( const void *addr,
                                    struct writewatch_capabilities *capabilities );

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* WRITEWATCH_H */
