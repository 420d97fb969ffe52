/*
 * The memory that the fuzzer's calls are about, and what is known of it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

/* Far from where others allocate: behind each area is nothing, and the freed one remains free. */
#define FAR_ADDRESS     ((char *)(uintptr_t)(sizeof(void *) == 8 ? 0x200000000000 : 0x20000000))
#define WATCHED_ADDRESS FAR_ADDRESS
#define PLAIN_ADDRESS   (FAR_ADDRESS + 0x10000000)
#define FREED_ADDRESS   (FAR_ADDRESS + 0x20000000)

/* pages of the watched area whose protection changes, and those that are guarded */
#define CHANGING   32
#define UNWRITABLE 40
#define GUARDED    52
#define FULL       56

struct area areas[AREAS];
char *freed;

static void set_access( struct area *area, unsigned int first, unsigned int end,
                        enum access access )
{
    for (; first < end; first++) area->access[first] = access;
}

static void protect( struct area *area, unsigned int first, unsigned int end, DWORD prot )
{
    DWORD old;

    if (!VirtualProtect( area->base + first * PAGE, (end - first) * PAGE, prot, &old ))
        fuzz_failed( "a good VirtualProtect fails, error %u", (unsigned int)GetLastError() );
}

static void decommit( struct area *area, unsigned int first, unsigned int end )
{
    if (!VirtualFree( area->base + first * PAGE, (end - first) * PAGE, MEM_DECOMMIT ))
        fuzz_failed( "a good VirtualFree fails, error %u", (unsigned int)GetLastError() );
}

static void make_area( struct area *area, char *addr, unsigned int pages, DWORD watch )
{
    area->pages = pages;
    area->watched = watch != 0;
    area->base = VirtualAlloc( addr, pages * PAGE, MEM_RESERVE | MEM_COMMIT | watch,
                               PAGE_READWRITE );
    if (!area->base) fuzz_failed( "no memory at %p, error %u", addr, (unsigned int)GetLastError() );
    set_access( area, 0, pages, WRITE );
}

/***********************************************************************
 *           arena_make
 *
 * Once.
 */
void arena_make(void)
{
    struct area *area = &areas[WATCHED];

    make_area( area, WATCHED_ADDRESS, 64, MEM_WRITE_WATCH );
    protect( area, UNWRITABLE, UNWRITABLE + 4, PAGE_READONLY );
    set_access( area, UNWRITABLE, UNWRITABLE + 4, READ );
    protect( area, UNWRITABLE + 4, UNWRITABLE + 8, PAGE_NOACCESS );
    decommit( area, UNWRITABLE + 8, GUARDED );
    set_access( area, UNWRITABLE + 4, GUARDED, NONE );
    set_access( area, GUARDED, FULL, GUARD );

    make_area( &areas[BESIDE], WATCHED_ADDRESS + 64 * PAGE, 16, MEM_WRITE_WATCH );

    area = &areas[PLAIN];
    make_area( area, PLAIN_ADDRESS, 24, 0 );
    memset( area->base, 0xa5, 24 * PAGE );
    memset( area->shadow, 0xa5, 24 * PAGE );
    protect( area, 16, 18, PAGE_READONLY );
    set_access( area, 16, 18, READ );
    protect( area, 18, 20, PAGE_NOACCESS );
    decommit( area, 20, 22 );
    set_access( area, 18, 22, NONE );

    freed = VirtualAlloc( FREED_ADDRESS, 16 * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                          PAGE_READWRITE );
    if (freed)
    {
        memset( freed, 1, 16 * PAGE );
        if (!VirtualFree( freed, 0, MEM_RELEASE )) fuzz_failed( "memory cannot be released" );
    }
}

/***********************************************************************
 *           arena_guard
 *
 * A call may have used a guard up.
 */
void arena_guard(void)
{
    protect( &areas[WATCHED], GUARDED, FULL, PAGE_READWRITE | PAGE_GUARD );
}

/***********************************************************************
 *           arena_begin
 *
 * Before an input: nothing is written, and the pages whose protection changes can be written.
 */
void arena_begin(void)
{
    MEMORY_BASIC_INFORMATION info;
    unsigned int i;

    for (i = 0; i < AREAS; i++)
    {
        if (!areas[i].watched) continue;
        if (ResetWriteWatch( areas[i].base, areas[i].pages * PAGE ))
            fuzz_failed( "a good ResetWriteWatch fails, error %u", (unsigned int)GetLastError() );
        memset( areas[i].written, 0, sizeof(areas[i].written) );
    }
    arena_change( 0 );
    arena_guard();
    if (freed && (!VirtualQuery( freed, &info, sizeof(info) ) || info.State != MEM_FREE ||
                  info.RegionSize < 16 * PAGE)) freed = NULL;
}

/***********************************************************************
 *           arena_change
 *
 * Changes the access to some watched pages; what was written remains so (rows 13 and 15).
 */
