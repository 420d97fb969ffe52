/*
 * How writewatch-replay reads a record, and what it plans for it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "../../programs/replay/plan.h"
#include "../common/random.h"
#include "unit.h"

#define START "7 1.000000 writewatch 1 64 4096 0.1.0 a game.exe\n"
#define ALLOC START "7 1.000001 alloc 0x10000 0x10000 0x203000\n"

static struct record record;
static struct record_error error;

static int read_text( const char *text )
{
    free_record( &record );
    memset( &error, 0, sizeof(error) );
    return read_record( &record, text, strlen( text ), &error );
}

/* whether the text is wrong in that line, for a reason that has this word in it */
static int is_wrong( const char *text, unsigned int line, const char *reason )
{
    if (read_text( text ) == -1 && error.line == line && strstr( error.text, reason )) return 1;
    fprintf( stderr, "line %u: %s\n", error.line, error.text );
    return 0;
}

static void test_lines(void)
{
    const struct event *event;

    check( !read_text( ALLOC "8 0.000001 writewatch 1 32 4096 0.1.0 b\n"
                       "7 2.500000 poll 0x10000 0x10000 0x1 16 4: 3-5 9\n"
                       "8 3.000000 alloc 0x20000 0x1000 0x2000\n"
                       "7 2.500001 poll 0x10fff 0x2 0x0 2 1: ?\n" ));
    check( record.count == 2 && record.processes[0].count == 3 && record.processes[1].count == 1 );
    check( record.processes[0].pid == 7 && record.processes[0].bits == 64 );
    check( record.processes[1].bits == 32 && record.processes[0].page_size == 4096 );
    check( !strcmp( record.processes[0].name, "a game.exe" ));
    check( !strcmp( record.processes[0].version, "0.1.0" ));
    check( record.processes[0].polls == 2 && record.processes[0].pages == 5 );
    event = &record.processes[0].events[1];
    check( event->kind == EVENT_POLL && event->time == 2500000 && event->line == 4 );
    check( event->base == 0x10000 && event->size == 0x10000 && event->flags == 1 );
    check( event->max == 16 && event->count == 4 && event->spans == 2 && !event->unknown );
    check( record.processes[0].spans[event->span].first == 3 );
    check( record.processes[0].spans[event->span].last == 5 );
    check( record.processes[0].spans[event->span + 1].last == 9 );
    check( event[1].unknown && !event[1].spans && event[1].count == 1 );

    /* the number of a process may be used again */
    check( !read_text( ALLOC START "7 3.000000 commit 0x1000 0x1000\n" ));
    check( record.count == 2 && record.processes[0].count == 1 && record.processes[1].count == 1 );
}

static void test_mistakes(void)
{
    check( is_wrong( "", 0, "nothing was recorded" ));
    check( is_wrong( "hello\n", 1, "number of a process" ));
    check( is_wrong( "7 1.000000 commit 0x1000 0x1000\n", 1, "no beginning" ));
    check( is_wrong( "7 1.000000 writewatch 2 64 4096 0.1.0 a\n", 1, "format 2" ));
    check( is_wrong( "7 1.000000 writewatch 1 16 4096 0.1.0 a\n", 1, "32 or 64 bits" ));
    check( is_wrong( "7 1.000000 writewatch 1 64 5000 0.1.0 a\n", 1, "size of pages" ));
    check( is_wrong( "7 1.000000 writewatch 1 64 4096 0.1.0\n", 1, "no version or no name" ));
    check( is_wrong( "7 1.00000 writewatch 1 64 4096 0.1.0 a\n", 1, "no time" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x1 16 4: 3-5 9", 3, "cut off" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x1 16 4: 3-5\n", 3, "lists 3" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x1 16 4: 3-5 \n", 3, "is none" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x1 16 4: 9 3-5\n", 3, "order" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x1 16 1: 16\n", 3, "outside" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x1 2 3: 0-2\n", 3, "room" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000 0x3 2 0:\n", 3, "flags" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x10000\n", 3, "flags" ));
    check( is_wrong( ALLOC "7 1.000000 grow 0x10000 0x10000\n", 3, "no event \"grow\"" ));
    check( is_wrong( ALLOC "7 1.000000 commit 0x10000 0x10000 1\n", 3, "goes on" ));
    check( is_wrong( ALLOC "7 1.000000 commit 0x10000 0x0\n", 3, "empty" ));
    check( is_wrong( ALLOC "7 1.000000 poll 0x10000 0x1000 0x0 18446744073709551616 0:\n", 3,
                     "two counts" ));
    check( !read_text( ALLOC "7 1.000000 poll 0x10000 0x1000 0x0 18446744073709551615 0:\n" ));
    check( is_wrong( ALLOC "7 1.000000 commit 0xfffffffffffff000 0x2000\n", 3, "no such range" ));
    check( is_wrong( ALLOC "7 1.000000 commit 0x10000000000000000 0x1\n", 3, "no range" ));
    check( is_wrong( ALLOC "7 1.000000 reset 0x1000 0x80000000000000\n", 3, "larger" ));
    check( is_wrong( START "7 1.000001 alloc 0x10001 0x10000 0x203000\n", 2, "whole pages" ));
}

