/*
 * robustness: results arrays that cannot be written, from several threads at once
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* Row 34: such a call fails with an access violation, resets nothing, loses nothing and holds no
 * lock.  Each thread has a region of its own, so that the normal poll after each bad one must give
 * exactly what was written.  Row 33: an array inside the watched range is no bad one. */

#define PAGES    64
#define THREADS  4
#define TURNS    100              /* of each thread */
#define GUARD    0x10             /* pages of the region that hold arrays */

/* not an address of the processor's; before the last that programs can have */
#ifdef _WIN64
#define IMPOSSIBLE 0x8000000000000000
#define LAST_BYTES 0x00007ffffffffff8
#else
#define IMPOSSIBLE 0xfffff004
#define LAST_BYTES 0x7ffefff8
#endif

/* MUST_FAIL_LATE: with the array or the count, and only when it is stored */
enum outcome { MUST_FAIL, MUST_FAIL_LATE, MUST_SUCCEED };

struct worker
{
    char         *base;           /* the watched region */
    char         *edge;           /* two pages, of which only the first is committed */
    char         *readonly, *noaccess, *guard, *reserved, *image;
    unsigned char written[PAGES];
    unsigned int  expected;
    ULONG64       random;
    LONG          bad_calls, failed_calls, good_calls, inside_calls;
    HANDLE        thread;
};

static struct worker workers[THREADS];
static BOOL wow64;                /* new WoW64: what a failed copy loses is not ours */
static volatile LONG stopping;
static char *volatile fleeting;   /* an array that another thread frees at any moment */
static volatile LONG fleeting_polls;
static const char readonly_data[PAGE_SIZE] = "not to be written";

/***********************************************************************
 *           write_some
 *
 * Writes some pages of the region, at least one, and notes them.
 */
static void write_some( struct worker *worker, unsigned int most )
{
    unsigned int i, page, count = 1 + next_random( &worker->random ) % most;

    for (i = 0; i < count; i++)
    {
        page = GUARD + next_random( &worker->random ) % (PAGES - GUARD);
        worker->base[page * PAGE_SIZE + 8] = i;
        if (!worker->written[page]) worker->expected++;
        worker->written[page] = 1;
    }
}


/***********************************************************************
 *           lost_in_copy
 *
 * In new WoW64: what was written is reset and not reported when the answer cannot be copied.
 */
static void lost_in_copy( struct worker *worker )
{
    memset( worker->written, 0, sizeof(worker->written) );
    worker->expected = 0;
}


/***********************************************************************
 *           check_answer
 *
 * Compares an answer with what was written; pages below the limit may be there or not.
 */
static void check_answer( struct worker *worker, void **results, ULONG_PTR count,
                          unsigned int limit, const char *what )
{
    unsigned int found = 0, wrong = 0;
    size_t last = 0;
    ULONG_PTR i;

    for (i = 0; i < count; i++)
    {
        size_t offset = (char *)results[i] - worker->base, page = offset / PAGE_SIZE;

        if (page >= PAGES || offset % PAGE_SIZE || (i && page <= last)) wrong++;
        else if (worker->written[page]) found++;
        else if (page >= limit) wrong++;
        last = page;
    }
    check( found == worker->expected && !wrong,
           "%s: %u pages written, %u of them reported, %u wrongly", what, worker->expected, found,
           wrong );
    memset( worker->written, 0, sizeof(worker->written) );
    worker->expected = 0;
}


/***********************************************************************
 *           poll_exactly
 *
 * A normal poll, which must give exactly what was written since the last one.
 */
static void poll_exactly( struct worker *worker, unsigned int limit, const char *what )
{
    void *results[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, worker->base, PAGES * PAGE_SIZE, results, &count,
                       &granularity ))
    {
        check( 0, "%s: the next poll failed, error %lu", what, GetLastError() );
        return;
    }
    check_answer( worker, results, count, limit, what );
    worker->good_calls++;
}


/***********************************************************************
 *           poll_badly
 *
 * One call with a bad pointer somewhere, then a normal one.
 */
static void poll_badly( struct worker *worker, void *results, ULONG_PTR *count, ULONG *granularity,
                        enum outcome outcome, const char *what )
{
    DWORD flags = next_random( &worker->random ) % 4 ? WRITE_WATCH_FLAG_RESET : 0, error;
    UINT ret;

