/*
 * Race test: the threads that write, poll and disturb
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "race.h"

/***********************************************************************
 *           choose_page
 *
 * A page of a writer's own, or a shared one. Each sixteen pages have one owner but for the shared.
 */
static unsigned int choose_page( unsigned int self, unsigned int pos, uint64_t *random )
{
    unsigned int blocks = (current.pages - DISTURBED) / 16, value;

    if (!current.sequential) pos = next_random( random );
    value = pos / 15;
    if (pos % 15 == 14) value %= blocks;
    else value = value % (blocks / current.writers) * current.writers + self;
    return value * 16 + pos % 15;
}


/***********************************************************************
 *           writer_thread
 *
 * The first one leaves some of its writes to the kernel.
 */
void writer_thread( void *arg )
{
    unsigned int self = (uintptr_t)arg, pos, i, page, count = 0;
    uint64_t random = current.seed * 16 + self + 1, kernel_writes = 0;

    for (pos = next_random( &random ) % 4096; !load( &current.stopping );)
    {
        for (i = 0; i < 32; i++) account_write( choose_page( self, pos++, &random ) );
        count++;
        if (!self && !(count % 8))
        {
            page = choose_page( self, pos++, &random );
            if (page_kind( page ) == OWN)
            {
                if (!account_kernel_write( page, !(count % 256) ))
                    failed( "a system call did not write to page %u", page );
                kernel_writes++;
            }
        }
        if (current.paced && !(next_random( &random ) % 4)) yield_thread();
        if (current.paced && !(next_random( &random ) % 256)) sleep_ms( 1 );
    }
    add( &counts.writes, (uint64_t)count * 32 + kernel_writes );
    add( &counts.kernel_writes, kernel_writes );
}


/* reads a page, which is no write, also if it was never touched */
static void look_at( unsigned int page )
{
    if (page_kind( page ) != CHANGING) (void)*page_content( page );
}


/***********************************************************************
 *           poller_thread
 */
void poller_thread( void *arg )
{
    unsigned int self = (uintptr_t)arg, first, last, size, count, turns;
    uint64_t random = current.seed * 16 + self + 10;
    int reset;

    while (!load( &current.stopping ))
    {
        size = next_random( &random ) % 2 ? 1 + next_random( &random ) % 64
                                          : 1 + next_random( &random ) % current.pages;
        reset = next_random( &random ) % 8 != 0;
        first = 0;
        last = current.pages;
        switch (next_random( &random ) % 4)
        {
        case 0:  /* the first pages again and again */
            for (turns = 0; turns < 4; turns++)
                if (account_call( self, first, last, reset, size, &count ) == last) break;
            break;
        case 1:  /* a part, up to its end */
            first = next_random( &random ) % current.pages;
            last = first + 1 + next_random( &random ) % (current.pages - first);
            /* fall through */
        default:
            while (first < last && !load( &current.stopping ))
                first = account_call( self, first, last, reset, size, &count );
            break;
        }
        look_at( next_random( &random ) % current.pages );
        look_at( next_random( &random ) % current.pages | 15 );
        if (!(next_random( &random ) % 16)) sleep_ms( 1 );
    }
}


/***********************************************************************
 *           decommit
 *
 * Decommits pages and commits them again: what was written stays so (row 15).
 */
static void decommit( unsigned int page, unsigned int count )
{
    char *address = current.base + (size_t)page * PAGE;

    if (!VirtualFree( address, (size_t)count * PAGE, MEM_DECOMMIT )) failed( "decommit failed" );
    if (VirtualAlloc( address, (size_t)count * PAGE, MEM_COMMIT, PAGE_READWRITE ) != address)
        failed( "commit failed" );
    if (*page_content( page )) failed( "page %u is not zero after a decommit", page );
    add( &counts.decommits, 1 );
}


/***********************************************************************
 *           change_protection
 *
 * Takes access away and gives it back (row 13).
 */
static void change_protection( unsigned int page, unsigned int count, DWORD protect )
{
    char *address = current.base + (size_t)page * PAGE;
    DWORD old;

    if (!VirtualProtect( address, (size_t)count * PAGE, protect, &old ) ||
        !VirtualProtect( address, (size_t)count * PAGE, PAGE_READWRITE, &old ))
        failed( "VirtualProtect failed" );
    add( &counts.protections, 1 );
}


/***********************************************************************
 *           changing_thread
 *
 * Works in the last pages, which no other thread writes, and now and then beside the region.
 */
void changing_thread( void *arg )
{
    static const DWORD protect[] = { PAGE_READONLY, PAGE_NOACCESS, PAGE_EXECUTE_READ };
    uint64_t random = current.seed * 16 + (uintptr_t)arg, writes = 0;
    void *other;

    while (!load( &current.stopping ))
    {
        unsigned int count = 1 + next_random( &random ) % 4;
        unsigned int page = current.pages - DISTURBED + next_random( &random ) % (DISTURBED - 4);

        if (next_random( &random ) % 4)
        {
            account_write( page );
            writes++;
        }
        if (next_random( &random ) % 2) decommit( page, count );
        else change_protection( page, count, protect[next_random( &random ) % 3] );
        if (!(next_random( &random ) % 16) &&
            (other = VirtualAlloc( NULL, 16 * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                                   PAGE_READWRITE )))
        {
            *(volatile char *)other = 1;
            VirtualFree( other, 0, MEM_RELEASE );
        }
        if (!(next_random( &random ) % 8)) sleep_ms( 1 );
    }
    add( &counts.writes, writes );
}


/***********************************************************************
 *           paging_thread
 *
 * Moves pages out.
 */
void paging_thread( void *arg )
{
    uint64_t random = current.seed * 16 + (uintptr_t)arg;

    while (!load( &current.stopping ))
    {
        unsigned int first = next_random( &random ) % current.pages;
        unsigned int count = 1 + next_random( &random ) % (current.pages - first);

        if (!page_out( current.base + (size_t)first * PAGE, (size_t)count * PAGE )) return;
        add( &counts.page_outs, 1 );
        sleep_ms( 1 );
    }
}


/***********************************************************************
 *           hog_thread
 *
 * Uses so many MiB of memory all the time, for the rest of the process.
 */
void hog_thread( void *arg )
{
    size_t size = (size_t)(uintptr_t)arg << 20, i;
    volatile char *memory = malloc( size );

    if (!memory) failed( "no memory to press with" );
    while (memory)
    {
        for (i = 0; i < size; i += PAGE) memory[i]++;
        sleep_ms( 1 );
    }
}