static struct plan plan;

/* the plan for the only process of a record, as text */
static const char *plan_text( const char *text )
{
    static const char * const words[] =
    {
        [OP_ALLOC] = "alloc", [OP_COMMIT] = "commit", [OP_DISCARD] = "discard",
        [OP_DECOMMIT] = "decommit", [OP_FREE] = "free", [OP_RESET] = "reset",
        [OP_WRITE] = "write", [OP_POLL] = "poll",
    };
    static char result[2000];
    size_t i, len = 0;

    result[0] = 0;
    free_plan( &plan );
    if (read_text( text ) || make_plan( &plan, &record.processes[0] )) return "wrong";
    for (i = 0; i < plan.count; i++)
        len += snprintf( result + len, sizeof(result) - len, "%s%s %u %llx %llx", i ? ", " : "",
                         words[plan.ops[i].kind], plan.ops[i].alloc,
                         (unsigned long long)plan.ops[i].offset,
                         (unsigned long long)plan.ops[i].size );
    return result;
}

static int is_plan( const char *text, const char *wanted )
{
    const char *got = plan_text( text );

    if (!strcmp( got, wanted )) return 1;
    fprintf( stderr, "got    %s\nwanted %s\n", got, wanted );
    return 0;
}

static void test_plan(void)
{
    /* before a poll its pages are written, unless they are so already */
    check( is_plan( ALLOC "7 2.000000 poll 0x10000 0x10000 0x0 16 4: 3-5 9\n"
                    "7 3.000000 poll 0x10000 0x10000 0x1 16 5: 3-6 9\n"
                    "7 3.000000 poll 0x10000 0x10000 0x1 16 1: 3\n"
                    "7 4.000000 free 0x10000 0x10000\n",
                    "alloc 0 0 10000, write 0 3000 3000, write 0 9000 1000, poll 0 0 10000, "
                    "write 0 6000 1000, poll 0 0 10000, write 0 3000 1000, poll 0 0 10000, "
                    "free 0 0 10000" ));
    check( plan.polls == 3 && !plan.commits && !plan.resets && !plan.skipped_polls );

    /* the pages behind a full array stay written */
    check( is_plan( ALLOC "7 2.000000 poll 0x10000 0x10000 0x0 16 3: 1 2 7\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 2 2: 1-2\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 2 1: 7\n",
                    "alloc 0 0 10000, write 0 1000 2000, write 0 7000 1000, poll 0 0 10000, "
                    "poll 0 0 10000, poll 0 0 10000" ));

    /* what is decommitted when the poll comes was written before that */
    check( is_plan( ALLOC "7 2.000000 decommit 0x12000 0x2000\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 16 2: 2 9\n"
                    "7 2.000000 commit 0x12000 0x1000\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 16 1: 2\n",
                    "alloc 0 0 10000, write 0 2000 1000, decommit 0 2000 2000, "
                    "write 0 9000 1000, poll 0 0 10000, commit 0 2000 1000, write 0 2000 1000, "
                    "poll 0 0 10000" ));
    check( !plan.commits );

    /* but not if a poll in between did not report it; nor was it committed at first */
    check( is_plan( START "7 1.000001 alloc 0x10000 0x10000 0x202000\n"
                    "7 1.000001 commit 0x10000 0x1000\n7 2.000000 decommit 0x10000 0x2000\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 16 0:\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 16 1: 0\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 16 1: 1\n",
                    "alloc 0 0 10000, commit 0 0 1000, decommit 0 0 2000, poll 0 0 10000, "
                    "commit 0 0 1000, write 0 0 1000, poll 0 0 10000, "
                    "commit 0 1000 1000, write 0 1000 1000, poll 0 0 10000" ));
    check( plan.commits == 2 );

    /* the order of the lines is not that of the polls */
    check( is_plan( ALLOC "7 2.000000 poll 0x10000 0x10000 0x1 16 1: 1\n"
                    "7 2.000000 poll 0x10000 0x10000 0x0 16 1: 1\n"
                    "7 2.000000 poll 0x10000 0x10000 0x0 16 0:\n",
                    "alloc 0 0 10000, write 0 1000 1000, poll 0 0 10000, write 0 1000 1000, "
                    "poll 0 0 10000, reset 0 1000 1000, poll 0 0 10000" ));
    check( plan.resets == 1 );

    /* what a reset takes back is written again */
    check( is_plan( ALLOC "7 2.000000 poll 0x11000 0x1 0x0 1 1: 0\n"
                    "7 2.000000 reset 0x11000 0x1000\n7 2.000000 discard 0x11000 0x1000\n"
                    "7 2.000000 poll 0x11800 0x1000 0x0 2 1: 0\n",
                    "alloc 0 0 10000, write 0 1000 1000, poll 0 1000 1, reset 0 1000 1000, "
                    "discard 0 1000 1000, write 0 1000 1000, poll 0 1800 1000" ));
}