    stage = what;
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( flags, worker->base, PAGES * PAGE_SIZE, results, count, granularity );
    error = GetLastError();
    worker->bad_calls++;
    if (ret)
    {
        check( ret == ~0u && error == ERROR_NOACCESS, "%s: returned %x, error %lu", what, ret,
               error );
        check( outcome != MUST_SUCCEED, "%s: the call failed", what );
        worker->failed_calls++;
        if (wow64 && flags && outcome == MUST_FAIL_LATE) lost_in_copy( worker );
    }
    else
    {
        check( outcome == MUST_SUCCEED, "%s: the call succeeded", what );
        /* only an array that can be written leads here: so it can be read as well */
        if (outcome != MUST_SUCCEED) return;
        if (flags)
        {
            check_answer( worker, results, *count, 0, what );
            return;
        }
    }
    poll_exactly( worker, 0, what );
}


/***********************************************************************
 *           poll_results
 *
 * The bad arrays one after the other.
 */
static void poll_results( struct worker *worker )
{
    ULONG_PTR count;
    ULONG granularity;
    DWORD old;
    const struct { void *array; const char *what; } bad[] =
    {
        { NULL,                               "no array" },
        { (void *)8,                          "an array in page 0" },
        { KERNEL_ADDRESS,                     "an array in the kernel" },
        { (void *)~(ULONG_PTR)7,              "an array at the end of the address space" },
        { (void *)IMPOSSIBLE,                 "an array at an impossible address" },
        { (void *)LAST_BYTES,                 "an array across the end of user space" },
        { worker->readonly,                   "a read-only array" },
        { worker->readonly + 12,              "a read-only, unaligned array" },
        { worker->noaccess,                   "an array without access" },
        { worker->reserved,                   "an array in reserved memory" },
        { worker->edge + PAGE_SIZE,           "an array past the end of its memory" },
        { worker->image,                      "an array in constant data" },
    };
    unsigned int i, room;

    for (i = 0; i < ARRAYSIZE( bad ); i++)
    {
        write_some( worker, 40 );
        count = PAGES;
        poll_badly( worker, bad[i].array, &count, &granularity,
                    bad[i].array ? MUST_FAIL_LATE : MUST_FAIL, bad[i].what );
    }

    /* the array ends before the answer does; then after the answer, but before its stated size */
    write_some( worker, 40 );
    count = PAGES;
    room = next_random( &worker->random ) % worker->expected;
    poll_badly( worker, worker->edge + PAGE_SIZE - room * sizeof(void *), &count, &granularity,
                MUST_FAIL_LATE, "an array shorter than the answer" );
    write_some( worker, 20 );
    count = PAGES;
    room = 20 + next_random( &worker->random ) % (PAGES - 20);
    poll_badly( worker, worker->edge + PAGE_SIZE - room * sizeof(void *), &count, &granularity,
                MUST_SUCCEED, "an array shorter than stated" );

    /* the guard fires once (row 34b); afterwards the memory is ordinary */
    write_some( worker, 40 );
    count = PAGES;
    stage = "an array in a guard page";
    VirtualProtect( worker->guard, PAGE_SIZE, PAGE_READWRITE | PAGE_GUARD, &old );
    check( GetWriteWatch( WRITE_WATCH_FLAG_RESET, worker->base, PAGES * PAGE_SIZE,
                          (void **)worker->guard, &count, &granularity ) &&
           GetLastError() == (DWORD)STATUS_GUARD_PAGE_VIOLATION, "%s: error %lx", stage,
           GetLastError() );
    worker->bad_calls++;
    worker->failed_calls++;
    if (wow64) lost_in_copy( worker );
    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, worker->base, PAGES * PAGE_SIZE,
                           (void **)worker->guard, &count, &granularity ), "%s: error %lx", stage,
           GetLastError() );
    check_answer( worker, (void **)worker->guard, count, 0, stage );
}


/***********************************************************************
 *           poll_counts
 *
 * The other two pointers.
 */
