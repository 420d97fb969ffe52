/*
 * NtGetWriteWatch and NtResetWriteWatch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "engine/query.h"
#include "sys/page.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"
#include "write_watch.h"

/***********************************************************************
 *           status_from_error
 *
 * Converts -errno of the engine; the result of a fault on the program's pointers is a status
 * already. Clients take any failure as "everything may be written", so a failure of the kernel must
 * be visible.
 */
static UNINTERRUPTED_PART NTSTATUS status_from_error( int err )
{
    if (err < -MAX_ERRNO) return err;
    if (err == -ENOMEM) return STATUS_NO_MEMORY;
    if (err == -ENOENT) return STATUS_INVALID_PARAMETER;
    return STATUS_UNSUCCESSFUL;
}

/***********************************************************************
 *           get_range
 *
 * Rounds a range outward to pages (row 8). Returns 0 if it is empty (row 5) or wraps around.
 */
static UNINTERRUPTED_PART int get_range( void *base, SIZE_T size, uintptr_t *start, uintptr_t *end )
{
    uintptr_t last = (uintptr_t)base + size - 1;

    if (!size || last < (uintptr_t)base) return 0;
    *start = round_down( (uintptr_t)base );
    *end   = round_down( last ) + page_size();
    return *end > *start;
}

/***********************************************************************
 *           granularity_of
 *
 * The size of what each reported address stands for (row 35): that of a page of the kernel, which
 * on x86 is Windows' own. Where it is larger, smaller steps would leave out what was written; huge
 * pages are reported as a whole.
 */
static UNINTERRUPTED_PART uint32_t granularity_of( const struct watch_query *query )
{
    return (uint32_t)1 << query->shift;
}

/***********************************************************************
 *           store_counts
 *
 * Ends a query: stores the count, then the granularity, as stock Wine does. The three outputs may
 * overlap. If the granularity cannot be stored the old value of the count is restored: it may be a
 * part of the array, from which watch_undo() reads.
 */
static UNINTERRUPTED_PART int store_counts( struct watch_query *query, int reset, void **addresses,
                                            ULONG_PTR *count, size_t found, ULONG *granularity )
{
    uintptr_t old;
    int ret, lost = 0;

    if (!(ret = user_swap_pointer( count, found, &old )))
    {
        if (!(ret = user_store32( granularity, granularity_of( query )))) return 0;
        lost = user_store_pointer( count, old );
    }
    if (reset && lost) watch_undo_all( query );
    else if (reset) watch_undo( query, addresses, found );
    return ret;
}

/***********************************************************************
 *           get_write_watch
 *
 * Implements NtGetWriteWatch (rows 1 to 10, 33 to 35). Checks arguments in the order in which
 * Windows does. STATUS_INVALID_PARAMETER also means that the range is not in one region of ours.
 * With RESET, each page is returned to the caller or remains written, even if the arrays are bad:
 * of these only what is stored is touched, and a fault there ends the call with its own status. No
 * lock; the thread is not suspended or terminated before it has left.
 */
UNINTERRUPTED NTSTATUS get_write_watch( ULONG flags, void *base, SIZE_T size, void **addresses,
                                        ULONG_PTR *count, ULONG *granularity )
{
    struct watch_query query;
    uintptr_t start, end, max;
    size_t found;
    int ret;

    if (!count || !granularity) return STATUS_ACCESS_VIOLATION;
    if ((ret = user_load_pointer( count, &max ))) return ret;
    if (!max || !get_range( base, size, &start, &end )) return STATUS_INVALID_PARAMETER;
    if (flags & ~WRITE_WATCH_FLAG_RESET) return STATUS_INVALID_PARAMETER;
    if (!addresses) return STATUS_ACCESS_VIOLATION;
    if ((ret = watch_begin( &query, start, end ))) return status_from_error( ret );

    ret = watch_collect( &query, flags & WRITE_WATCH_FLAG_RESET, addresses, max, &found );
    if (!ret) ret = store_counts( &query, flags & WRITE_WATCH_FLAG_RESET, addresses, count, found,
                                  granularity );
    return ret ? status_from_error( ret ) : STATUS_SUCCESS;
}

/***********************************************************************
 *           reset_write_watch
 *
 * Implements NtResetWriteWatch (rows 7 to 9). Locks and signals as above.
 */
UNINTERRUPTED NTSTATUS reset_write_watch( void *base, SIZE_T size )
{
    struct watch_query query;
    uintptr_t start, end;
    int ret;

    if (!get_range( base, size, &start, &end )) return STATUS_INVALID_PARAMETER;
    if ((ret = watch_begin( &query, start, end ))) return status_from_error( ret );
    ret = watch_reset( &query );
    return ret ? status_from_error( ret ) : STATUS_SUCCESS;
}