void arena_change( unsigned int kind )
{
    static const DWORD prots[] = { PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS };
    static const enum access accesses[] = { WRITE, READ, NONE };
    struct area *area = &areas[WATCHED];

    if (kind % 4 == 3)
    {
        decommit( area, CHANGING, UNWRITABLE );
        memset( area->shadow + CHANGING * PAGE, 0, (UNWRITABLE - CHANGING) * PAGE );
        set_access( area, CHANGING, UNWRITABLE, NONE );
        return;
    }
    if (!VirtualAlloc( area->base + CHANGING * PAGE, (UNWRITABLE - CHANGING) * PAGE, MEM_COMMIT,
                       prots[kind % 4] ))
        fuzz_failed( "memory cannot be committed, error %u", (unsigned int)GetLastError() );
    set_access( area, CHANGING, UNWRITABLE, accesses[kind % 4] );
}

/***********************************************************************
 *           arena_find
 */
struct area *arena_find( uintptr_t addr )
{
    unsigned int i;

    for (i = 0; i < AREAS; i++)
        if (addr - (uintptr_t)areas[i].base < areas[i].pages * PAGE) return &areas[i];
    return NULL;
}

/***********************************************************************
 *           arena_access
 *
 * What all of a range allows. What is none of ours allows nothing, except for the page that every
 * Windows process can read.
 */
enum access arena_access( uintptr_t addr, uintptr_t size )
{
    enum access ret = WRITE, access;
    uintptr_t page, last = addr + size - 1;
    int guard = 0;

    if (!size) return WRITE;
    if (last < addr) return NONE;
    for (page = addr & ~(PAGE - 1); page <= last; page += PAGE)
    {
        struct area *area = arena_find( page );

        if (page >> 16 == 0x7ffe) access = READ, guard = 1;
        else if (!area) return NONE;
        else access = area->access[(page - (uintptr_t)area->base) / PAGE];
        if (access == GUARD) guard = 1;
        else if (access < ret) ret = access;
    }
    return guard && ret != NONE ? GUARD : ret;
}

/***********************************************************************
 *           arena_accept
 *
 * A call may have changed this memory, as its output: what is there now is right. The state of the
 * watched pages becomes "written", if that is more than it was.
 */
void arena_accept( uintptr_t addr, uintptr_t size, enum written written )
{
    while (size)
    {
        struct area *area = arena_find( addr );
        size_t offset, len = PAGE - addr % PAGE;

        if (len > size) len = size;
        if (area && area->access[(addr - (uintptr_t)area->base) / PAGE] >= WRITE)
        {
            offset = addr - (uintptr_t)area->base;
            if (area->access[offset / PAGE] == GUARD)
                protect( area, offset / PAGE, offset / PAGE + 1, PAGE_READWRITE );
            memcpy( area->shadow + offset, (void *)addr, len );
            if (area->watched && area->written[offset / PAGE] < written)
                area->written[offset / PAGE] = written;
        }
        addr += len;
        size -= len;
    }
}

/***********************************************************************
 *           arena_write
 *
 * The program writes.
 */
void arena_write( struct area *area, unsigned int page, unsigned int offset, char value )
{
    page %= area->pages;
    if (area->access[page] != WRITE) return;
    offset = page * PAGE + offset % PAGE;
    *(volatile char *)(area->base + offset) = value;
    area->shadow[offset] = value;
    if (area->watched) area->written[page] = YES;
}

/***********************************************************************
 *           arena_compare
 *
 * Nothing has changed but what may have.
 */
void arena_compare( const char *what )
{
    unsigned int i, page;
    size_t offset;

    protect( &areas[WATCHED], GUARDED, FULL, PAGE_READWRITE );
    for (i = 0; i < AREAS; i++)
        for (page = 0; page < areas[i].pages; page++)
        {
            char *base = areas[i].base + page * PAGE, *shadow = areas[i].shadow + page * PAGE;

            if (areas[i].access[page] == NONE || !memcmp( base, shadow, PAGE )) continue;
            for (offset = 0; base[offset] == shadow[offset]; offset++) /* nothing */;
            fuzz_failed( "%s changed memory that is not its output: %p was %02x, is %02x", what,
                         (void *)(base + offset), (unsigned char)shadow[offset],
                         (unsigned char)base[offset] );
        }
    arena_guard();
}

/***********************************************************************
 *           arena_poll
 *
 * At the end: what was written is reported, and nothing else.
 */
void arena_poll( const char *what )
{
    unsigned int i, page;

    for (i = 0; i < AREAS; i++)
    {
        void *results[MAX_PAGES];
        ULONG_PTR count = MAX_PAGES, entry = 0;
        DWORD granularity;

        if (!areas[i].watched) continue;
        if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, areas[i].base, areas[i].pages * PAGE, results,
                           &count, &granularity ))
            fuzz_failed( "%s: a good poll fails, error %u", what, (unsigned int)GetLastError() );
        for (page = 0; page < areas[i].pages; page++)
        {
            int reported = entry < count && results[entry] == areas[i].base + page * PAGE;

            if (reported) entry++;
            if (reported && areas[i].written[page] == NO)
                fuzz_failed( "%s: page %u of area %u is reported, not written", what, page, i );
            if (!reported && areas[i].written[page] == YES)
                fuzz_failed( "%s: page %u of area %u was written and is lost", what, page, i );
            areas[i].written[page] = NO;
        }
        if (entry != count) fuzz_failed( "%s: %p is no page of area %u", what, results[entry], i );
    }
}