static void poll_counts( struct worker *worker )
{
    void *results[PAGES];
    ULONG_PTR count = PAGES, *readonly_count = (ULONG_PTR *)(worker->readonly + 64);
    ULONG granularity;

    write_some( worker, 40 );
    poll_badly( worker, results, NULL, &granularity, MUST_FAIL, "no count" );
    write_some( worker, 40 );
    poll_badly( worker, results, &count, NULL, MUST_FAIL, "no granularity" );
    write_some( worker, 40 );
    poll_badly( worker, results, readonly_count, &granularity, MUST_FAIL_LATE,
                "a read-only count" );
    write_some( worker, 40 );
    poll_badly( worker, results, (ULONG_PTR *)worker->reserved, &granularity, MUST_FAIL,
                "a count in reserved memory" );
    write_some( worker, 40 );
    poll_badly( worker, results, KERNEL_ADDRESS, &granularity, MUST_FAIL,
                "a count in the kernel" );
    count = PAGES;
    write_some( worker, 40 );
    poll_badly( worker, results, &count, (ULONG *)worker->readonly, MUST_FAIL,
                "a read-only granularity" );
    count = PAGES;
    write_some( worker, 40 );
    poll_badly( worker, results, &count, KERNEL_ADDRESS, MUST_FAIL,
                "a granularity in the kernel" );
}


/***********************************************************************
 *           poll_inside
 *
 * The array inside the watched range: its own pages are reported by this call or by the next.
 */
static void poll_inside( struct worker *worker )
{
    static const char *const what = "an array inside the watched range";
    ULONG_PTR count = PAGES, i;
    size_t offset = next_random( &worker->random ) % (4 * PAGE_SIZE) & ~(sizeof(void *) - 1);
    void **results = (void **)(worker->base + offset);
    void *copy[PAGES], *next[PAGES];
    unsigned int own = 0, expected;
    ULONG granularity;
    size_t first, last;

    stage = what;
    write_some( worker, 40 );
    expected = worker->expected;
    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, worker->base, PAGES * PAGE_SIZE, results, &count,
                       &granularity ))
    {
        check( 0, "%s: failed, error %lu", what, GetLastError() );
        return;
    }
    check( count >= expected && count <= PAGES, "%s: %u pages", what, (unsigned int)count );
    memcpy( copy, results, min( count, PAGES ) * sizeof(void *) );
    first = ((char *)results - worker->base) / PAGE_SIZE;
    last = ((char *)(results + count) - 1 - worker->base) / PAGE_SIZE;
    check_answer( worker, copy, min( count, PAGES ), GUARD, what );
    worker->inside_calls++;

    /* the pages that the answer was written to */
    for (i = 0; i < count && i < PAGES; i++)
        if ((char *)copy[i] >= worker->base + first * PAGE_SIZE &&
            (char *)copy[i] <= worker->base + last * PAGE_SIZE) own++;
    count = PAGES;
    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, worker->base, PAGES * PAGE_SIZE, next, &count,
                           &granularity ), "%s: the next poll failed", what );
    for (i = 0; i < count && i < PAGES; i++)
    {
        check( (char *)next[i] < worker->base + GUARD * PAGE_SIZE, "%s: %p is reported again", what,
               next[i] );
        if ((char *)next[i] >= worker->base + first * PAGE_SIZE &&
            (char *)next[i] <= worker->base + last * PAGE_SIZE) own++;
    }
    check( own >= last - first + 1, "%s: %u of the array's %u pages reported", what, own,
           (unsigned int)(last - first + 1) );
}


/***********************************************************************
 *           poll_fleeting
 *
 * Polls into an array that is freed meanwhile.  What a successful call reported may be gone with
 * the array, which is the program's business; after a refused one nothing may be lost.
 */
static void poll_fleeting( struct worker *worker )
{
    void *results[PAGES];
    ULONG granularity;
    unsigned int i;

    stage = "an array freed meanwhile";
    for (i = 0; i < 20; i++)
    {
        char *array = fleeting;
        ULONG_PTR count = PAGES;

        if (!array) continue;
        write_some( worker, 40 );
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, worker->base, PAGES * PAGE_SIZE,
                           (void **)array + worker->random % 1000, &count, &granularity ))
        {
            check( GetLastError() == ERROR_NOACCESS, "%s: error %lu", stage, GetLastError() );
            if (wow64) lost_in_copy( worker );
            /* pages already handed over can no longer be read back from the array, so the whole
             * range may count as written; none that was written may be missing */
            poll_exactly( worker, PAGES, "after an array freed meanwhile" );
        }
        else
        {
            check( count == worker->expected, "%s: %u pages instead of %u", stage,
                   (unsigned int)count, worker->expected );
            memset( worker->written, 0, sizeof(worker->written) );
            worker->expected = 0;
            count = PAGES;
            check( !GetWriteWatch( 0, worker->base, PAGES * PAGE_SIZE, results, &count,
                                   &granularity ) && !count, "%s: %u pages are left", stage,
                   (unsigned int)count );
        }
        InterlockedIncrement( &fleeting_polls );
    }
}


