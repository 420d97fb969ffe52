/*
 * robustness: four writers with numbered writes against one poller, nothing lost, nothing extra
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* Each page has one writer, which stores the number of a write in "began", in the page and in
 * "done", in that order.  The poller copies "done" before each poll and looks at "began" after it:
 *   - a write that is done when a poll begins is reported by this poll or by one of those before
 *     it, back to the last one that had begun when the write began;
 *   - a page is reported only when a write to it began that was not done when the last poll began.
 * A poll is one or more calls of which the last one sees the whole region.  Of a page that is just
 * being decommitted the report may come later: a report is owed, the very call is not promised. */

#define PAGES      8192
#define WRITERS    4
#define DISTURBED  64             /* the last pages: also decommitted and protected all the time */
#define SECONDS    8
#define PATIENCE   2000           /* milliseconds within which a report that is owed must come */

static char *base;
static volatile LONG began[PAGES], done[PAGES];
static LONG done_before[PAGES];                      /* at the start of the last poll */
static LONG done_now[PAGES], began_now[PAGES];       /* at the start of this poll */
static volatile LONG64 last_done[PAGES];             /* when, of the disturbed pages */
static LONG64 first_chance[PAGES];                   /* last poll that began before that write */
static LONG64 last_report[PAGES];                    /* the last poll that reported the page */
static LONG64 owed_since[PAGES];                     /* when a report was due that did not come */
static LONG copy[PAGES];                             /* the content, as known from the reports */
static unsigned char reported_now[PAGES];
static void *results[PAGES];
static volatile LONG stopping;
static LONG64 reports, calls, truncated, late;
static LONG64 polls = 1;                             /* the number of a poll; 0 stands for never */
static volatile LONG64 writes, decommits, protections;

/***********************************************************************
 *           is_never_written
 *
 * Pages that nobody writes, here and there among the others.
 */
static BOOL is_never_written( unsigned int page )
{
    return page % 16 == 15;
}


/***********************************************************************
 *           is_written_once
 *
 * Of the disturbed pages some are written at first and never again, whatever else befalls them.
 */
static BOOL is_written_once( unsigned int page )
{
    return page >= PAGES - DISTURBED && page % 16 == 14;
}


/***********************************************************************
 *           content
 */
static volatile LONG *content( unsigned int page )
{
    return (volatile LONG *)(base + (size_t)page * PAGE_SIZE + 128);
}


/***********************************************************************
 *           write_page
 *
 * One numbered write.
 */
static void write_page( unsigned int page )
{
    LONG number = began[page] + 1;

    began[page] = number;
    *content( page ) = number;
    done[page] = number;
}


/***********************************************************************
 *           writer_thread
 *
 * Writes the pages whose number is its own modulo the number of writers.
 */
static DWORD WINAPI writer_thread( void *arg )
{
    unsigned int self = (ULONG_PTR)arg, i;
    ULONG64 random = 100 + self;

    while (!stopping)
    {
        for (i = 0; i < 16; i++)
        {
            unsigned int page = next_random( &random ) % (PAGES - DISTURBED);

            page = page / WRITERS * WRITERS + self;
            if (!is_never_written( page )) write_page( page );
        }
        InterlockedExchangeAdd64( &writes, 16 );
        spin( next_random( &random ) % 60 );
    }
    return 0;
}


/***********************************************************************
 *           disturbing_thread
 *
 * Decommits, commits again, protects and unprotects pages of the same region.  Neither is a write,
 * and a write that came before stays one.
 */
static DWORD WINAPI disturbing_thread( void *arg )
{
    ULONG64 random = (ULONG_PTR)arg;
    DWORD old;

    while (!stopping)
    {
        unsigned int page = PAGES - DISTURBED + next_random( &random ) % (DISTURBED - 4);
        unsigned int count = 1 + next_random( &random ) % 4;
        char *address = base + (size_t)page * PAGE_SIZE;

        if (next_random( &random ) % 4 && !is_never_written( page ) &&
            (!began[page] || !is_written_once( page )))
        {
            write_page( page );
            last_done[page] = microseconds();
        }
        if (next_random( &random ) % 2)
        {
            check( VirtualFree( address, count * PAGE_SIZE, MEM_DECOMMIT ), "decommit failed" );
            check( VirtualAlloc( address, count * PAGE_SIZE, MEM_COMMIT,
                                 PAGE_READWRITE ) == address, "commit failed" );
            check( !*content( page ), "page %u is not zero after a decommit", page );
            decommits++;
        }
        else
        {
            static const DWORD protect[] = { PAGE_READONLY, PAGE_NOACCESS, PAGE_EXECUTE_READ };
            check( VirtualProtect( address, count * PAGE_SIZE, protect[next_random( &random ) % 3],
                                   &old ), "VirtualProtect failed" );
            spin( next_random( &random ) % 20 );
            check( VirtualProtect( address, count * PAGE_SIZE, PAGE_READWRITE, &old ),
                   "VirtualProtect failed" );
            protections++;
        }
        spin( next_random( &random ) % 200 );
    }
    return 0;
}


/***********************************************************************
 *           poll_range
 *
 * Takes what is reported of some pages, with an array of that size, which becomes a large one when
 * the writers are faster.
 */
