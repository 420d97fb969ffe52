/*
 * One input of the fuzzer: hostile calls, and what each must answer
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

#ifdef __MINGW32__   /* not in its headers */
NTSTATUS WINAPI NtGetWriteWatch( HANDLE, ULONG, PVOID, SIZE_T, PVOID *, ULONG_PTR *, ULONG * );
NTSTATUS WINAPI NtResetWriteWatch( HANDLE, PVOID, SIZE_T );
NTSTATUS WINAPI NtAllocateVirtualMemory( HANDLE, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG );
#endif

#define PROCESS ((HANDLE)~(ULONG_PTR)0)
#define ENTRY   sizeof(void *)   /* of an entry of the array, and of the count */

unsigned long fuzz_calls, fuzz_successes;

struct input
{
    const unsigned char *data;
    size_t               left;
};

/* what the caller gives to GetWriteWatch */
struct query
{
    uintptr_t    base, size;
    uintptr_t    array, count, granularity;   /* addresses */
    unsigned int flags;
    int          nt;
};

static unsigned int get_byte( struct input *input )
{
    if (!input->left) return 0;
    input->left--;
    return *input->data++;
}

static unsigned int get_word( struct input *input )
{
    unsigned int low = get_byte( input );

    return low | get_byte( input ) << 8;
}

/***********************************************************************
 *           get_pointer
 *
 * Where an argument points to. Never to memory of other code that could be written.
 */
static uintptr_t get_pointer( struct input *input )
{
    static const uintptr_t wild[] =
    {
        0, 1, 8, 0xffc, 0x1000, 0x7ffe0000, 0x7ffe0ffc,
#ifdef __i386__
        0x7ffff000, 0x7ffffff9, 0xfffff000, 0xfffffff8, 0xfffffffc,
#else
        0x7ffffffff000, 0x7ffffffffff9,
        0x800000000000, 0x8000000000000000, 0xdeadbeefdeadbee8, 0xffff800000000000,
        0xffffffff81000000, 0xffffffffff600000, 0xfffffffffffff000, 0xfffffffffffffff8,
#endif
        ~(uintptr_t)0
    };
    unsigned int kind = get_byte( input ), offset = get_word( input );
    struct area *area = &areas[kind / 8 % AREAS];
    uintptr_t page = (uintptr_t)area->base + offset / 16 % area->pages * PAGE;

    switch (kind % 8)
    {
    case 0: return (uintptr_t)areas[PLAIN].base + offset % (16 * PAGE);
    case 1: return ((uintptr_t)areas[PLAIN].base + offset % (16 * PAGE)) & ~(uintptr_t)7;
    case 2: return page + (offset & 15) * ENTRY;
    case 3: return page + PAGE - (offset & 15) * 4;
    case 4: return page + (offset & 15) * 0xff;
    case 5: return freed ? (uintptr_t)freed + offset : 0;
    case 6: return wild[offset % (sizeof(wild) / sizeof(wild[0]))];
    default:   /* the array of the last case, in watched memory that can be written */
        return (uintptr_t)areas[kind / 8 & 1].base + offset % (16 * PAGE - ENTRY);
    }
}

/* where the range of a query begins: mostly in a watched area */
static uintptr_t get_base( struct input *input )
{
    unsigned int kind = get_byte( input );
    struct area *area = &areas[kind & 1];

    if (kind >= 0xd0) return get_pointer( input );
    if (kind & 2) return (uintptr_t)area->base;
    return (uintptr_t)area->base + get_word( input ) % (area->pages * PAGE);
}

static uintptr_t get_size( struct input *input, uintptr_t base )
{
    struct area *area = arena_find( base );
    uintptr_t rest = area ? (uintptr_t)area->base + area->pages * PAGE - base : PAGE;

    switch (get_byte( input ) % 16)
    {
    case 0: return 0;
    case 1: return rest + 1;
    case 2: return rest * 2;
    case 3: return ~(uintptr_t)0;
    case 4: return -base;
    case 5: return -base - 1;
    case 6: return (uintptr_t)get_word( input ) << (8 * ENTRY - 16) | 1;
    case 7: return get_word( input );
    case 8: return 1;
    default: return rest;
    }
}

