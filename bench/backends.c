/*
 * Compares the backends: the same work with each, side by side
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: backends [--csv] [--pages N] [--rounds N] [--race MILLISECONDS] [ROW...]
 * The exit status is 1 if a backend lost or invented pages or did not come to an end, 2 if the
 * command line was wrong. No time is ever judged.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends_parts.h"

#define MAX_ROUNDS 99
#define LIMIT      300   /* seconds for one round of one row, even where nothing is fast */

struct row
{
    const struct tracker *tracker;
    struct findings      *rounds;    /* shared with the processes that fill them */
};

static size_t pages = 16384;
static unsigned int round_count = 5, race = 200;
static int csv;

/***********************************************************************
 *           usage
 */
static void __attribute__((noreturn)) usage(void)
{
    unsigned int i;

    fprintf( stderr, "usage: backends [--csv] [--pages N] [--rounds N] [--race MILLISECONDS] "
             "[ROW...]\nRows:" );
    for (i = 0; i < tracker_count; i++) fprintf( stderr, " %s", trackers[i].name );
    fprintf( stderr, "\n" );
    exit( 2 );
}


/***********************************************************************
 *           number_option
 */
static unsigned long number_option( const char *name, unsigned long min, unsigned long max )
{
    char *end;
    unsigned long value = strtoul( optarg, &end, 10 );

    if (*end || value < min || value > max)
    {
        fprintf( stderr, "backends: --%s takes a number from %lu to %lu\n", name, min, max );
        exit( 2 );
    }
    return value;
}


/***********************************************************************
 *           max_pages
 *
 * Beyond half of vm.max_map_count the backend mprotect may report more than was written; every
 * other page takes as many mappings as there are pages.
 */
static unsigned long max_pages(void)
{
    FILE *file = fopen( "/proc/sys/vm/max_map_count", "r" );
    unsigned long count = 65530;

    if (file)
    {
        if (fscanf( file, "%lu", &count ) != 1) count = 65530;
        fclose( file );
    }
    return count / 2 > 2000 ? count / 2 - 1000 : 1000;
}


/***********************************************************************
 *           run_round
 *
 * One row's work, in a process of its own, as a process has one backend for all its life.
 */
static void run_round( const struct tracker *tracker, struct findings *findings )
{
    size_t race_pages = max_pages() < RACE_PAGES ? max_pages() : RACE_PAGES;
    int status;
    pid_t child;

    fflush( NULL );
    if (!(child = fork()))
    {
        alarm( LIMIT );
        if (tracker->open( tracker, findings->reason, sizeof(findings->reason) ))
            findings->state = STATE_UNAVAILABLE;
        else if (!measure_costs( tracker, pages, findings ) &&
                 (!tracker->poll || (!check_patterns( tracker, pages, findings ) &&
                                     !check_race( tracker, race_pages, race, findings ))))
            findings->state = STATE_DONE;
        _exit( 0 );
    }
    if (child == -1) fail( findings, "no process could be started" );
    else if (waitpid( child, &status, 0 ) != child) fail( findings, "its process was lost" );
    else if (WIFSIGNALED( status ))
        fail( findings, "its process ended by signal %d", WTERMSIG( status ));
    else if (status) fail( findings, "its process ended with %d", WEXITSTATUS( status ));
    else if (findings->state == STATE_NOT_RUN) fail( findings, "its process ended early" );
}


/***********************************************************************
 *           sum_up
 *
 * The medians of the costs, the sums of the pages, the most of the mappings; or the first round
 * that went wrong, as it stands.
 */
static struct findings sum_up( const struct row *row )
{
    struct findings sum = { .state = STATE_DONE };
    double values[MAX_ROUNDS];
    unsigned int i, cost;

    for (i = 0; i < round_count; i++)
    {
        const struct findings *findings = &row->rounds[i];

        if (findings->state != STATE_DONE) return *findings;
        sum.lost   += findings->lost;
        sum.extra  += findings->extra;
        sum.writes += findings->writes;
        sum.polls  += findings->polls;
        if (!i || findings->split > sum.split) sum.split = findings->split;
    }
    for (cost = 0; cost < COSTS; cost++)
    {
        for (i = 0; i < round_count; i++) values[i] = row->rounds[i].cost[cost];
        sum.cost[cost] = median( values, round_count );
    }
    return sum;
}


/***********************************************************************
 *           machine
 *
 * The processor and how many there are.
 */
static const char *machine(void)
{
    static char name[200];
    char line[256], *value = NULL;
    FILE *file = fopen( "/proc/cpuinfo", "r" );

    while (file && fgets( line, sizeof(line), file ))
        if (!strncmp( line, "model name", 10 ) && (value = strchr( line, ':' ))) break;
    if (file) fclose( file );
    if (value) value[strcspn( value, "\n" )] = 0;
    snprintf( name, sizeof(name), "%s, %ld online", value ? value + 2 : "unknown processor",
              sysconf( _SC_NPROCESSORS_ONLN ));
    return name;
}


/***********************************************************************
 *           print_csv
 */
static void print_csv( const char *name, const struct tracker *tracker, const struct findings *sum,
                       const struct utsname *kernel )
{
    unsigned int cost;

    printf( "%s,%zu,%u", name, pages, round_count );
    for (cost = 0; cost < COSTS; cost++)
    {
        if (sum->state == STATE_DONE && (cost == FIRST_WRITE || tracker->poll))
            printf( ",%.2f", sum->cost[cost] );
        else printf( "," );
    }
    if (sum->state == STATE_DONE && tracker->poll)
        printf( ",%lu,%lu,%ld,%lu,%lu", sum->lost, sum->extra, sum->split, sum->writes,
                sum->polls );
    else printf( ",,,,," );
    if (sum->state == STATE_DONE) printf( ",ok" );
    else printf( ",\"%s: %s\"", sum->state == STATE_UNAVAILABLE ? "not here" : "failed",
                 sum->reason );
    printf( ",%s,\"%s\"\n", kernel->release, machine() );
}


