/*
 * Trackers: queries, lists and three trackers of one memory, against a model of each
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: trackers [--steps N] [--seed N] [BACKEND...]; without a backend all have their turn.
 * Without --steps scan has a million of them, and those that work by faults a tenth. A failure says
 * the step, which --seed and --steps repeat.
 */

#include <string.h>

#include "../common/random.h"
#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES    160
#define TRACKERS 3

static unsigned int max_steps, seed = 1;
static uint64_t state;

static char *memory;
static struct writewatch_tracker *trackers[TRACKERS];
static size_t firsts[TRACKERS], ends[TRACKERS];          /* the pages that they follow */
static unsigned char written[TRACKERS + 1][PAGES];       /* of the trackers; the last is of queries */
static unsigned char committed[PAGES], writable[PAGES];

/* the last step that asked for pages, for a failure */
static struct
{
    const char  *what;
    unsigned int who;
    size_t       first, end;
    int          reset;
    long         count;
    size_t       start, stop;   /* pages of the last range */
} last;

#define QUERIES TRACKERS

static size_t below( size_t limit )
{
    return next_random( &state ) % limit;
}

static char *page( size_t number )
{
    return memory + (number << page_shift);
}

static void note_written( size_t number )
{
    unsigned int i;

    for (i = 0; i < TRACKERS; i++)
        if (trackers[i] && number >= firsts[i] && number < ends[i]) written[i][number] = 1;
    written[QUERIES][number] = 1;
}

static void step_write( size_t number )
{
    if (!writable[number]) return;
    if (below( 4 )) (*(volatile char *)page( number ))++;
    else *(volatile char *)page( number ) = 0;
    note_written( number );
}

static void step_write_many( size_t first, size_t end )
{
    for (; first < end; first++) step_write( first );
}

static void step_read( size_t number )
{
    if (committed[number]) (void)*(volatile char *)page( number );
}

static void print_pages( const char *what, const unsigned char *pages )
{
    size_t i;

    printf( "%s:", what );
    for (i = 0; i < PAGES; i++) if (pages[i]) printf( " %zu", i );
    printf( "\n" );
}

/* takes an expected range of one state away; returns whether the pages found are as many, in
 * order */
static int expect( unsigned char *pages, uintptr_t start, uintptr_t end, size_t *pos, int reset )
{
    size_t first = (start - (uintptr_t)memory) >> page_shift;
    size_t last = (end - (uintptr_t)memory) >> page_shift;

    if (first < *pos || last > PAGES || first >= last) return 0;
    for (; *pos < first; ++*pos) if (pages[*pos]) return 0;
    for (; *pos < last; ++*pos)
    {
        if (!pages[*pos]) return 0;
        if (reset) pages[*pos] = 0;
    }
    return 1;
}

static int no_more( const unsigned char *pages, size_t pos, size_t end )
{
    for (; pos < end; pos++) if (pages[pos]) return 0;
    return 1;
}

static int step_query( size_t first, size_t end, int reset )
{
    void *addresses[PAGES];
    ULONG_PTR count = 1 + below( PAGES ), room = count, i;
    size_t pos = first;
    DWORD granularity;
    int failed;

    failed = GetWriteWatch( reset ? WRITE_WATCH_FLAG_RESET : 0, page( first ),
                            (end - first) << page_shift, addresses, &count, &granularity );
    last.what = "query", last.who = QUERIES, last.first = first, last.end = end, last.reset = reset;
    last.count = failed ? -1 : (long)count;
    if (failed) return 0;
    for (i = 0; i < count; i++)
        if (!expect( written[QUERIES], (uintptr_t)addresses[i],
                     (uintptr_t)addresses[i] + page_size(), &pos, reset )) return 0;
    return count == room || no_more( written[QUERIES], pos, end );
}

static int step_reset( size_t first, size_t end )
{
    if (ResetWriteWatch( page( first ), (end - first) << page_shift )) return 0;
    memset( &written[QUERIES][first], 0, end - first );
    return 1;
}

/* a list of queries' state, or of a tracker's */
static int step_list( unsigned int who, size_t first, size_t end, int reset )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN,
                                        .max_pages = below( 3 ) ? 0 : 1 + below( PAGES ),
                                        .reset = reset, .flags = WRITEWATCH_ACROSS };
    struct writewatch_range ranges[PAGES];
    size_t room = 1 + below( PAGES ), pos;
    const void *next;
    ssize_t i, count;

    if (!below( 3 )) filter.returned = WRITEWATCH_WRITTEN | WRITEWATCH_PRESENT;
    if (who != QUERIES && first < firsts[who]) first = firsts[who];
    if (who != QUERIES && end > ends[who]) end = ends[who];
    if (first >= end) return 1;
    next = page( first );
    count = who == QUERIES
            ? writewatch_list( next, (end - first) << page_shift, &filter, ranges, room, &next )
            : writewatch_tracker_list( trackers[who], &next, page( end ), &filter, ranges, room );
    last.what = "list", last.who = who, last.first = first, last.end = end, last.reset = reset;
    last.count = count;
    for (i = 0; i < count; i++)
    {
        last.start = (ranges[i].start - (uintptr_t)memory) >> page_shift;
        last.stop  = (ranges[i].end - (uintptr_t)memory) >> page_shift;
    }
    if (count < 0) return 0;
    pos = first;
    for (i = 0; i < count; i++)
        if (!(ranges[i].categories & WRITEWATCH_WRITTEN) != !filter.returned ||
            !expect( written[who], ranges[i].start, ranges[i].end, &pos, reset )) return 0;
    return no_more( written[who], pos, ((char *)next - memory) >> page_shift );
}