static ULONG_PTR get_count( struct input *input, uintptr_t array )
{
    switch (get_byte( input ) % 16)
    {
    case 0: return 0;
    case 1: return 1;
    case 2: return ~(ULONG_PTR)0 / ENTRY / 2 + 1;
    case 3: return ~(ULONG_PTR)0 / ENTRY + 1;
    case 4: return ~(ULONG_PTR)0;
    case 5: return ~(ULONG_PTR)0 / ENTRY;
    case 6: return -(ULONG_PTR)array / ENTRY;
    case 7: return (ULONG_PTR)1 << 4 * ENTRY;
    case 8: return 512;
    case 9: return (PAGE - array % PAGE) / ENTRY;
    case 10: return 64;
    default: return get_byte( input );
    }
}

/***********************************************************************
 *           is_query
 *
 * The pages that a range stands for, if it lies in one area (rows 5, 6 and 8).
 */
static struct area *is_query( uintptr_t base, uintptr_t size, unsigned int *first,
                              unsigned int *end )
{
    struct area *area = arena_find( base );
    uintptr_t last = base + size - 1;

    if (!size || last < base || !area || !area->watched || arena_find( last ) != area) return NULL;
    *first = (base - (uintptr_t)area->base) / PAGE;
    *end = (last - (uintptr_t)area->base) / PAGE + 1;
    return area;
}

static int overlap( uintptr_t a, uintptr_t a_size, uintptr_t b, uintptr_t b_size )
{
    return a < b + b_size && b < a + a_size;
}

/***********************************************************************
 *           call_query
 *
 * The Nt call, or the Win32 call as the status that it stands for.
 */
static NTSTATUS call_query( const struct query *query )
{
    if (query->nt)
        return NtGetWriteWatch( PROCESS, query->flags, (void *)query->base, query->size,
                                (void *)query->array, (void *)query->count,
                                (void *)query->granularity );

    SetLastError( 0xdeadbeef );
    if (!GetWriteWatch( query->flags, (void *)query->base, query->size, (void *)query->array,
                        (void *)query->count, (void *)query->granularity )) return STATUS_SUCCESS;
    if (GetLastError() == ERROR_NOACCESS) return STATUS_ACCESS_VIOLATION;
    if (GetLastError() == ERROR_INVALID_PARAMETER) return STATUS_INVALID_PARAMETER;
    if (GetLastError() == (DWORD)STATUS_GUARD_PAGE_VIOLATION) return STATUS_GUARD_PAGE_VIOLATION;
    return STATUS_UNSUCCESSFUL;
}

/***********************************************************************
 *           expected_array_status
 *
 * Row 34: only what is stored of the array is touched. That is one address for each page that was
 * written; pages of the array itself may become written before the call comes by. 1 if it may fail
 * or not.
 */
static NTSTATUS expected_array_status( const struct query *query, const struct area *area,
                                       unsigned int first, unsigned int end, ULONG_PTR max )
{
    ULONG_PTR least = 0, most = 0, room = max < end - first ? max : end - first;
    enum access access;

    for (; first < end; first++)
    {
        if (area->written[first] == YES) least++;
        if (area->written[first] != NO ||
            overlap( (uintptr_t)area->base + first * PAGE, PAGE, query->array, room * ENTRY ))
            most++;
    }
    if (least > max) least = max;
    if (most > max) most = max;
    access = least ? arena_access( query->array, least * ENTRY ) : WRITE;
    if (access == NONE || access == READ) return STATUS_ACCESS_VIOLATION;
    if (access == GUARD) return 1;
    return most && arena_access( query->array, most * ENTRY ) != WRITE ? 1 : STATUS_SUCCESS;
}

/***********************************************************************
 *           expected_status
 *
 * By the rules and in their order (rows 1 to 6, 34); 1 if the call may succeed or not.
 */