static void test_memory(void)
{
    /* other memory, unknown pages */
    check( is_plan( ALLOC "7 2.000000 poll 0x20000 0x1000 0x1 1 1: 0\n"
                    "7 2.000000 poll 0x1f000 0x2000 0x1 1 1: 0\n"
                    "7 2.000000 poll 0x10000 0x1000 0x1 1 1: ?\n"
                    "7 2.000000 commit 0x20000 0x1000\n7 2.000000 free 0x30000 0x10000\n",
                    "alloc 0 0 10000" ));
    check( plan.skipped_polls == 2 && plan.unknown_polls == 1 && plan.skipped_changes == 2 );

    /* the line about the end of memory comes after the one about what takes its place */
    check( is_plan( ALLOC "7 2.000000 alloc 0x10000 0x10000 0x202000\n"
                    "7 2.000000 free 0x10000 0x10000\n7 2.000000 reset 0x10000 0x1000\n"
                    "7 2.000000 free 0x10000 0x10000\n",
                    "alloc 0 0 10000, free 0 0 10000, alloc 1 0 10000, reset 1 0 1000, "
                    "free 1 0 10000" ));

    /* a size of 0 stands for all of a region */
    check( is_plan( ALLOC "7 2.000000 decommit 0x10000 0x0\n7 2.000000 decommit 0x30000 0x0\n"
                    "7 2.000000 poll 0x10000 0x10000 0x1 16 1: 15\n7 2.000000 free 0x10000 0x0\n",
                    "alloc 0 0 10000, write 0 f000 1000, decommit 0 0 10000, poll 0 0 10000, "
                    "free 0 0 10000" ));
    check( plan.skipped_changes == 1 );

    /* parts of memory are regions of their own */
    check( is_plan( ALLOC "7 2.000000 free 0x12000 0x2000\n"
                    "7 2.000000 poll 0x10000 0x3000 0x1 1 0:\n"
                    "7 2.000000 poll 0x14000 0x2000 0x1 1 0:\n7 2.000000 free 0x10000 0x2000\n"
                    "7 2.000000 free 0x14000 0xc000\n",
                    "alloc 0 0 10000, decommit 0 2000 2000, poll 0 4000 2000, decommit 0 0 2000, "
                    "free 0 4000 c000" ));
    check( plan.partial_frees == 2 && plan.skipped_polls == 1 );
}

/* Damages a record in all sorts of ways: what reads it must say so, or get along. */
static void test_damage(void)
{
    static const char good[] = ALLOC "7 2.000000 decommit 0x12000 0x2000\n"
        "7 2.000000 poll 0x10000 0x10000 0x1 16 4: 2-3 9 11\n"
        "7 2.000000 commit 0x12000 0x1000\n7 2.000000 poll 0x10000 0x10000 0x0 16 1: 2\n"
        "7 2.000000 reset 0x12000 0x1000\n7 2.000000 free 0x10000 0x10000\n";
    static const char signs[] = "0123456789abcdefx :-.?\n";
    unsigned int rounds = unit_share( 200000 ), i, j, read = 0, len;
    uint64_t random = 42;
    char text[sizeof(good) + 8];

    for (i = 0; i < rounds; i++)
    {
        strcpy( text, good );
        len = sizeof(good) - 1;
        for (j = next_random( &random ) % 4; j--;)
            text[next_random( &random ) % len] =
                signs[next_random( &random ) % (sizeof(signs) - 1)];
        if (next_random( &random ) % 4 == 0) text[len = next_random( &random ) % len] = 0;
        free_record( &record );
        if (read_record( &record, text, len, &error )) continue;
        read++;
        free_plan( &plan );
        if (make_plan( &plan, &record.processes[0] )) memset( &plan, 0, sizeof(plan) );
    }
    check( read && read < rounds );
    printf( "%u of %u damaged records could be read\n", read, rounds );
}

int main(void)
{
    test_lines();
    test_mistakes();
    test_plan();
    test_memory();
    test_damage();
    free_plan( &plan );
    free_record( &record );
    return unit_result();
}
