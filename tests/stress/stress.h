/*
 * what the robustness tests share: watchdog, model of written pages, verdict
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef __STRESS_H
#define __STRESS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/nt.h"
#include "../common/random.h"
#include "../common/system.h"
#include "../common/wow64.h"

#define PAGE_SIZE     4096
#define STRESS_UNUSED __attribute__((unused))

/* A tracked region.  Each page holds in its first eight bytes the number of the last write; a
 * poller that finds the page reported copies that number to seen.  When writers rest and a last
 * poll is done, both are equal for every page, or a write was never reported. */
struct tracked
{
    char            *base;
    size_t           pages;
    volatile LONG64 *seen;      /* one number a page, in unwatched memory */
    unsigned char   *never;     /* one byte a page: this page is never written */
    volatile LONG64  writes, reported, wrong;
};

static volatile LONG failures;
static const char *volatile stage = "start";
static DWORD patience = 40000;  /* milliseconds after which what does not get on counts as stuck */

/***********************************************************************
 *           say
 *
 * Prints a line without the locks of stdio, which a terminated thread may have left behind.
 */
static void __attribute__((format(printf, 1, 2))) say( const char *format, ... )
{
    char buffer[1024];
    va_list args;
    DWORD written;
    int len;

    va_start( args, format );
    len = vsnprintf( buffer, sizeof(buffer), format, args );
    va_end( args );
    if (len < 0) return;
    if (len >= (int)sizeof(buffer)) len = sizeof(buffer) - 1;
    WriteFile( GetStdHandle( STD_OUTPUT_HANDLE ), buffer, len, &written, NULL );
}

/* What is wrong with any write watches: run-tests tells how many such lines there are. */
static STRESS_UNUSED void say_todo( const char *what )
{
    say( "todo: %s\n", what );
}

/* counts a failure and prints the first ones */
#define check( expr, ... ) \
    do { if (!(expr) && InterlockedIncrement( &failures ) <= 20) { \
        say( "%s:%d: failed: ", __FILE__, __LINE__ ); say( __VA_ARGS__ ); say( "\n" ); } } while (0)


/***********************************************************************
 *           finish
 *
 * Ends the test.  Not by exit(): what runs there takes locks that terminated threads may have held.
 */
static void __attribute__((noreturn)) finish( void )
{
    TerminateProcess( GetCurrentProcess(), failures ? 1 : 0 );
    for (;;) Sleep( 1000 );
}


/***********************************************************************
 *           watchdog
 */
static volatile LONG watching;

static DWORD WINAPI watchdog( void *seconds )
{
    watching = 1;
    Sleep( (DWORD)(ULONG_PTR)seconds * 1000 );
    say( "watchdog: hangs, not done after %u s, stage: %s\n", (unsigned int)(ULONG_PTR)seconds,
         stage );
    TerminateProcess( GetCurrentProcess(), 1 );
    return 0;
}


/***********************************************************************
 *           start_watchdog_after
 *
 * Ends a process that hangs with a failure: a little before run-tests would, and so late that no
 * machine is only slow, after the seconds for which the test goes on. Returns when the thread is at
 * work.
 */
static void start_watchdog_after( unsigned int seconds )
{
    const char *value = getenv( "WRITEWATCH_TEST_FACTOR" );
    unsigned int factor = value ? atoi( value ) : 0;

    if (!factor) factor = 4;
    patience = 10000 * factor;
    seconds += 150 * factor;
    CloseHandle( CreateThread( NULL, 0, watchdog, (void *)(ULONG_PTR)seconds, 0, NULL ));
    while (!watching) Sleep( 1 );
}

static STRESS_UNUSED void start_watchdog(void)
{
    start_watchdog_after( 0 );
}


/***********************************************************************
 *           seconds_wanted
 *
 * How long a test goes on, by "--seconds N" on its command line; 0: a fixed number of rounds.
 */
static STRESS_UNUSED unsigned int seconds_wanted( int argc, char **argv )
{
    return argc == 3 && !strcmp( argv[1], "--seconds" ) ? atoi( argv[2] ) : 0;
}


/***********************************************************************
 *           start_thread
 *
 * A thread with a small stack; the test cannot go on without it.
 */
static STRESS_UNUSED HANDLE start_thread( LPTHREAD_START_ROUTINE func, void *arg )
{
    HANDLE thread = CreateThread( NULL, 0x10000, func, arg, STACK_SIZE_PARAM_IS_A_RESERVATION,
                                  NULL );

    if (!thread)
    {
        check( 0, "CreateThread failed, error %lu", GetLastError() );
        finish();
    }
    return thread;
}


/***********************************************************************
 *           join_thread
 *
 * Waits for a thread that is about to end and closes it.
 */
static STRESS_UNUSED void join_thread( HANDLE thread )
{
    check( !WaitForSingleObject( thread, patience ), "a thread does not end" );
    CloseHandle( thread );
}


/***********************************************************************
 *           wait_while
 *
 * Waits while a flag is set, or while it is not.  Returns whether that came to an end.
 */