static NTSTATUS expected_status( const struct query *query, const struct area *area,
                                 unsigned int first, unsigned int end, ULONG_PTR max )
{
    enum access count = arena_access( query->count, ENTRY );
    enum access granularity = arena_access( query->granularity, 4 );
    uintptr_t last = query->base + query->size - 1;
    NTSTATUS status;

    if (!query->count || !query->granularity || count == NONE) return STATUS_ACCESS_VIOLATION;
    if (count == GUARD) return 1;
    if (!max || !query->size || (query->flags & ~WRITE_WATCH_FLAG_RESET))
        return STATUS_INVALID_PARAMETER;
    if (last < query->base || (last | (PAGE - 1)) == ~(uintptr_t)0)
        return STATUS_INVALID_PARAMETER;   /* it wraps */
    if (!query->array) return STATUS_ACCESS_VIOLATION;
    if (!area) return STATUS_INVALID_PARAMETER;
    if ((status = expected_array_status( query, area, first, end, max ))) return status;
    if (count == READ || granularity == NONE || granularity == READ)
        return STATUS_ACCESS_VIOLATION;
    return granularity == GUARD ? 1 : STATUS_SUCCESS;
}

/***********************************************************************
 *           check_reported
 *
 * Compares a good answer with what is written, and takes over what it resets (rows 10 and 33).
 * Pages that the call itself wrote to may be reported or not.
 */
static void check_reported( const struct query *query, struct area *area, unsigned int first,
                            unsigned int end, ULONG_PTR found, ULONG_PTR max )
{
    const uintptr_t *results = (void *)query->array;
    ULONG_PTR entry = 0;
    unsigned int page;

    for (page = first; page < end; page++)
    {
        uintptr_t addr = (uintptr_t)area->base + page * PAGE, result;
        int own = overlap( addr, PAGE, query->array, found * ENTRY ) ||
                  overlap( addr, PAGE, query->count, ENTRY ) ||
                  overlap( addr, PAGE, query->granularity, 4 );

        result = 0;
        if (entry < found) memcpy( &result, (char *)results + entry * ENTRY, ENTRY );
        if (entry < found && result == addr)
        {
            entry++;
            if (area->written[page] == NO && !own)
                fuzz_failed( "page %u is reported and was not written", page );
            if (query->flags & WRITE_WATCH_FLAG_RESET) area->written[page] = own ? MAYBE : NO;
        }
        else if (found == max && entry == found) continue;   /* the array was full */
        else if (area->written[page] == YES)
            fuzz_failed( "page %u was written and is not reported", page );
        else if (!own) area->written[page] = NO;
    }
    if (entry != found) fuzz_failed( "entry %u is no page of the range", (unsigned int)entry );
}

/***********************************************************************
 *           get_write_watch
 */