static void step_decommit( size_t first, size_t end )
{
    check( VirtualFree( page( first ), (end - first) << page_shift, MEM_DECOMMIT ));
    memset( &committed[first], 0, end - first );
    memset( &writable[first], 0, end - first );
}

static void step_commit( size_t first, size_t end )
{
    check( VirtualAlloc( page( first ), (end - first) << page_shift, MEM_COMMIT, PAGE_READWRITE )
           == page( first ));
    memset( &committed[first], 1, end - first );
    memset( &writable[first], 1, end - first );
}

static void step_protect( size_t first, size_t end, DWORD protect )
{
    size_t i;
    DWORD old;

    for (i = first; i < end; i++) if (!committed[i]) return;
    check( VirtualProtect( page( first ), (end - first) << page_shift, protect, &old ));
    memset( &writable[first], protect == PAGE_READWRITE, end - first );
}

static void step_discard( size_t first, size_t end )
{
    size_t i;

    for (i = first; i < end; i++) if (!committed[i]) return;
    check( VirtualAlloc( page( first ), (end - first) << page_shift, MEM_RESET, PAGE_READWRITE )
           != NULL );
}

static void close_tracker( unsigned int who )
{
    writewatch_tracker_close( trackers[who] );
    trackers[who] = NULL;
}

static void open_tracker( unsigned int who )
{
    firsts[who] = below( 2 ) ? 0 : below( PAGES );
    ends[who]   = below( 2 ) ? PAGES : firsts[who] + 1 + below( PAGES - firsts[who] );
    memset( written[who], 0, PAGES );
    check( !writewatch_tracker_open( &trackers[who], page( firsts[who] ),
                                     (ends[who] - firsts[who]) << page_shift, 0 ));
}

/* an allocation goes, and another one, in which nothing is written, takes its place */
static void step_release(void)
{
    unsigned int i;

    check( VirtualFree( memory, 0, MEM_RELEASE ));
    check( VirtualAlloc( memory, PAGES << page_shift, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE )
           == memory );
    memset( committed, 0, sizeof(committed) );
    memset( writable, 0, sizeof(writable) );
    for (i = 0; i <= TRACKERS; i++) memset( written[i], 0, PAGES );
}

static int step(void)
{
    size_t first = below( PAGES ), end = first + 1 + below( below( 4 ) ? 16 : PAGES );
    unsigned int who = below( TRACKERS + 1 );

    if (end > PAGES) end = PAGES;
    switch (below( 1000 ))
    {
    default:            step_write( first ); break;
    case 300 ... 379:   step_write_many( first, end ); break;
    case 380 ... 449:   step_read( first ); break;
    case 450 ... 549:   return step_query( first, end, 1 );
    case 550 ... 599:   return step_query( first, end, 0 );
    case 600 ... 619:   return step_reset( first, end );
    case 620 ... 819:   return step_list( who, first, end, 1 );
    case 820 ... 869:   return step_list( who, first, end, 0 );
    case 870 ... 889:   return step_list( who, 0, PAGES, 1 );
    case 890 ... 909:   step_decommit( first, end ); break;
    case 910 ... 949:   step_commit( first, end ); break;
    case 950 ... 959:   step_protect( first, end, PAGE_READONLY ); break;
    case 960 ... 974:   step_protect( first, end, PAGE_READWRITE ); break;
    case 975 ... 989:   step_discard( first, end ); break;
    case 990 ... 993:   check( !writewatch_check( memory, PAGES << page_shift )); break;
    case 994 ... 995:   if (!below( 10 )) step_release(); break;
    case 996 ... 999:
        if (who == QUERIES || below( 8 )) break;
        close_tracker( who );
        open_tracker( who );
        break;
    }
    return 1;
}

static int run( const char *name )
{
    unsigned int i, steps = max_steps;

    if (!steps) steps = unit_share( strcmp( name, "scan" ) ? 100000 : 1000000 );
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    memory = VirtualAlloc( NULL, PAGES << page_shift, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( memory != NULL );
    state = seed;
    step_commit( 0, PAGES );
    for (i = 0; i < TRACKERS; i++) open_tracker( i );
    for (i = 0; i < steps && !unit_failures; i++)
    {
        if (step()) continue;
        printf( "%s: step %u of seed %u differs: %s of %u, pages %zu to %zu, reset %d: %ld; %s\n", name,
                i, seed, last.what, last.who, last.first, last.end, last.reset, last.count,
                writewatch_reason() );
        printf( "the last range has pages %zu to %zu\n", last.start, last.stop );
        print_pages( "of queries", written[QUERIES] );
        return FAIL;
    }
    for (i = 0; i < TRACKERS; i++) close_tracker( i );
    check( step_query( 0, PAGES, 1 ));
    if (!unit_failures)
        printf( "%s: %u steps with %d trackers, 0 differences\n", name, steps, TRACKERS );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    while (argc > 2 && !strncmp( argv[1], "--", 2 ))
    {
        unsigned int value = strtoul( argv[2], NULL, 10 );

        if (!strcmp( argv[1], "--steps" )) max_steps = value;
        else seed = value;
        argv[2] = argv[0];
        argv += 2;
        argc -= 2;
    }
    page_init();
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
