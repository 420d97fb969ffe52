/*
 * A provider of dirty bits for the collector libgc, by write watches
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Included by libgc's os_dep.c, before GC_read_dirty(). Each section of the heap is watched from
 * when it is added; a query with reset then gives the pages that were written since the last one,
 * and libgc keeps them in its hash table GC_grungy_pages.
 *
 * "Nothing written" is an answer only a successful query gives. What is not watched, whatever the
 * reason, and what a failed query was for, is dirty as a whole. Memory outside of the heap is not
 * watched: libgc scans static data and stacks each time, as it does with GetWriteWatch on Windows.
 *
 * The allocation lock is held in all of this. The library's own locks are below it: it registers
 * its handlers of fork() before libgc does, so that those of libgc take the allocation lock first.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WRITEWATCH_NO_WINDOWS
#include "writewatch.h"

/* ranges of written pages that one query has room for */
#define MAX_WRITTEN 1024

/* A part of the heap all of which is watched. A query covers one: there may be memory between them
 * that the program watches for its own ends. */
struct watched_part
{
    word start;
    word end;
};

/* Both lie in mappings of their own: libgc takes what looks like an address of the heap in static
 * data or on a stack for a reference. The parts are in ascending order. */
static struct watched_part *watched_parts;
static struct writewatch_range *written_ranges;
static size_t watched_count, watched_room;
static GC_bool watching, faulting;