static void get_write_watch( struct input *input )
{
    unsigned int mode = get_byte( input ), first = 0, end = 0, page;
    struct query query;
    struct area *area;
    ULONG_PTR max = 0, found;
    NTSTATUS status, expected;

    query.base = get_base( input );
    query.size = get_size( input, query.base );
    query.array = get_pointer( input );
    query.count = get_pointer( input );
    query.granularity = get_pointer( input );
    query.nt = mode & 1;
    query.flags = mode & 2 ? WRITE_WATCH_FLAG_RESET : 0;
    if (mode >= 0xf0) query.flags = mode << 4 | 1;
    if (mode & 4) query.count = query.array + (get_byte( input ) & ~3);   /* within the array */
    area = is_query( query.base, query.size, &first, &end );

    max = get_count( input, query.array );
    if (arena_access( query.count, ENTRY ) == WRITE)
    {
        memcpy( (void *)query.count, &max, ENTRY );
        arena_accept( query.count, ENTRY, YES );
    }
    else if (arena_access( query.count, ENTRY ) == READ)
        memcpy( &max, (void *)query.count, ENTRY );
    else if (query.count >> 16 == 0x7ffe) return;   /* it changes at any time */

    expected = expected_status( &query, area, first, end, max );
    status = call_query( &query );
    if (expected != 1 && status != expected)
        fuzz_failed( "status %08x, expected %08x: flags %x, base %p, size %p, array %p, count %p "
                     "(%p), granularity %p", (unsigned int)status, (unsigned int)expected,
                     query.flags, (void *)query.base, (void *)query.size, (void *)query.array,
                     (void *)query.count, (void *)(uintptr_t)max, (void *)query.granularity );
    if (status == STATUS_INVALID_PARAMETER) return;
    if (status)
    {
        /* the guard of the count ends with its being read */
        if (arena_access( query.count, ENTRY ) == GUARD) arena_accept( query.count, ENTRY, NO );
        /* it may have got as far as to the array, and has undone what that meant */
        if (!area || expected == STATUS_INVALID_PARAMETER) return;
        if (max > end - first) max = end - first;
        arena_accept( query.array, max * ENTRY, MAYBE );
        arena_accept( query.granularity, 4, MAYBE );
        arena_accept( query.count, ENTRY, MAYBE );
        return;
    }

    fuzz_successes++;
    if (arena_access( query.count, ENTRY ) == GUARD) arena_accept( query.count, ENTRY, MAYBE );
    memcpy( &found, (void *)query.count, ENTRY );
    /* the granularity is stored last (row 34c) */
    if (overlap( query.granularity, 4, query.count, ENTRY ))
        found = max < end - first ? max : end - first;
    if (found > max || found > end - first)
        fuzz_failed( "%u pages of %u, in an array of %u", (unsigned int)found, end - first,
                     (unsigned int)max );
    if (overlap( query.array, found * ENTRY, query.count, ENTRY ) ||
        overlap( query.array, found * ENTRY, query.granularity, 4 ) ||
        overlap( query.granularity, 4, query.count, ENTRY ))
    {
        /* what was reported cannot be known */
        if (query.flags & WRITE_WATCH_FLAG_RESET)
            for (page = first; page < end; page++)
                if (area->written[page] == YES) area->written[page] = MAYBE;
    }
    else
    {
        DWORD granularity;

        memcpy( &granularity, (void *)query.granularity, 4 );
        if (granularity != PAGE) fuzz_failed( "granularity %u", (unsigned int)granularity );
        check_reported( &query, area, first, end, found, max );
    }
    /* what the call stores last is written after it, whatever it reported */
    arena_accept( query.array, found * ENTRY, MAYBE );
    arena_accept( query.granularity, 4, YES );
    arena_accept( query.count, ENTRY, YES );
}

/***********************************************************************
 *           reset_write_watch
 */
static void reset_write_watch( struct input *input )
{
    uintptr_t base = get_base( input ), size = get_size( input, base );
    unsigned int first = 0, end = 0;
    struct area *area = is_query( base, size, &first, &end );
    NTSTATUS status;

    if (get_byte( input ) & 1) status = NtResetWriteWatch( PROCESS, (void *)base, size );
    else status = ResetWriteWatch( (void *)base, size ) ? STATUS_INVALID_PARAMETER : 0;
    if (status != (area ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER))
        fuzz_failed( "ResetWriteWatch( %p, %p ) returns %08x", (void *)base, (void *)size,
                     (unsigned int)status );
    for (; first < end; first++) area->written[first] = NO;
    if (area) fuzz_successes++;
}

/***********************************************************************
 *           call_others
 *
 * The calls that change memory, with arguments that must be refused, and those that store something
 * through pointers of the program.
 */
