/*
 * fault injection: what a program does with watched memory, and what it must learn whatever fails
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ROUND_H
#define ROUND_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The same for native programs and under Wine, by Win32 calls only. A call may fail: then its error
 * is noted, and the program goes on as after any error. What is never right is to succeed
 * with a page missing that was written, to lose what was stored, or to succeed where nothing is
 * watched. */

#define PAGES      64
#define PAGE_SIZE  4096

struct memory
{
    char         *base;
    unsigned char written[PAGES];   /* must be reported */
    unsigned char perhaps[PAGES];   /* may be: a reset of it failed, or it could not be found out */
    unsigned int  stored[PAGES];    /* what it must hold, UNKNOWN, or NO_ACCESS */
    int           read_only;        /* it may be: a change of protection failed */
};

#define UNKNOWN   ~0u
#define NO_ACCESS ~1u

static char outcome[512];      /* what was noted, or "" */
static int  outcome_wrong;
static unsigned int counter;
static const char *phase_name = "";

/* to be had from the program: called before each phase, and when nothing is to fail any more */
static void begin_phase( const char *name );
static void end_faults(void);

/* adds to the outcome, once */
static void note( const char *format, ... )
{
    char text[128];
    va_list args;
    size_t len = strlen( outcome );

    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    if (strstr( outcome, text ) || len + strlen( text ) + 3 > sizeof(outcome)) return;
    sprintf( outcome + len, "%s%s", len ? ", " : "", text );
}

static void wrong( const char *format, ... )
{
    char text[128];
    va_list args;

    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    outcome_wrong = 1;
    note( "WRONG in %s: %s", phase_name, text );
}

static void phase( const char *name )
{
    phase_name = name;
    begin_phase( name );
}

static void failed( const char *call )
{
    note( "%s fails (%u)", call, (unsigned int)GetLastError() );
}

static void write_page( struct memory *mem, unsigned int page )
{
    if (!mem->base || mem->read_only || mem->stored[page] == NO_ACCESS) return;
    mem->written[page] = 1;
    *(volatile unsigned int *)(mem->base + page * PAGE_SIZE + 8) = ++counter;
    mem->stored[page] = counter;
}

/* all that was stored is there */
static void check_contents( struct memory *mem )
{
    unsigned int i, value;

    for (i = 0; mem->base && i < PAGES; i++)
    {
        if (mem->stored[i] == UNKNOWN || mem->stored[i] == NO_ACCESS) continue;
        value = *(volatile unsigned int *)(mem->base + i * PAGE_SIZE + 8);
        if (value != mem->stored[i]) wrong( "page %u holds %u, not %u", i, value, mem->stored[i] );
    }
}

/* asks with an array for max pages; returns 0 if that failed */
static int poll_pages( struct memory *mem, unsigned int first, unsigned int count, DWORD flags,
                       ULONG_PTR max, void **addresses )
{
    ULONG_PTR i, found = max;
    unsigned char reported[PAGES] = { 0 };
    unsigned int page, last = first, end = first + count;
    DWORD granularity;

    if (!mem->base) return 0;
    SetLastError( 0xdead );
    if (GetWriteWatch( flags, mem->base + first * PAGE_SIZE, count * PAGE_SIZE, addresses, &found,
                       &granularity ))
    {
        failed( "poll" );
        return 0;
    }
    if (found > max)
        wrong( "%lu pages in an array for %lu", (unsigned long)found, (unsigned long)max );
    for (i = 0; i < found; i++)
    {
        size_t offset = (char *)addresses[i] - mem->base;

        page = offset / PAGE_SIZE;
        if (offset % PAGE_SIZE || page < last || page >= first + count || reported[page])
        {
            wrong( "odd address" );
            return 0;
        }
        reported[page] = 1;
        last = page;
        if (!mem->written[page] && !mem->perhaps[page]) note( "more pages than were written" );
    }
    if (found == max) end = last;
    for (page = first; page < end; page++)
        if (mem->written[page] && !reported[page]) wrong( "page %u is missing", page );
    for (page = first; page < first + count; page++)
        if (reported[page] && (flags & WRITE_WATCH_FLAG_RESET))
            mem->written[page] = mem->perhaps[page] = 0;
    return 1;
}

