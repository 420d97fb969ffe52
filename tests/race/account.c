/*
 * Race test: which writes and reports there were, and whether they fit
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "race.h"

/* sixteen pages, of which one writer owns all that are not shared,
 * have a cache line of their own */
static uint32_t began[MAX_PAGES] __attribute__((aligned(64)));
static uint32_t done[MAX_PAGES] __attribute__((aligned(64)));

static uint32_t shown[MAX_PAGES];     /* what the page showed when it was last reported */
static uint32_t covered[MAX_PAGES];   /* the writes that were done before the last call that did */
static uint64_t noted[MAX_PAGES];     /* when that was taken note of, as a ticket */
static uint64_t tickets;

/* what one poller needs for a call */
static struct poller
{
    unsigned int  calls;              /* odd during a call and until note has been taken */
    uint32_t      before[MAX_PAGES];  /* done, before the call */
    unsigned char reported[MAX_PAGES];
    void         *results[MAX_PAGES];
} pollers[MAX_POLLERS];

static int gate;   /* pollers do not begin a call */

/***********************************************************************
 *           page_kind
 */
enum kind page_kind( unsigned int page )
{
    if (page >= current.pages - DISTURBED) return CHANGING;
    if (page % 16 == 15) return UNWRITTEN;
    return page % 16 == 14 ? SHARED : OWN;
}


/***********************************************************************
 *           page_content
 *
 * The word that is written, here and there in the page.
 */
volatile uint32_t *page_content( unsigned int page )
{
    return (volatile uint32_t *)(current.base + (size_t)page * PAGE + page * 132 % PAGE);
}


/***********************************************************************
 *           account_clear
 *
 * For a new round, in which nothing is written.
 */
void account_clear(void)
{
    memset( began, 0, sizeof(began) );
    memset( done, 0, sizeof(done) );
    memset( shown, 0, sizeof(shown) );
    memset( covered, 0, sizeof(covered) );
    memset( noted, 0, sizeof(noted) );
}


/***********************************************************************
 *           account_write
 *
 * One write by the program. In a shared page the number of writes made is what counts.
 */
void account_write( unsigned int page )
{
    uint32_t number;

    if (page_kind( page ) == SHARED)
    {
        add( &began[page], 1 );
        add( page_content( page ), 1 );
        add( &done[page], 1 );
        return;
    }
    number = began[page] + 1;
    store( &began[page], number );
    store( page_content( page ), number );
    store( &done[page], number );
}


/* keeps calls from beginning and waits for those that have */
static void close_gate(void)
{
    unsigned int i;

    __atomic_store_n( &gate, 1, __ATOMIC_SEQ_CST );
    for (i = 0; i < MAX_POLLERS; i++)
        while (__atomic_load_n( &pollers[i].calls, __ATOMIC_SEQ_CST ) & 1) yield_thread();
}


/***********************************************************************
 *           account_kernel_write
 *
 * One write to a page of one's own by a system call. Those that write to any process take hold of
 * the page first, and may fill it after a poll has closed it to all others. That no such write
 * is lost is not promised, so no poll is made meanwhile.
 */
int account_kernel_write( unsigned int page, int to_process )
{
    uint32_t number = began[page] + 1;
    int ret;

    if (to_process) close_gate();
    store( &began[page], number );
    ret = to_process ? write_to_process( (void *)page_content( page ), number )
                     : write_by_read( (void *)page_content( page ), number );
    if (ret) store( &done[page], number );
    if (to_process) __atomic_store_n( &gate, 0, __ATOMIC_SEQ_CST );
    return ret;
}


static void begin_call( struct poller *self )
{
    for (;;)
    {
        __atomic_fetch_add( &self->calls, 1, __ATOMIC_SEQ_CST );
        if (!__atomic_load_n( &gate, __ATOMIC_SEQ_CST )) return;
        __atomic_fetch_add( &self->calls, 1, __ATOMIC_SEQ_CST );
        yield_thread();
    }
}


/* waits until all calls that have begun have been taken note of */
static void settle( const struct poller *self )
{
    unsigned int i, calls;

    for (i = 0; i < MAX_POLLERS; i++)
    {
        calls = __atomic_load_n( &pollers[i].calls, __ATOMIC_SEQ_CST );
        if (&pollers[i] == self || !(calls & 1)) continue;
        while (__atomic_load_n( &pollers[i].calls, __ATOMIC_SEQ_CST ) == calls) yield_thread();
    }
}


static void raise( uint32_t *ptr, uint32_t value )
{
    uint32_t old = load( ptr );

    while (old < value &&
           !__atomic_compare_exchange_n( ptr, &old, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST ))
        /* again */;
}