static void call_others( struct input *input )
{
    unsigned int kind = get_byte( input );
    uintptr_t addr = get_pointer( input ), pointer = get_pointer( input ), size;
    char *watched = areas[WATCHED].base;
    SIZE_T result;

    switch (kind % 8)
    {
    case 0:   /* reserved already */
        if (VirtualAlloc( watched + 16 * (kind / 8) * PAGE % (48 * PAGE), 16 * PAGE, MEM_RESERVE |
                          MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE ))
            fuzz_failed( "memory is reserved a second time" );
        break;
    case 1:   /* a size that wraps, or none */
        size = kind & 8 ? 0 : -(uintptr_t)watched + get_word( input );
        if (VirtualAlloc( watched, size, MEM_COMMIT, PAGE_READWRITE ) ||
            VirtualFree( watched, -(uintptr_t)watched + get_word( input ), MEM_DECOMMIT ))
            fuzz_failed( "a size of %p is accepted", (void *)size );
        break;
    case 2:   /* not the base, or no memory at all */
        /* Wine has a place of its own at 0, which it releases */
        if (addr < 0x10000 || addr >> 16 == 0x7ffe) break;
        if (arena_find( addr ) && addr - (uintptr_t)arena_find( addr )->base < PAGE) break;
        if (VirtualFree( (void *)addr, 0, MEM_RELEASE ))
            fuzz_failed( "memory at %p is released", (void *)addr );
        break;
    case 3:   /* contradictions */
        if (VirtualFree( watched, 0, MEM_RELEASE | MEM_DECOMMIT ) ||
            VirtualFree( watched, PAGE, 0 ) ||
            VirtualAlloc( NULL, PAGE, 0x80000000 | kind, PAGE_READWRITE ) ||
            VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_WRITE_WATCH | MEM_PHYSICAL,
                          PAGE_READWRITE ))
            fuzz_failed( "flags that contradict each other are accepted" );
        break;
    case 4:   /* another protection than there is, and where the old one goes */
        if (VirtualProtect( watched, 2 * PAGE, 0x1234, (void *)pointer ))
            fuzz_failed( "a protection that does not exist is accepted" );
        arena_accept( pointer, 4, MAYBE );
        break;
    case 5:
#ifdef __MINGW32__
        /* Wine keeps its lock when it faults there: all that comes after would hang by it */
        if (arena_access( pointer, sizeof(MEMORY_BASIC_INFORMATION) ) != WRITE) break;
#endif
        if (addr >> 16 == 0x7ffe) break;
        result = VirtualQuery( (void *)addr, (void *)pointer, sizeof(MEMORY_BASIC_INFORMATION) );
        /* with some bytes at the end that may be left alone */
        arena_accept( pointer, sizeof(MEMORY_BASIC_INFORMATION), MAYBE );
        if (result) arena_accept( pointer, offsetof( MEMORY_BASIC_INFORMATION, Type ) + 4, YES );
        break;
    case 6:   /* the sizes there are too large, or 0: it fails anyway */
        addr = (uintptr_t)areas[PLAIN].base + 16 * PAGE + addr % (2 * PAGE - ENTRY);
        if (!NtAllocateVirtualMemory( PROCESS, (void *)pointer, 0, (void *)addr,
                                      MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE ))
            fuzz_failed( "a reservation of half the address space succeeds" );
        arena_accept( pointer, ENTRY, MAYBE );
        break;
    default:  /* where the size is cannot be read */
        addr = (uintptr_t)areas[PLAIN].base + 18 * PAGE + addr % (4 * PAGE - ENTRY);
        if (!NtAllocateVirtualMemory( PROCESS, (void *)pointer, 0, (void *)addr,
                                      MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE ))
            fuzz_failed( "a size that cannot be read is accepted" );
        arena_accept( pointer, ENTRY, MAYBE );
        break;
    }
}

/***********************************************************************
 *           fuzz_one
 *
 * At most so many calls that it does not look like a hang.
 */
void fuzz_one( const unsigned char *data, size_t size )
{
    struct input input = { data, size < 4096 ? size : 4096 };

    arena_begin();
    while (input.left)
    {
        unsigned int kind = get_byte( &input ), page, offset, i;
        struct area *area = &areas[kind / 16 % 2];

        switch (kind % 16)
        {
        default:
            get_write_watch( &input );
            fuzz_calls++;
            break;
        case 9:
            reset_write_watch( &input );
            fuzz_calls++;
            break;
        case 10: case 11:
            call_others( &input );
            fuzz_calls++;
            break;
        case 12:
            arena_change( kind / 16 );
            break;
        case 13: case 14: case 15:
            for (i = get_byte( &input ) % 8; i < 8; i++)
            {
                page = get_byte( &input );
                offset = get_word( &input );
                arena_write( area, page, offset, offset >> 4 );
            }
            break;
        }
        arena_compare( "a call" );
    }
    arena_poll( "at the end" );
}
