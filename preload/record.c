/*
 * Records what is asked and answered of write watches
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "preload.h"
#include "record.h"
#include "record_text.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"
#include "sys/user_memory.h"
#include "write_watch.h"

#define FORMAT 1

/* Longer than any line without pages: the longest one begins a process. */
#define MAX_LINE 512

#define TEXT2( value ) #value
#define TEXT( value )  TEXT2( value )

/* Whether the line that begins the process is written. */
enum beginning
{
    NOT_BEGUN,
    BEGINNING,
    BEGUN,
};

int recording;

static enum beginning beginning;
static int process;               /* a child by fork() is another one, and is not recorded */
static const char *program;

/* in a record of this, addresses are numbers of pages from its start on */
struct range
{
    uintptr_t start;
    uintptr_t end;
};

void record_open(void)
{
    const char *file = secure_getenv( "WRITEWATCH_RECORD" );
    int err;

    if (!file || !*file) return;
    program = program_name();
    process = getpid();
    if (!(err = record_open_file( file ))) recording = 1;
    else log_line( "nothing is recorded: %s: %s", file, strerror( -err ));
}

/***********************************************************************
 *           stop_recording
 *
 * The file has vanished or its disk is full: says so once, and the program goes on.
 */
static void stop_recording( int err )
{
    if (__atomic_exchange_n( &recording, 0, __ATOMIC_RELAXED ))
        log_line( "recording stopped: %s: %s", record_path(), strerror( -err ));
}

/* what each line begins with */
static UNINTERRUPTED_PART char *put_start( char *p, const char *word )
{
    struct { long seconds, nanoseconds; } now = { 0, 0 };

    raw_syscall3( SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0 );
    p = put_number( p, process );
    p = put_text( p, " " );
    p = put_number( p, now.seconds );
    p = put_text( p, "." );
    p = put_digits( p, (unsigned long)now.nanoseconds / 1000, 6 );
    p = put_text( p, " " );
    return put_text( p, word );
}

static UNINTERRUPTED_PART char *put_range( char *p, uintptr_t base, size_t size )
{
    p = put_text( p, " " );
    p = put_hex( p, base );
    p = put_text( p, " " );
    return put_hex( p, size );
}

static UNINTERRUPTED_PART int write_beginning(void)
{
    char line[MAX_LINE], *p = line;

    p = put_start( p, "writewatch " TEXT( FORMAT ) " " );
    p = put_number( p, sizeof(void *) * 8 );
    p = put_text( p, " " );
    p = put_number( p, page_size() );
    p = put_text( p, " " VERSION " " );
    p = put_text( p, program );
    p = put_text( p, "\n" );
    return record_append( line, p - line, 1 );
}

/***********************************************************************
 *           begin_event
 *
 * Sees to it that the line that begins the process comes before all others. A thread that writes it
 * cannot be stopped meanwhile, so another one waits for a moment only. Returns 0, or -errno, or 1
 * if nothing is to be written: in the child of a fork(), and if another thread has failed here,
 * whose error counts.
 */
static UNINTERRUPTED_PART int begin_event(void)
{
    const long millisecond[2] = { 0, 1000000 };
    enum beginning old = NOT_BEGUN;
    int ret;

    if (raw_syscall3( SYS_getpid, 0, 0, 0 ) != process) return 1;
    if (__atomic_load_n( &beginning, __ATOMIC_ACQUIRE ) == BEGUN) return 0;
    if (__atomic_compare_exchange_n( &beginning, &old, BEGINNING, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_ACQUIRE ))
    {
        ret = write_beginning();
        __atomic_store_n( &beginning, ret ? NOT_BEGUN : BEGUN, __ATOMIC_RELEASE );
        return ret;
    }
    while ((old = __atomic_load_n( &beginning, __ATOMIC_ACQUIRE )) == BEGINNING)
        raw_syscall3( SYS_nanosleep, (long)millisecond, 0, 0 );
    return old != BEGUN;
}

static UNINTERRUPTED_PART int write_line( char *line, char *end )
{
    *end++ = '\n';
    return record_append( line, end - line, 0 );
}

static UNINTERRUPTED int write_change( const char *word, uintptr_t base, size_t size,
                                       const unsigned long *type )
{
    char line[MAX_LINE], *p;
    int ret = begin_event();

    if (ret) return ret < 0 ? ret : 0;
    p = put_range( put_start( line, word ), base, size );
    if (type) p = put_hex( put_text( p, " " ), *type );
    return write_line( line, p );
}