/***********************************************************************
 *           note
 *
 * A page was reported. The contents of a page that also changes otherwise say nothing: there all
 * writes that have begun may be reported. A word that a system call is just storing may be
 * read half done, and is no less than what was done before.
 */
static void note( struct poller *self, unsigned int page, int reset, uint64_t ticket )
{
    uint32_t value, before = load( &covered[page] );

    if (load( &noted[page] ) <= ticket && load( &began[page] ) == before)
    {
        add( &counts.falsely, 1 );
        failed( "page %u of %u is reported, all of its %u writes were reported before", page,
                current.pages, before );
    }
    if (!reset) return;
    value = page_kind( page ) == CHANGING ? load( &began[page] ) : *page_content( page );
    if (value < self->before[page]) value = self->before[page];
    raise( &shown[page], value );
    /* in this order, the other one in reading */
    store( &noted[page], add( &tickets, 1 ) + 1 );
    raise( &covered[page], self->before[page] );
}


/***********************************************************************
 *           find_lost
 *
 * Looks at the pages that were not reported.
 */
static void find_lost( struct poller *self, unsigned int first, unsigned int last )
{
    unsigned int page;
    int settled = 0;

    for (page = first; page < last; page++)
    {
        if (self->before[page] <= load( &shown[page] ) || self->reported[page]) continue;
        if (!settled) settle( self );
        settled = 1;
        if (self->before[page] <= load( &shown[page] )) continue;
        add( &counts.lost, 1 );
        failed( "page %u of %u is not reported, write %u was done and the last report showed %u",
                page, current.pages, self->before[page], load( &shown[page] ) );
        raise( &shown[page], self->before[page] );
    }
}


/***********************************************************************
 *           account_call
 *
 * One call for the pages from first to last, with an array of that size. Returns the page after
 * those that it has reported in full.
 */
unsigned int account_call( unsigned int poller, unsigned int first, unsigned int last, int reset,
                           unsigned int size, unsigned int *count )
{
    struct poller *self = &pollers[poller];
    char *base = current.base + (size_t)first * PAGE;
    ULONG_PTR found = size, i;
    unsigned int page, end = first;
    DWORD granularity = 0;
    uint64_t ticket;

    begin_call( self );
    ticket = load( &tickets );
    for (page = first; page < last; page++) self->before[page] = load( &done[page] );
    memset( self->reported + first, 0, last - first );

    *count = 0;
    if (GetWriteWatch( reset ? WRITE_WATCH_FLAG_RESET : 0, base, (size_t)(last - first) * PAGE,
                       self->results, &found, &granularity ))
    {
        failed( "GetWriteWatch failed, error %u", (unsigned int)GetLastError() );
        found = 0;
        last = first;
    }
    else if (found > size || granularity != PAGE)
    {
        failed( "count %u of %u, granularity %u", (unsigned int)found, size,
                (unsigned int)granularity );
        found = 0;
    }
    for (i = 0; i < found; i++)
    {
        size_t offset = (char *)self->results[i] - current.base;

        page = offset / PAGE;
        if (offset % PAGE || page < end || page >= last)
        {
            failed( "entry %u is %p", (unsigned int)i, self->results[i] );
            continue;
        }
        self->reported[page] = 1;
        note( self, page, reset, ticket );
        end = page + 1;
    }
    __atomic_fetch_add( &self->calls, 1, __ATOMIC_SEQ_CST );

    if (found < size) end = last;
    else add( &counts.full_arrays, 1 );
    find_lost( self, first, end );
    add( &counts.calls, 1 );
    add( &counts.reports, found );
    *count = found;
    return end;
}


/***********************************************************************
 *           account_end
 *
 * All threads have ended: after polls of everything each write must have been reported, and then
 * there must be nothing more to report.
 */
void account_end(void)
{
    unsigned int page, count, size = 1 + current.seed % 700;

    for (page = 0; page < current.pages;)
        page = account_call( 0, page, current.pages, 1, size, &count );
    for (page = 0; page < current.pages; page++)
    {
        if (page_kind( page ) != CHANGING && *page_content( page ) != done[page])
            failed( "page %u holds %u after %u writes", page, *page_content( page ), done[page] );
        if (shown[page] >= done[page]) continue;
        add( &counts.lost, 1 );
        failed( "page %u has had %u writes, the last report showed %u", page, done[page],
                shown[page] );
    }
    account_call( 0, 0, current.pages, 1, current.pages, &count );
    if (count) failed( "%u pages are reported again after the end", count );
}