/***********************************************************************
 *           print_row
 */
static void print_row( const char *name, const struct tracker *tracker, const struct findings *sum )
{
    const double *cost = sum->cost;

    printf( "%-10s", name );
    if (sum->state == STATE_UNAVAILABLE) printf( "  not here: %s\n", sum->reason );
    else if (sum->state != STATE_DONE) printf( "  failed: %s\n", sum->reason );
    else if (!tracker->poll) printf( " %8.0f\n", cost[FIRST_WRITE] );
    else printf( " %8.0f %8.0f %7.2f %7.2f %7.1f %8.0f %6lu %5lu %6ld %8lu %6lu\n",
                 cost[FIRST_WRITE], cost[REWRITE], cost[POLL_CLEAN], cost[POLL_ONE_PERCENT],
                 cost[POLL_ALL], cost[POLL_64K], sum->lost, sum->extra, sum->split, sum->writes,
                 sum->polls );
}


/***********************************************************************
 *           print_head
 */
static void print_head( const struct utsname *kernel )
{
    if (csv)
    {
        printf( "backend,pages,rounds,first_write_ns_page,rewrite_ns_page,"
                "poll_clean_ns_page,poll_1_percent_ns_page,poll_all_ns_page,poll_64k_ns,"
                "pages_lost,pages_false,mappings_split,race_writes,race_polls,"
                "status,kernel,machine\n" );
        return;
    }
    printf( "Linux %s %s, %s\n", kernel->release, kernel->machine, machine() );
    printf( "%zu pages of %zu KiB, medians of %u rounds\n\n", pages, page_size / 1024,
            round_count );
    printf( "%-10s %17s %23s %8s %12s %6s %15s\n", "", "write, ns/page", "poll and reset, ns/page",
            "poll, ns", "pages", "maps", "race" );
    printf( "%-10s %8s %8s %7s %7s %7s %8s %6s %5s %6s %8s %6s\n", "", "first", "again", "clean",
            "1 %", "all", "64 KiB", "lost", "false", "split", "writes", "polls" );
}


/***********************************************************************
 *           print_results
 *
 * Returns 1 if one that promised to be exact was not, or did not get that far.
 */
static int print_results( const struct row *rows, unsigned int count )
{
    struct utsname kernel;
    unsigned int i;
    int ret = 0;

    uname( &kernel );
    print_head( &kernel );
    for (i = 0; i < count; i++)
    {
        const struct tracker *tracker = rows[i].tracker;
        struct findings sum = sum_up( &rows[i] );

        if (csv) print_csv( tracker->name, tracker, &sum, &kernel );
        else print_row( tracker->name, tracker, &sum );
        if (sum.state == STATE_FAILED) ret = 1;
        if (tracker->exact && (sum.lost || sum.extra)) ret = 1;
    }
    if (csv) return ret;
    printf( "\n" );
    for (i = 0; i < count; i++)
        if (rows[i].tracker->note)
            printf( "%s: %s\n", rows[i].tracker->name, rows[i].tracker->note );
    return ret;
}


/***********************************************************************
 *           choose_rows
 *
 * All of them, or those that are named, in the order of the table.
 */
static unsigned int choose_rows( struct row *rows, int argc, char **argv )
{
    unsigned int i, count = 0;
    int arg, known = 0, named;

    for (i = 0; i < tracker_count; i++)
    {
        for (arg = named = 0; arg < argc; arg++) named += !strcmp( argv[arg], trackers[i].name );
        known += named;
        if (argc && !named) continue;
        rows[count].tracker = &trackers[i];
        rows[count].rounds  = mmap( NULL, MAX_ROUNDS * sizeof(struct findings),
                                    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
        if (rows[count++].rounds != MAP_FAILED) continue;
        perror( "backends" );
        exit( 1 );
    }
    if (known != argc) usage();
    return count;
}


/***********************************************************************
 *           main
 */
int main( int argc, char **argv )
{
    static const struct option options[] =
    {
        { "csv", no_argument, NULL, 'c' },
        { "pages", required_argument, NULL, 'p' },
        { "rounds", required_argument, NULL, 'n' },
        { "race", required_argument, NULL, 'r' },
        { 0 }
    };
    struct row rows[16];
    unsigned int i, count, turn;
    int option;

    page_size = sysconf( _SC_PAGESIZE );
    while ((option = getopt_long( argc, argv, "", options, NULL )) != -1)
    {
        switch (option)
        {
        case 'c': csv = 1; break;
        case 'p': pages = number_option( "pages", 64, max_pages() ); break;
        case 'n': round_count = number_option( "rounds", 1, MAX_ROUNDS ); break;
        case 'r': race = number_option( "race", 1, 60000 ); break;
        default: usage();
        }
    }
    if (pages > max_pages()) pages = max_pages();
    count = choose_rows( rows, argc - optind, argv + optind );

    /* each round begins with another row, so that no one has the best place always */
    for (turn = 0; turn < round_count; turn++)
        for (i = 0; i < count; i++)
        {
            struct row *row = &rows[(i + turn) % count];

            if (turn && row->rounds[turn - 1].state != STATE_DONE)
                row->rounds[turn] = row->rounds[turn - 1];
            else run_round( row->tracker, &row->rounds[turn] );
        }
    return print_results( rows, count );
}