void record_change( enum record_event event, const void *base, size_t size, unsigned long type )
{
    static const char * const words[] =
    {
        [RECORD_ALLOC] = "alloc", [RECORD_COMMIT] = "commit", [RECORD_DISCARD] = "discard",
        [RECORD_DECOMMIT] = "decommit", [RECORD_FREE] = "free",
    };
    int err = write_change( words[event], (uintptr_t)base, size,
                            event == RECORD_ALLOC ? &type : NULL );

    deliver_deferred_signals();
    if (err) stop_recording( err );
}

/***********************************************************************
 *           put_pages
 *
 * Puts the numbers of the pages that a poll has stored: "3-5 9". Another thread may have changed
 * the array meanwhile, or taken it away; then the pages are not known, which is put as a question
 * mark.
 */
static UNINTERRUPTED_PART char *put_pages( char *p, const struct range *range, void **addresses,
                                      size_t count )
{
    char *start = p;
    uintptr_t page, addr, first = 0, last = 0;
    size_t i;

    for (i = 0; i < count; i++)
    {
        if (user_load_pointer( addresses + i, &addr )) break;
        if (addr < range->start || addr >= range->end || addr & (page_size() - 1)) break;
        page = (addr - range->start) >> page_shift;
        if (i && page <= last) break;
        if (i && page == last + 1)
        {
            last = page;
            continue;
        }
        if (i && last > first) p = put_number( put_text( p, "-" ), last );
        p = put_number( put_text( p, " " ), page );
        first = last = page;
    }
    if (i < count) return put_text( start, " ?" );
    return count && last > first ? put_number( put_text( p, "-" ), last ) : p;
}

/***********************************************************************
 *           write_poll
 *
 * A page takes a number and the sign before it at most, in a run as well as by itself.
 */
static UNINTERRUPTED_PART int write_poll( const struct record_poll *poll, size_t max, size_t count )
{
    struct range range;
    char small[MAX_LINE], *line = small, *p;
    size_t size;
    long ret;

    if ((ret = begin_event())) return ret < 0 ? ret : 0;
    range.start = round_down( (uintptr_t)poll->base );
    range.end   = round_down( (uintptr_t)poll->base + poll->size - 1 ) + page_size();
    if (count > max) count = max;
    if (count > (range.end - range.start) >> page_shift) count = 0, max = 0;

    size = MAX_LINE / 2 + count * (1 + count_digits( (range.end - range.start) >> page_shift ));
    if (size > sizeof(small))
    {
        if (raw_failed( ret = raw_mmap_anon( size ))) line = small;
        else line = (char *)ret;
    }
    p = put_range( put_start( line, "poll" ), (uintptr_t)poll->base, poll->size );
    p = put_hex( put_text( p, " " ), poll->flags );
    p = put_number( put_text( p, " " ), max );
    p = put_text( put_number( put_text( p, " " ), count ), ":" );
    if (!max || (size > sizeof(small) && line == small)) p = put_text( p, " ?" );
    else p = put_pages( p, &range, poll->addresses, count );
    ret = write_line( line, p );
    if (line != small) raw_munmap( line, size );
    return ret;
}

/***********************************************************************
 *           get_and_write
 *
 * The poll and its line are one piece of uninterrupted code: a poll of a thread that is terminated
 * meanwhile is recorded as well. The count is loaded as the poll itself does first of all, so that
 * a fault there has the same consequence.
 */
static UNINTERRUPTED NTSTATUS get_and_write( const struct record_poll *poll, int *err )
{
    uintptr_t max = 0, count;
    int status;

    if (poll->count && poll->granularity && (status = user_load_pointer( poll->count, &max )))
        return status;
    status = get_write_watch( poll->flags, poll->base, poll->size, poll->addresses, poll->count,
                              poll->granularity );
    /* if it is gone by now, the pages are not known */
    if (!status && user_load_pointer( poll->count, &count )) count = max = 0;
    if (!status) *err = write_poll( poll, max, count );
    return status;
}

NTSTATUS record_get( const struct record_poll *poll )
{
    int err = 0;
    NTSTATUS status = get_and_write( poll, &err );

    deliver_deferred_signals();
    if (err) stop_recording( err );
    return status;
}

static UNINTERRUPTED NTSTATUS reset_and_write( void *base, SIZE_T size, int *err )
{
    NTSTATUS status = reset_write_watch( base, size );

    if (!status) *err = write_change( "reset", (uintptr_t)base, size, NULL );
    return status;
}

NTSTATUS record_reset( void *base, SIZE_T size )
{
    int err = 0;
    NTSTATUS status = reset_and_write( base, size, &err );

    deliver_deferred_signals();
    if (err) stop_recording( err );
    return status;
}
