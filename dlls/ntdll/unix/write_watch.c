/*
 * NtGetWriteWatch and NtResetWriteWatch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "page.h"
#include "uninterrupted.h"
#include "user_memory.h"
#include "watch.h"
#include "writable.h"
#include "write_watch.h"

/* what Windows reports on x86, whatever the page size of the host (row 35) */
#define GRANULARITY 4096

/***********************************************************************
 *           status_from_errno
 *
 * Clients take any failure as "everything may be written", so a kernel that fails must show.
 */
static UNINTERRUPTED NTSTATUS status_from_errno( int err )
{
    if (err == -EFAULT) return STATUS_ACCESS_VIOLATION;
    if (err == -ENOMEM) return STATUS_NO_MEMORY;
    if (err == -ENOENT) return STATUS_INVALID_PARAMETER;
    return STATUS_UNSUCCESSFUL;
}

/***********************************************************************
 *           get_range
 *
 * Rounds a range outward to pages (row 8). Returns 0 if it is empty (row 5) or wraps around.
 */
static UNINTERRUPTED int get_range( void *base, SIZE_T size, uintptr_t *start, uintptr_t *end )
{
    uintptr_t last = (uintptr_t)base + size - 1;

    if (!size || last < (uintptr_t)base) return 0;
    *start = round_down( (uintptr_t)base );
    *end   = round_down( last ) + page_size();
    return *end > *start;
}

/* To touch a page of the array takes 20 ns, and 250 when it is the first touch; to ask the kernel
 * for the mapping 400 to 600 (6.18). */
#define MANY_PAGES ((uintptr_t)32)

/* the end of what the kernel gives to programs that do not ask for more */
#ifdef __x86_64__
#define MAX_USER_ADDRESS ((uintptr_t)1 << 47)
#else
#define MAX_USER_ADDRESS ((uintptr_t)1 << 48)
#endif

/***********************************************************************
 *           probe_array
 *
 * Whether the whole array can be written, used or not (row 34). A large one most often lies in one
 * writable mapping, which the kernel knows; where it does not say so, a write may still be
 * something that the program's fault handler makes possible. An array that itself is watched is
 * only read, and the kernel is asked: its pages would become written by the call (row 33), also
 * those that nothing is stored to.
 */
static UNINTERRUPTED int probe_array( void **addresses, ULONG_PTR count )
{
    uintptr_t start = (uintptr_t)addresses, end = start + count * sizeof(*addresses);
    uintptr_t second = round_down( start ) + page_size();
    int (*probe)( void *, size_t, size_t ) = user_probe_write;

    if (count > ~(uintptr_t)0 / sizeof(*addresses) || end < start) return -EFAULT;
    /* beyond what a program can have; to look at it page by page would take for ever */
    if (end > MAX_USER_ADDRESS) return -EFAULT;
    if (region_overlaps( start, end ))
    {
        if (!is_writable( start, end )) return -EFAULT;
        probe = user_probe_read;
    }
    else if (end - start > MANY_PAGES << page_shift && is_plain_memory( start, end )) return 0;
    if (probe( addresses, 1, 0 )) return -EFAULT;
    if (end <= second) return 0;
    return probe( (void *)second, ((end - 1 - second) >> page_shift) + 1, page_size() );
}

/* huge pages are told apart as a whole */
static UNINTERRUPTED uint32_t granularity_of( const struct watch_query *query )
{
    return query->shift == page_shift ? GRANULARITY : (uint32_t)1 << query->shift;
}

/***********************************************************************
 *           get_write_watch
 *
 * What NtGetWriteWatch does (rows 1 to 10, 33 to 35). The checks come in the order in which Windows
 * makes them. STATUS_INVALID_PARAMETER also says that the range is not in one region of ours.
 * With RESET, pages are given to the caller or remain written, also if the arrays are bad.
 * No lock; the thread is not suspended or ended before it has come out.
 */
UNINTERRUPTED NTSTATUS get_write_watch( ULONG flags, void *base, SIZE_T size, void **addresses,
                                        ULONG_PTR *count, ULONG *granularity )
{
    struct watch_query query;
    uintptr_t start, end;
    uint64_t max;
    size_t found;
    int ret;

    if (!count || !granularity) return STATUS_ACCESS_VIOLATION;
    if (user_load64( count, &max )) return STATUS_ACCESS_VIOLATION;
    if (!max || !get_range( base, size, &start, &end )) return STATUS_INVALID_PARAMETER;
    if (flags & ~WRITE_WATCH_FLAG_RESET) return STATUS_INVALID_PARAMETER;
    if (!addresses) return STATUS_ACCESS_VIOLATION;
    if ((ret = watch_begin( &query, start, end ))) return status_from_errno( ret );

    ret = probe_array( addresses, max );
    if (!ret) ret = watch_collect( &query, flags & WRITE_WATCH_FLAG_RESET, addresses, max, &found );
    if (!ret && (user_store32( granularity, granularity_of( &query ))
                 || user_store64( count, found )))
    {
        if (flags & WRITE_WATCH_FLAG_RESET) watch_undo( &query, addresses, found );
        ret = -EFAULT;
    }
    return ret ? status_from_errno( ret ) : STATUS_SUCCESS;
}

/***********************************************************************
 *           reset_write_watch
 *
 * What NtResetWriteWatch does (rows 7 to 9). Locks and signals as above.
 */
UNINTERRUPTED NTSTATUS reset_write_watch( void *base, SIZE_T size )
{
    struct watch_query query;
    uintptr_t start, end;
    int ret;

    if (!get_range( base, size, &start, &end )) return STATUS_INVALID_PARAMETER;
    if ((ret = watch_begin( &query, start, end ))) return status_from_errno( ret );
    ret = watch_reset( &query );
    return ret ? status_from_errno( ret ) : STATUS_SUCCESS;
}