static void poll_range( unsigned int first, unsigned int pages, ULONG_PTR size )
{
    unsigned int turn;
    ULONG granularity;
    ULONG_PTR count, i;

    for (turn = 0;; turn++)
    {
        if (turn >= 32) size = PAGES;
        count = size;
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base + (size_t)first * PAGE_SIZE,
                           (size_t)pages * PAGE_SIZE, results, &count, &granularity ))
        {
            check( 0, "GetWriteWatch failed, error %lu", GetLastError() );
            return;
        }
        calls++;
        check( count <= size, "%u pages, but room for %u", (unsigned int)count,
               (unsigned int)size );
        for (i = 0; i < count && i < size; i++)
        {
            size_t offset = (char *)results[i] - base, page = offset / PAGE_SIZE;

            if (page < first || page >= first + pages || offset % PAGE_SIZE ||
                (i && (char *)results[i] <= (char *)results[i - 1]))
            {
                check( 0, "wrong address %p", results[i] );
                continue;
            }
            reported_now[page] = 1;
            last_report[page] = polls;
            if (page < PAGES - DISTURBED) copy[page] = *content( page );
        }
        reports += count;
        if (count < size) return;
        truncated++;
    }
}


/***********************************************************************
 *           check_page
 *
 * Compares what this poll said about a page with the model.
 */
static void check_page( unsigned int page )
{
    LONG64 now = page < PAGES - DISTURBED ? PATIENCE * 1000 : microseconds();

    if (reported_now[page])
    {
        check( began[page] != done_before[page] ||
               (began[page] && now - last_done[page] < PATIENCE * 1000),
               "poll %d: page %u was reported, its last write is %ld, done long ago", (int)polls,
               page, began[page] );
        owed_since[page] = 0;
    }
    if (began_now[page] && done_now[page] == began_now[page] &&
        last_report[page] < first_chance[page])
    {
        if (!owed_since[page])
        {
            owed_since[page] = now;
            late++;
        }
        check( page >= PAGES - DISTURBED && now - owed_since[page] < PATIENCE * 1000,
               "poll %d: write %ld of page %u was not reported since poll %d", (int)polls,
               done_now[page], page, (int)first_chance[page] );
    }
}


/***********************************************************************
 *           poll
 *
 * One poll of the whole region, in one range or two, and its comparison with the model.
 */
static void poll( ULONG64 *random )
{
    unsigned int split = next_random( random ) % 4 ? 0 : 1 + next_random( random ) % (PAGES - 1);
    ULONG_PTR size = next_random( random ) % 4 ? 512 : 1 + next_random( random ) % 64;
    unsigned int page;

    polls++;
    memset( reported_now, 0, sizeof(reported_now) );
    memcpy( done_before, done_now, sizeof(done_before) );
    for (page = 0; page < PAGES; page++)
    {
        LONG number;

        done_now[page] = done[page];
        number = began[page];
        if (number != began_now[page]) first_chance[page] = polls - 1;
        began_now[page] = number;
    }

    if (split) poll_range( 0, split, size );
    poll_range( split, PAGES - split, size );

    for (page = 0; page < PAGES; page++) check_page( page );
}


/***********************************************************************
 *           main
 */
int main(void)
{
    unsigned int page, i, stale = 0, never = 0;
    HANDLE writers[WRITERS], disturbing;
    ULONG64 random = 0xabcdef;
    volatile char sink;
    LONG64 end;

    start_watchdog( 20 );
    base = allocate_watched( PAGES );
    for (i = 0; i < WRITERS; i++) writers[i] = start_thread( writer_thread, (void *)(ULONG_PTR)i );
    disturbing = start_thread( disturbing_thread, (void *)5 );

    stage = "polling";
    for (end = microseconds() + SECONDS * 1000000ll; microseconds() < end && !failures;)
    {
        poll( &random );
        /* reading is no writing, not even of a page that was never touched */
        page = next_random( &random ) % (PAGES - DISTURBED) / 16 * 16 + 15;
        sink = *content( page );
        (void)sink;
        if (!(next_random( &random ) % 8)) Sleep( 1 );
    }

    stage = "ending";
    InterlockedExchange( &stopping, 1 );
    for (i = 0; i < WRITERS; i++) join_thread( writers[i] );
    join_thread( disturbing );
    poll( &random );
    poll( &random );
    for (page = 0; page < PAGES; page++)
    {
        check( !reported_now[page], "page %u is reported again, though all writers ended",
               page );
        check( !owed_since[page], "page %u was written and never reported", page );
        if (is_never_written( page )) never++;
        if (page < PAGES - DISTURBED && copy[page] != *content( page )) stale++;
    }
    check( !stale, "%u pages have a newer content than the last report told", stale );
    check( failures || polls > 20, "only %d polls", (int)polls );
    say( "writers_poller: %d writes, %d polls in %d calls (%d filled the array), "
         "%d pages reported, %d of them late, %d decommits, %d protections, "
         "%u pages never written, %ld failures\n", (int)writes, (int)polls - 1, (int)calls,
         (int)truncated, (int)reports, (int)late, (int)decommits, (int)protections, never, failures );
    finish();
}