static void *map_table( size_t bytes )
{
    void *ret = mmap( NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    return ret == MAP_FAILED ? NULL : ret;
}

/* the first part that ends after an address */
static size_t find_part( word addr )
{
    size_t low = 0, high = watched_count;

    while (low < high)
    {
        size_t mid = (low + high) / 2;

        if (watched_parts[mid].end > addr) high = mid;
        else low = mid + 1;
    }
    return low;
}

/* makes room for one more part */
static GC_bool grow_parts(void)
{
    size_t room = watched_room ? watched_room * 2 : 256;
    struct watched_part *parts;

    if (watched_count < watched_room) return TRUE;
    if (!(parts = map_table( room * sizeof(*parts) ))) return FALSE;
    if (watched_room)
    {
        memcpy( parts, watched_parts, watched_count * sizeof(*parts) );
        munmap( watched_parts, watched_room * sizeof(*parts) );
    }
    watched_parts = parts;
    watched_room  = room;
    return TRUE;
}

static void insert_part( size_t pos, word start, word end )
{
    memmove( watched_parts + pos + 1, watched_parts + pos,
             (watched_count - pos) * sizeof(*watched_parts) );
    watched_parts[pos].start = start;
    watched_parts[pos].end   = end;
    watched_count++;
}

static void remove_parts( size_t first, size_t last )
{
    memmove( watched_parts + first, watched_parts + last,
             (watched_count - last) * sizeof(*watched_parts) );
    watched_count -= last - first;
}

/* there must be room for one part; sections are often neighbours */
static void add_part( word start, word end )
{
    size_t pos = find_part( start );

    if (pos && watched_parts[pos - 1].end == start) watched_parts[--pos].end = end;
    else insert_part( pos, start, end );
    if (pos + 1 < watched_count && watched_parts[pos + 1].start == end)
    {
        watched_parts[pos].end = watched_parts[pos + 1].end;
        remove_parts( pos + 1, pos + 2 );
    }
}

/* what lies in the range is not watched any more; there must be room for one part */
static void cut_parts( word start, word end )
{
    size_t first = find_part( start ), last = first;

    if (first < watched_count && watched_parts[first].start < start)
    {
        /* the middle of a part leaves two */
        if (watched_parts[first].end > end)
            insert_part( first + 1, end, watched_parts[first].end );
        watched_parts[first].end = start;
        last = ++first;
    }
    while (last < watched_count && watched_parts[last].end <= end) last++;
    if (last < watched_count && watched_parts[last].start < end) watched_parts[last].start = end;
    remove_parts( first, last );
}

static void warn_once( const char *what, int err )
{
    static int count;

    if (count++ < 5)
        GC_log_printf( "Write watches: %s: %s %s\n", what, strerror( -err ), writewatch_reason() );
}

/* scan and softdirty need none */
static GC_bool serves_faults( const char *backend )
{
    return !backend || !strcmp( backend, "sigbus" ) || !strcmp( backend, "mprotect" ) ||
           !strcmp( backend, "thread" );
}

/***********************************************************************
 *           GC_writewatch_add
 *
 * What cannot be watched stays dirty. A page that belongs to the section in part only is not
 * watched; there is none where pages are no larger than libgc's blocks.
 */
GC_INNER void GC_writewatch_add( ptr_t start, size_t bytes )
{
    word page = (word)sysconf( _SC_PAGESIZE );
    word first = ((word)start + page - 1) & ~(page - 1);
    word last = ((word)start + bytes) & ~(page - 1);
    int err;

    if (!watching || first >= last) return;
    if (!grow_parts()) warn_once( "no memory for a section", -ENOMEM );
    else if ((err = writewatch_watch( (void *)first, last - first )))
        warn_once( "a section is not watched", err );
    else
    {
        add_part( first, last );
        if (serves_faults( writewatch_backend_of( (void *)first ))) faulting = TRUE;
    }
}

/***********************************************************************
 *           GC_writewatch_drop
 *
 * Should the library fail to forget the memory, queries do not ask about it all the same.
 */
GC_INNER void GC_writewatch_drop( ptr_t start, size_t bytes )
{
    int err;

    if (!watching || !bytes) return;
    err = writewatch_unwatch( start, bytes );
    if (err && err != -ENOENT) warn_once( "a section is still watched", err );
    if (grow_parts()) cut_parts( (word)start, (word)start + bytes );
    else watched_count = 0;
}

/***********************************************************************
 *           GC_dirty_init
 *
 * Whatever was written to the heap before need not be known: libgc collects all of it now. -EBUSY:
 * the program watches memory of its own, and the library is in use already.
 */
GC_INNER GC_bool GC_dirty_init(void)
{
    int err = writewatch_open( NULL );
    word i;

    if (err && err != -EBUSY)
    {
        WARN( "No write watches; cannot enable GC incremental mode\n", 0 );
        GC_COND_LOG_PRINTF( "Write watches: %s\n", writewatch_reason() );
        return FALSE;
    }
    if (!written_ranges && !(written_ranges = map_table( MAX_WRITTEN * sizeof(*written_ranges) )))
        return FALSE;
    watching = TRUE;
    faulting = serves_faults( writewatch_backend() );
    for (i = 0; i < GC_n_heap_sects; i++)
        GC_writewatch_add( GC_heap_sects[i].hs_start, GC_heap_sects[i].hs_bytes );
    GC_COND_LOG_PRINTF( "Using write watches by %s\n", writewatch_backend() );
    return TRUE;
}

#define HAVE_INCREMENTAL_PROTECTION_NEEDS

/* Whether a system call may fail with EFAULT on the heap. Unlike libgc's own mprotect, the library
 * protects memory without pointers as well where it works by faults. */
GC_API int GC_CALL GC_incremental_protection_needs(void)
{
    return faulting ? GC_PROTECTS_POINTER_HEAP | GC_PROTECTS_PTRFREE_HEAP : GC_PROTECTS_NONE;
}

static void set_grungy( word start, word end )
{
    struct hblk *h;

    for (h = (struct hblk *)(start & ~(word)(HBLKSIZE - 1)); (word)h < end; h++)
        set_pht_entry_from_index( GC_grungy_pages, PHT_HASH( h ));
}

/* The pages of a part that were written, each reported once. The array may be too small for them
 * all, so a query continues where the last one ended. */
static void read_part( word start, word end, GC_bool output_unneeded )
{
    while (start < end)
    {
        const void *next = (void *)start;
        ssize_t i, count = writewatch_poll( next, end - start, WRITEWATCH_RESET, written_ranges,
                                            MAX_WRITTEN, &next );

        if (count < 0 || (word)next <= start)
        {
            warn_once( "a section counts as written", count < 0 ? (int)count : -EIO );
            set_grungy( start, end );
            return;
        }
        for (i = 0; i < count && !output_unneeded; i++)
            set_grungy( written_ranges[i].start, written_ranges[i].end );
        start = (word)next;
    }
}

/* what of a section is not watched */
static void set_unwatched( word start, word end )
{
    size_t i;

    for (i = find_part( start ); i < watched_count && watched_parts[i].start < end; i++)
    {
        set_grungy( start, watched_parts[i].start );
        start = watched_parts[i].end;
    }
    set_grungy( start, end );
}

/***********************************************************************
 *           writewatch_read_dirty
 *
 * The world is stopped, or libgc does not mind what is written meanwhile.
 */
static void writewatch_read_dirty( GC_bool output_unneeded )
{
    size_t i;

    if (!output_unneeded)
    {
        BZERO( GC_grungy_pages, sizeof(GC_grungy_pages) );
        for (i = 0; i < GC_n_heap_sects; i++)
            set_unwatched( (word)GC_heap_sects[i].hs_start,
                           (word)GC_heap_sects[i].hs_start + GC_heap_sects[i].hs_bytes );
    }
    for (i = 0; i < watched_count; i++)
        read_part( watched_parts[i].start, watched_parts[i].end, output_unneeded );
}