static STRESS_UNUSED BOOL wait_while( volatile LONG *flag, LONG value )
{
    ULONG64 end = microseconds() + patience * 1000ll;

    while (*flag == value)
    {
        if (microseconds() > end) return FALSE;
        Sleep( 1 );
    }
    return TRUE;
}


/***********************************************************************
 *           spin
 *
 * Waits that long without sleeping: sleeps end at moments that are not random enough.
 */
static STRESS_UNUSED void spin( unsigned int us )
{
    ULONG64 end = microseconds() + us;

    while (microseconds() < end) YieldProcessor();
}


/***********************************************************************
 *           allocate_watched
 *
 * Committed memory with a write watch, or the end of the test.
 */
static STRESS_UNUSED char *allocate_watched( size_t pages )
{
    char *base = VirtualAlloc( NULL, pages * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                               PAGE_READWRITE );

    if (!base)
    {
        check( 0, "VirtualAlloc of %u watched pages failed, error %lu", (unsigned int)pages,
               GetLastError() );
        finish();
    }
    return base;
}


/***********************************************************************
 *           free_address
 *
 * The lowest one where nothing is; in a 32-bit program Wine has something at 0x10000.
 */
static STRESS_UNUSED char *free_address(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *addr = (char *)0x10000;

    while (VirtualQuery( addr, &info, sizeof(info) ) && info.State != MEM_FREE)
        addr = (char *)info.BaseAddress + info.RegionSize;
    return addr;
}


/***********************************************************************
 *           tracked_init
 *
 * Allocates a tracked region.  Every page whose number is 7 modulo 8 is never to be written.
 */
static STRESS_UNUSED void tracked_init( struct tracked *region, size_t pages )
{
    size_t i;

    memset( region, 0, sizeof(*region) );
    region->base = allocate_watched( pages );
    region->pages = pages;
    region->seen = calloc( pages, sizeof(*region->seen) );
    region->never = calloc( pages, 1 );
    if (!region->seen || !region->never)
    {
        check( 0, "out of memory" );
        finish();
    }
    for (i = 7; i < pages; i += 8) region->never[i] = 1;
}


/***********************************************************************
 *           tracked_content
 *
 * The number of the last write to a page.
 */
static STRESS_UNUSED LONG64 tracked_content( const struct tracked *region, size_t page )
{
    return *(volatile LONG64 *)(region->base + page * PAGE_SIZE);
}


/***********************************************************************
 *           tracked_write
 *
 * Writes a random page that may be written.  Writers may share a page: each adds atomically.
 */
static STRESS_UNUSED size_t tracked_write( struct tracked *region, ULONG64 *random )
{
    size_t page = next_random( random ) % region->pages;

    if (region->never[page]) page--;
    InterlockedIncrement64( (volatile LONG64 *)(region->base + page * PAGE_SIZE) );
    InterlockedIncrement64( &region->writes );
    return page;
}


/***********************************************************************
 *           tracked_note
 *
 * Takes note of reported pages.  May be done twice for the same answer, and by several threads.
 */
static STRESS_UNUSED void tracked_note( struct tracked *region, void *const volatile *results,
                                        ULONG_PTR count )
{
    ULONG_PTR i;

    for (i = 0; i < count; i++)
    {
        size_t offset = (char *)results[i] - region->base, page = offset / PAGE_SIZE;
        LONG64 now, old;

        if (page >= region->pages || offset % PAGE_SIZE || region->never[page] ||
            (i && (char *)results[i] <= (char *)results[i - 1]))
        {
            InterlockedIncrement64( &region->wrong );
            check( 0, "reported falsely: %p, entry %u of %u", results[i], (unsigned int)i,
                   (unsigned int)count );
            continue;
        }
        now = tracked_content( region, page );
        for (old = region->seen[page]; old < now; old = region->seen[page])
            if (InterlockedCompareExchange64( &region->seen[page], now, old ) == old) break;
    }
    InterlockedExchangeAdd64( &region->reported, count );
}


/***********************************************************************
 *           tracked_poll
 *
 * One poll of the whole region with RESET, or until the answer no longer fills the array.
 */
static STRESS_UNUSED ULONG_PTR tracked_poll( struct tracked *region, void **results,
                                             ULONG_PTR size )
{
    ULONG_PTR count, total = 0;
    ULONG granularity;

    do
    {
        count = size;
        granularity = 0;
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, region->base, region->pages * PAGE_SIZE,
                           results, &count, &granularity ))
        {
            check( 0, "GetWriteWatch failed, error %lu", GetLastError() );
            return total;
        }
        check( count <= size && granularity == PAGE_SIZE, "count %u of %u, granularity %lu",
               (unsigned int)count, (unsigned int)size, granularity );
        if (count > size) return total;
        tracked_note( region, results, count );
        total += count;
    } while (count == size);
    return total;
}


/***********************************************************************
 *           tracked_lost
 *
 * Counts the pages whose last write was not seen by any poller.  The writers must rest.
 */
static STRESS_UNUSED unsigned int tracked_lost( const struct tracked *region )
{
    unsigned int lost = 0;
    size_t page;

    for (page = 0; page < region->pages; page++)
        if (!region->never[page] && tracked_content( region, page ) != region->seen[page]) lost++;
    return lost;
}

#endif