static int poll_all( struct memory *mem, DWORD flags )
{
    void *addresses[PAGES];
    return poll_pages( mem, 0, PAGES, flags, PAGES, addresses );
}

static void reset_pages( struct memory *mem, unsigned int first, unsigned int count )
{
    int ok;

    if (!mem->base) return;
    SetLastError( 0xdead );
    if (!(ok = !ResetWriteWatch( mem->base + first * PAGE_SIZE, count * PAGE_SIZE )))
        failed( "reset" );
    for (; count--; first++)
    {
        if (!ok) mem->perhaps[first] |= mem->written[first];
        else mem->perhaps[first] = 0;
        mem->written[first] = 0;
    }
}

static int protect_pages( struct memory *mem, unsigned int first, unsigned int count,
                          DWORD protect )
{
    DWORD old;

    SetLastError( 0xdead );
    if (VirtualProtect( mem->base + first * PAGE_SIZE, count * PAGE_SIZE, protect, &old )) return 1;
    failed( "protect" );
    mem->read_only = 1;
    return 0;
}

static void commit_pages( struct memory *mem, unsigned int first, unsigned int count )
{
    if (!mem->base) return;
    SetLastError( 0xdead );
    if (VirtualAlloc( mem->base + first * PAGE_SIZE, count * PAGE_SIZE, MEM_COMMIT,
                      PAGE_READWRITE ))
    {
        for (; count--; first++) if (mem->stored[first] == NO_ACCESS) mem->stored[first] = 0;
    }
    else failed( "commit" );
}

static void allocate( struct memory *mem, DWORD type )
{
    unsigned int i;

    memset( mem, 0, sizeof(*mem) );
    SetLastError( 0xdead );
    mem->base = VirtualAlloc( NULL, PAGES * PAGE_SIZE, type | MEM_WRITE_WATCH, PAGE_READWRITE );
    if (!mem->base) failed( "allocate" );
    for (i = 0; i < PAGES; i++) if (!(type & MEM_COMMIT)) mem->stored[i] = NO_ACCESS;
}

static void release( struct memory *mem )
{
    void *addresses[PAGES];
    ULONG_PTR count = PAGES;
    DWORD granularity;

    if (!mem->base) return;
    SetLastError( 0xdead );
    if (!VirtualFree( mem->base, 0, MEM_RELEASE )) failed( "release" );
    else if (!GetWriteWatch( 0, mem->base, PAGE_SIZE, addresses, &count, &granularity ))
        wrong( "a poll of released memory succeeds" );
    mem->base = NULL;
}

