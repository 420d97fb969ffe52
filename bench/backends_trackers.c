/*
 * The rows of the comparison: the five backends, and what they are compared with
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "writewatch.h"

#include "backends_parts.h"

#define PM_SOFT_DIRTY (1ull << 55)

static int pagemap = -1, clear_refs = -1;

/***********************************************************************
 *           library_open
 */
static int library_open( const struct tracker *tracker, char *reason, size_t len )
{
    int ret = writewatch_open( tracker->exact ? tracker->name : NULL );

    if (!ret) return 0;
    snprintf( reason, len, "%s", *writewatch_reason() ? writewatch_reason() : strerror( -ret ));
    return -1;
}


/***********************************************************************
 *           library_allocate
 *
 * A region that went to another backend would give that one's figures a wrong name.
 */
static char *library_allocate( const struct tracker *tracker, size_t size )
{
    char *base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                               PAGE_READWRITE );
    const char *backend = base ? writewatch_backend_of( base ) : NULL;

    if (!backend || (tracker->exact && strcmp( backend, tracker->name ))) return NULL;
    return base;
}


/***********************************************************************
 *           library_release
 */
static void library_release( char *base, size_t size )
{
    (void)size;
    VirtualFree( base, 0, MEM_RELEASE );
}


/***********************************************************************
 *           library_poll
 */
static long library_poll( char *addr, size_t size, void **results )
{
    ULONG_PTR count = size / page_size;
    DWORD granularity;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, addr, size, results, &count, &granularity ))
        return -1;
    return granularity == page_size ? (long)count : -1;
}


/***********************************************************************
 *           two_calls_poll
 *
 * The mistake that the reset flag is there to avoid: what is written while the pages are looked at
 * is forgotten by the reset.
 */
static long two_calls_poll( char *addr, size_t size, void **results )
{
    ULONG_PTR count = size / page_size, i;
    DWORD granularity;

    if (GetWriteWatch( 0, addr, size, results, &count, &granularity )) return -1;
    for (i = 0; i < count; i++) *(volatile char *)results[i];
    if (ResetWriteWatch( addr, size )) return -1;
    return (long)count;
}


/***********************************************************************
 *           plain_open
 */
static int plain_open( const struct tracker *tracker, char *reason, size_t len )
{
    (void)tracker;
    (void)reason;
    (void)len;
    return 0;
}


/***********************************************************************
 *           clear_refs_poll
 *
 * Soft-dirty bits as they are mostly used: read, then cleared.
 */
static long clear_refs_poll( char *addr, size_t size, void **results )
{
    uint64_t entries[512];
    size_t done, i, part;
    long count = 0;

    for (done = 0; done < size; done += part * page_size)
    {
        part = (size - done) / page_size;
        if (part > 512) part = 512;
        if (pread( pagemap, entries, part * sizeof(entries[0]),
                   (off_t)(((uintptr_t)addr + done) / page_size * sizeof(entries[0])) ) !=
            (ssize_t)(part * sizeof(entries[0]))) return -1;
        for (i = 0; i < part; i++)
            if (entries[i] & PM_SOFT_DIRTY) results[count++] = addr + done + i * page_size;
    }
    return write( clear_refs, "4", 1 ) == 1 ? count : -1;
}


/***********************************************************************
 *           clear_refs_allocate
 *
 * A mapping is born soft-dirty.
 */
static char *clear_refs_allocate( const struct tracker *tracker, size_t size )
{
    char *base = plain_allocate( tracker, size );

    if (base && write( clear_refs, "4", 1 ) == 1) return base;
    return NULL;
}


/***********************************************************************
 *           clear_refs_open
 */
static int clear_refs_open( const struct tracker *tracker, char *reason, size_t len )
{
    void *results[1];
    char *page;

    pagemap    = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC );
    clear_refs = open( "/proc/self/clear_refs", O_WRONLY | O_CLOEXEC );
    if (pagemap == -1 || clear_refs == -1)
    {
        snprintf( reason, len, "cannot open /proc/self/%s: %s",
                  pagemap == -1 ? "pagemap" : "clear_refs", strerror( errno ));
        return -1;
    }
    if (!(page = clear_refs_allocate( tracker, page_size ))) return -1;
    *(volatile char *)page = 1;
    if (clear_refs_poll( page, page_size, results ) == 1) return 0;
    snprintf( reason, len, "no page is ever soft-dirty here" );
    return -1;
}


#define BACKEND( name ) \
    { name, NULL, 1, library_open, library_allocate, library_release, library_poll }

const struct tracker trackers[] =
{
    { "unwatched", "plain memory in small pages, to compare the first write with", 0,
      plain_open, plain_allocate, plain_release, NULL },
    BACKEND( "scan" ),
    BACKEND( "sigbus" ),
    BACKEND( "mprotect" ),
    BACKEND( "thread" ),
    BACKEND( "softdirty" ),
    { "two-calls", "the best backend by GetWriteWatch, then ResetWriteWatch: a mistake to avoid", 0,
      library_open, library_allocate, library_release, two_calls_poll },
    { "clear-refs", "soft-dirty bits read, then cleared, without care: not a backend", 0,
      clear_refs_open, clear_refs_allocate, plain_release, clear_refs_poll },
};

const unsigned int tracker_count = sizeof(trackers) / sizeof(trackers[0]);