/***********************************************************************
 *           worker_thread
 */
static DWORD WINAPI worker_thread( void *arg )
{
    struct worker *worker = arg;
    unsigned int i;

    for (i = 0; i < TURNS && !failures; i++)
    {
        poll_results( worker );
        poll_counts( worker );
        poll_inside( worker );
        poll_fleeting( worker );
    }
    return 0;
}


/***********************************************************************
 *           freeing_thread
 *
 * Gives the others an array and takes it away.  The address is always the same, and no other
 * allocation may get it while it is free: the region around it stays reserved.
 */
static DWORD WINAPI freeing_thread( void *arg )
{
    char *array = arg;
    ULONG64 random = 31;
    DWORD old;

    while (!stopping)
    {
        if (!VirtualAlloc( array, 4 * PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE ))
        {
            check( 0, "commit failed, error %lu", GetLastError() );
            break;
        }
        fleeting = array;
        spin( next_random( &random ) % 100 );
        if (next_random( &random ) % 2) VirtualProtect( array, 4 * PAGE_SIZE, PAGE_READONLY, &old );
        else VirtualFree( array, 4 * PAGE_SIZE, MEM_DECOMMIT );
        spin( next_random( &random ) % 50 );
        VirtualFree( array, 4 * PAGE_SIZE, MEM_DECOMMIT );
    }
    fleeting = NULL;
    return 0;
}


/***********************************************************************
 *           prepare
 *
 * The memory that a worker's bad arrays lie in.
 */
static void prepare( struct worker *worker, unsigned int number )
{
    DWORD old;

    worker->random = 1000 + number;
    worker->base = allocate_watched( PAGES );
    worker->reserved = VirtualAlloc( NULL, 0x10000, MEM_RESERVE, PAGE_READWRITE );
    worker->edge = VirtualAlloc( NULL, 0x10000, MEM_RESERVE, PAGE_READWRITE );
    VirtualAlloc( worker->edge, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE );
    worker->readonly = VirtualAlloc( NULL, PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    worker->noaccess = VirtualAlloc( NULL, PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS );
    worker->guard = VirtualAlloc( NULL, PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    worker->image = (char *)readonly_data;
    if (!worker->reserved || !worker->edge || !worker->readonly || !worker->noaccess ||
        !worker->guard)
    {
        check( 0, "out of memory" );
        finish();
    }
    /* a count that can be read and not written */
    *(ULONG_PTR *)(worker->readonly + 64) = PAGES;
    VirtualProtect( worker->readonly, PAGE_SIZE, PAGE_READONLY, &old );
}


/***********************************************************************
 *           main
 */
int main(void)
{
    LONG bad = 0, failed = 0, good = 0, inside = 0;
    unsigned int i;
    HANDLE freeing;
    char *array;

    start_watchdog();
    if ((wow64 = is_wine_wow64()))
        say_todo( "an array or a count that cannot be written loses what was written" );
    array = VirtualAlloc( NULL, 0x10000, MEM_RESERVE, PAGE_READWRITE );
    freeing = start_thread( freeing_thread, array );
    for (i = 0; i < THREADS; i++)
    {
        prepare( &workers[i], i );
        workers[i].thread = start_thread( worker_thread, &workers[i] );
    }
    for (i = 0; i < THREADS; i++)
    {
        /* the watchdog sees to it that it ends */
        WaitForSingleObject( workers[i].thread, INFINITE );
        CloseHandle( workers[i].thread );
        bad += workers[i].bad_calls;
        failed += workers[i].failed_calls;
        good += workers[i].good_calls;
        inside += workers[i].inside_calls;
    }
    InterlockedExchange( &stopping, 1 );
    join_thread( freeing );
    say( "bad_arrays: %ld bad calls, %ld of them refused, %ld exact polls after them, "
         "%ld arrays inside the range, %ld arrays freed meanwhile, %ld failures\n", bad, failed,
         good, inside, fleeting_polls, failures );
    finish();
}
