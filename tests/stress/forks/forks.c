/*
 * robustness: processes that a library of the system forks inside a Wine process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Needs helper.c to be preloaded.
 */

#include "../stress.h"

#define PAGES  256
#define ROUNDS 20

static void *results[PAGES];
static unsigned char written[PAGES];
static char *base;
static volatile LONG stopping, polling;

/* the attributes of a file that the helper knows of */
static DWORD ask_helper( const char *request, unsigned int number )
{
    char name[64];

    sprintf( name, "Z:\\writewatch-%s-%u", request, number );
    return GetFileAttributesA( name );
}

static void write_pages( ULONG64 *random, unsigned int count )
{
    while (count--)
    {
        unsigned int page = next_random( random ) % PAGES;

        base[page * PAGE_SIZE]++;
        written[page] = 1;
    }
}

/* Polls with reset; how many pages were missed, and how many reported that were not written. -1: it
 * failed. */
static int poll_pages( unsigned int *untrue )
{
    unsigned char reported[PAGES] = { 0 };
    ULONG_PTR count = PAGES;
    ULONG granularity;
    unsigned int i, missed = 0;

    *untrue = 0;
    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * PAGE_SIZE, results, &count,
                       &granularity )) return -1;
    for (i = 0; i < count; i++) reported[((char *)results[i] - base) / PAGE_SIZE] = 1;
    for (i = 0; i < PAGES; i++)
    {
        if (written[i] && !reported[i]) missed++;
        if (!written[i] && reported[i]) ++*untrue;
        written[i] = 0;
    }
    return missed;
}

/* Of a child nothing is asked but memory, as the server of Wine does not know it. Returns the
 * status that it ends with. */
static unsigned int be_child( ULONG64 *random )
{
    unsigned int untrue, round;

    /* what was reset before may be reported once more */
    if (poll_pages( &untrue )) return 2;
    for (round = 0; round < 10; round++)
    {
        write_pages( random, 20 );
        if (poll_pages( &untrue ) || untrue) return 3;
    }
    if (!VirtualFree( base, 64 * PAGE_SIZE, MEM_DECOMMIT )) return 4;
    if (!VirtualAlloc( base, 64 * PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE )) return 5;
    write_pages( random, 20 );
    if (poll_pages( &untrue ) || untrue) return 6;
    return 0;
}

/* in one that the library cannot know of polls fail, rather than report what is wrong */
static unsigned int be_unknown_child( ULONG64 *random )
{
    unsigned int untrue;

    write_pages( random, 20 );
    return poll_pages( &untrue ) == -1 ? 0 : 7;
}

/* Polls other memory all the time, so that forks meet that anywhere. It allocates nothing: Wine has
 * locks of its own, which a child would wait for. */
static DWORD WINAPI busy_thread( void *arg )
{
    char *memory = arg;
    void *addresses[16];

    polling = 1;
    while (!stopping)
    {
        ULONG_PTR count = 16;
        ULONG granularity;

        memory[PAGE_SIZE] = 1;
        check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, 16 * PAGE_SIZE, addresses, &count,
                               &granularity ) && count == 1,
               "%u pages of a thread's memory", (unsigned int)count );
    }
    return 0;
}

/***********************************************************************
 *           main
 */
int main(void)
{
    unsigned int round, untrue, children = 0;
    ULONG64 random = 4711;
    HANDLE thread;

    start_watchdog();
    base = allocate_watched( PAGES );
    thread = start_thread( busy_thread, allocate_watched( 16 ));
    /* a thread that begins holds locks of Wine */
    stage = "starting";
    while (!polling) Sleep( 1 );
    for (round = 0; round < ROUNDS && !failures; round++)
    {
        int known = round % 4 != 3, missed;
        DWORD attributes;

        write_pages( &random, 20 );
        stage = "forking";
        attributes = ask_helper( known ? "fork" : "clone", round );
        if (attributes == INVALID_FILE_ATTRIBUTES)
        {
            check( 0, "the helper is not there, error %lu", GetLastError() );
            break;
        }
        if (attributes & FILE_ATTRIBUTE_DIRECTORY)
        {
            unsigned int status = known ? be_child( &random ) : be_unknown_child( &random );

            for (;;) ask_helper( "exit", status );
        }
        children++;
        stage = "polling beside a child";
        write_pages( &random, 20 );
        missed = poll_pages( &untrue );
        check( !missed && !untrue, "round %u, beside: %d missed, %u false", round, missed, untrue );
        write_pages( &random, 20 );
        stage = "waiting for a child";
        check( ask_helper( "wait", round ) != INVALID_FILE_ATTRIBUTES, "round %u: a child of the "
               "%s kind has failed", round, known ? "first" : "second" );
        missed = poll_pages( &untrue );
        check( !missed && !untrue, "round %u, after: %d missed, %u false", round, missed, untrue );
    }
    stopping = 1;
    join_thread( thread );
    say( "forks: %u children, %ld failures\n", children, failures );
    finish();
}