/* The phases. The injector can be given each by its name. */
static void use_memory( struct memory *mem, struct memory *other )
{
    void *addresses[PAGES];
    unsigned int i, protected;

    phase( "allocate" );
    allocate( mem, MEM_RESERVE | MEM_COMMIT );
    allocate( other, MEM_RESERVE );

    phase( "write" );
    for (i = 2; mem->base && i < 4; i++) (void)*(volatile char *)(mem->base + i * PAGE_SIZE);
    for (i = 0; i < PAGES; i += 5) write_page( mem, i );
    write_page( mem, 2 );

    phase( "poll" );
    poll_all( mem, 0 );

    phase( "take" );
    poll_all( mem, WRITE_WATCH_FLAG_RESET );
    write_page( mem, 1 );
    write_page( mem, 5 );
    write_page( mem, 40 );
    poll_all( mem, 0 );
    poll_pages( mem, 0, PAGES, WRITE_WATCH_FLAG_RESET, 2, addresses );
    poll_pages( mem, 4, 4, WRITE_WATCH_FLAG_RESET, PAGES, addresses );

    phase( "reset" );
    for (i = 8; i < 24; i += 2) write_page( mem, i );
    write_page( mem, 50 );
    reset_pages( mem, 8, 8 );
    poll_all( mem, 0 );

    phase( "array" );   /* the results in watched memory */
    if (mem->base && !mem->read_only)
    {
        mem->perhaps[60] |= !mem->written[60];
        poll_pages( mem, 0, 48, WRITE_WATCH_FLAG_RESET, 48, (void **)(mem->base + 60 * PAGE_SIZE) );
        mem->stored[60] = UNKNOWN;
    }

    phase( "commit" );
    commit_pages( other, 0, 32 );
    for (i = 0; i < 32; i += 3) write_page( other, i );
    poll_all( other, WRITE_WATCH_FLAG_RESET );

    phase( "protect" );
    write_page( mem, 20 );
    protected = mem->base && protect_pages( mem, 16, 16, PAGE_READONLY );
    poll_all( mem, 0 );
    if (protected && protect_pages( mem, 16, 16, PAGE_READWRITE )) write_page( mem, 21 );
    poll_all( mem, WRITE_WATCH_FLAG_RESET );

    phase( "lock" );
    if (mem->base)
    {
        write_page( mem, 33 );
        SetLastError( 0xdead );
        if (!VirtualLock( mem->base + 32 * PAGE_SIZE, 4 * PAGE_SIZE )) failed( "lock" );
        else if (!VirtualUnlock( mem->base + 32 * PAGE_SIZE, 4 * PAGE_SIZE )) failed( "unlock" );
        poll_all( mem, WRITE_WATCH_FLAG_RESET );
    }

    phase( "decommit" );
    write_page( mem, 9 );
    write_page( mem, 41 );
    write_page( mem, 43 );
    if (mem->base)
    {
        SetLastError( 0xdead );
        if (VirtualFree( mem->base + 40 * PAGE_SIZE, 8 * PAGE_SIZE, MEM_DECOMMIT ))
            for (i = 40; i < 48; i++) mem->stored[i] = NO_ACCESS;
        else
        {
            failed( "decommit" );
            /* it may have been done in part */
            for (i = 40; i < 48; i++) mem->stored[i] = NO_ACCESS;
            if (VirtualAlloc( mem->base + 40 * PAGE_SIZE, 8 * PAGE_SIZE, MEM_COMMIT,
                              PAGE_READWRITE ))
                for (i = 40; i < 48; i++) mem->stored[i] = UNKNOWN;
        }
    }
    poll_all( mem, 0 );
    commit_pages( mem, 40, 8 );
    check_contents( mem );
    write_page( mem, 42 );
    poll_all( mem, 0 );
    poll_all( mem, WRITE_WATCH_FLAG_RESET );
    poll_all( mem, 0 );

    phase( "discard" );   /* MEM_RESET */
    write_page( mem, 50 );
    write_page( mem, 54 );
    if (mem->base)
    {
        SetLastError( 0xdead );
        if (!VirtualAlloc( mem->base + 48 * PAGE_SIZE, 8 * PAGE_SIZE, MEM_RESET, PAGE_READWRITE ))
            failed( "discard" );
        for (i = 48; i < 56; i++) mem->stored[i] = UNKNOWN;
    }
    poll_all( mem, 0 );
    write_page( mem, 49 );
    poll_all( mem, WRITE_WATCH_FLAG_RESET );
}

/* The end, when nothing fails any more: what was written and not reported is reported now. */
static void settle( struct memory *mem )
{
    unsigned int i;

    if (!mem->base) return;
    if (mem->read_only)
    {
        mem->read_only = 0;
        for (i = 0; i < PAGES; i++)
            if (mem->stored[i] != NO_ACCESS && !protect_pages( mem, i, 1, PAGE_READWRITE ))
                wrong( "the protection of page %u remains lost", i );
    }
    check_contents( mem );
    if (!poll_all( mem, WRITE_WATCH_FLAG_RESET ))
    {
        note( "fails until all is reset" );
        reset_pages( mem, 0, PAGES );
    }
    for (i = 1; i < PAGES; i += 7) write_page( mem, i );
    if (!poll_all( mem, WRITE_WATCH_FLAG_RESET )) note( "fails for good" );
    check_contents( mem );
}

#endif /* ROUND_H */
