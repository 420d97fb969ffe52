/*
 * Results arrays, counts and granularities that cannot be written, or only in part (rows 33 to 34c)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A query touches what it stores and nothing else, a fault there ends it with its own status, and
 * nothing is lost. The arguments are backends, otherwise all have their turn.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGE  ((SIZE_T)page_size())
#define PAGES 512
#define RESET WRITE_WATCH_FLAG_RESET
#define WHOLE (PAGES * PAGE)

static char *memory;   /* PAGES watched pages, of which every other one is written before a call */

static NTSTATUS get( ULONG flags, void *array, ULONG_PTR *count, ULONG *granularity )
{
    return NtGetWriteWatch( NtCurrentProcess(), flags, memory, WHOLE, array, count, granularity );
}

static void write_pages(void)
{
    size_t i;

    for (i = 0; i < PAGES; i += 2) *(volatile char *)(memory + i * PAGE) = 1;
}

/* whether every other page is written, and no other one; makes all of them not written */
static int all_are_written(void)
{
    static void *results[PAGES];
    ULONG_PTR i, count = PAGES;
    ULONG granularity;

    if (get( RESET, results, &count, &granularity )) return 0;
    for (i = 0; i < count; i++) if (results[i] != memory + 2 * i * PAGE) return 0;
    return count == PAGES / 2;
}

/* memory that is watched or not */
static char *allocate( int watched, SIZE_T pages )
{
    char *ret = VirtualAlloc( NULL, pages * PAGE,
                              MEM_RESERVE | MEM_COMMIT | (watched ? MEM_WRITE_WATCH : 0),
                              PAGE_READWRITE );

    check( ret != NULL );
    return ret;
}

static void protect( void *addr, ULONG protection )
{
    DWORD old;

    check( VirtualProtect( addr, PAGE, protection, &old ));
}

static int is_guard( void *addr )
{
    MEMORY_BASIC_INFORMATION info;

    check( VirtualQuery( addr, &info, sizeof(info) ) == sizeof(info) );
    return (info.Protect & PAGE_GUARD) != 0;
}

/* makes a page one that cannot be written, in some way */
static void make_bad( char *page, unsigned int how )
{
    switch (how)
    {
    case 0:  protect( page, PAGE_READONLY ); break;
    case 1:  protect( page, PAGE_NOACCESS ); break;
    case 2:  protect( page, PAGE_EXECUTE_READ ); break;
    default: check( VirtualFree( page, PAGE, MEM_DECOMMIT )); break;
    }
}

/* Row 34: an array that ends before *count entries do, in a page that cannot be written. */
static void test_short_arrays( int watched )
{
    static const ULONG_PTR counts[] = { PAGES, PAGES + 1, 0x100000, ~(ULONG_PTR)0 / 16 + 1,
                                        ~(ULONG_PTR)0 };
    unsigned int how, i;

    for (how = 0; how < 4; how++)
    {
        char *array = allocate( watched, 2 ), *end = array + PAGE;
        ULONG_PTR count;
        ULONG granularity = 7;

        make_bad( end, how );
        for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        {
            /* what is found fits to the byte */
            write_pages();
            count = counts[i];
            check( !get( RESET, end - PAGES / 2 * sizeof(void *), &count, &granularity ));
            check( count == PAGES / 2 && granularity == PAGE );
            check( ((void **)end)[-1] == memory + (PAGES - 2) * PAGE );
            count = counts[i];
            check( !get( RESET, end - 1, &count, &granularity ) && !count );

            /* and does not, by some entries */
            write_pages();
            count = counts[i];
            granularity = 7;
            check( get( RESET, end - (PAGES / 2 - 1) * sizeof(void *), &count, &granularity ) ==
                   STATUS_ACCESS_VIOLATION );
            check( get( RESET, end - sizeof(void *), &count, &granularity ) ==
                   STATUS_ACCESS_VIOLATION );
            check( get( 0, end, &count, &granularity ) == STATUS_ACCESS_VIOLATION );
            check( count == counts[i] && granularity == 7 );
            check( all_are_written() );
        }
        check( VirtualFree( array, 0, MEM_RELEASE ));
    }
}

/* Row 33: of an array in watched memory the pages that are stored to become written, no other ones.
 * A guard there stays. */
static void test_touched_only(void)
{
    char *array = allocate( 1, 4 );
    ULONG_PTR count = 4 * PAGE / sizeof(void *), written = 4;
    void *results[4];
    ULONG granularity;

    protect( array + 2 * PAGE, PAGE_READWRITE | PAGE_GUARD );
    write_pages();
    check( !get( RESET, array + PAGE - 16, &count, &granularity ) && count == PAGES / 2 );
    check( is_guard( array + 2 * PAGE ));
    check( !GetWriteWatch( RESET, array, 4 * PAGE, results, &written, &granularity ));
    check( written == 2 && results[0] == array && results[1] == array + PAGE );

    count = 4 * PAGE / sizeof(void *);
    written = 4;
    check( !get( RESET, array, &count, &granularity ) && !count );
    check( !GetWriteWatch( RESET, array, 4 * PAGE, results, &written, &granularity ) && !written );
    check( VirtualFree( array, 0, MEM_RELEASE ));
}

/* Row 34b: the guard is met once, wherever the call comes by it. */
static void test_guards( int watched )
{
    static void *results[PAGES];
    char *page = allocate( watched, 2 );
    unsigned int i;

    for (i = 0; i < 5; i++)
    {
        ULONG_PTR number = PAGES, *count = &number;
        ULONG size = 7, *granularity = &size;
        void *array = results;

        switch (i)
        {
        case 0: array = page; break;
        case 1: array = page + PAGE - 100 * sizeof(void *); break;   /* after 100 entries */
        case 2: count = (ULONG_PTR *)page; break;
        case 3: granularity = (ULONG *)page; break;
        case 4: array = page + PAGE; break;                          /* it stays */
        }
        *count = PAGES;
        write_pages();
        protect( i == 1 ? page + PAGE : page, PAGE_READWRITE | PAGE_GUARD );
        if (i < 4)
        {
            check( get( RESET, array, count, granularity ) == STATUS_GUARD_PAGE_VIOLATION );
            check( !is_guard( i == 1 ? page + PAGE : page ) && *count == PAGES );
            protect( i == 1 ? page + PAGE : page, PAGE_READWRITE | PAGE_GUARD );
            SetLastError( 0 );
            check( GetWriteWatch( RESET, memory, WHOLE, array, count, granularity ) == ~0u );
            check( GetLastError() == (DWORD)STATUS_GUARD_PAGE_VIOLATION && *count == PAGES );
            check( all_are_written() );
            write_pages();
        }
        check( !get( RESET, array, count, granularity ) && *count == PAGES / 2 );
        check( i != 4 || is_guard( page ));
        protect( page, PAGE_READWRITE );
    }
    check( VirtualFree( page, 0, MEM_RELEASE ));
}

/* the same for the other calls */
static void test_guards_elsewhere(void)
{
    char *page = allocate( 0, 1 );
    void *addr = memory, **addr_ptr = (void **)(page + 64);
    SIZE_T size = PAGE;
    DWORD old;

    *addr_ptr = memory;
    protect( page, PAGE_READWRITE | PAGE_GUARD );
    check( NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, PAGE_READWRITE,
                                   (ULONG *)page ) == STATUS_GUARD_PAGE_VIOLATION );
    check( !NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, PAGE_READWRITE,
                                    (ULONG *)page ));
    protect( page, PAGE_READWRITE | PAGE_GUARD );
    check( NtProtectVirtualMemory( NtCurrentProcess(), addr_ptr, &size, PAGE_READWRITE, &old ) ==
           STATUS_GUARD_PAGE_VIOLATION );
    check( !NtProtectVirtualMemory( NtCurrentProcess(), addr_ptr, &size, PAGE_READWRITE, &old ));
    protect( page, PAGE_READWRITE | PAGE_GUARD );
    SetLastError( 0 );
    size = sizeof(MEMORY_BASIC_INFORMATION);
    check( !VirtualQuery( memory, (MEMORY_BASIC_INFORMATION *)page, size ) &&
           GetLastError() == (DWORD)STATUS_GUARD_PAGE_VIOLATION );
    check( VirtualQuery( memory, (MEMORY_BASIC_INFORMATION *)page, size ) == size );
    check( VirtualFree( page, 0, MEM_RELEASE ));
}

/* a count in any place, aligned or not */
static void set_count( void *place, ULONG_PTR count )
{
    memcpy( place, &count, sizeof(count) );
}

static ULONG_PTR count_at( const void *place )
{
    ULONG_PTR count;

    memcpy( &count, place, sizeof(count) );
    return count;
}

/* Row 34c: outputs that overlap, of which the last cannot be stored. Nothing is lost and nothing
 * else reported, as what was stored over the array is taken back. */
static void test_overlaps(void)
{
    static void *results[PAGES];
    char *readonly = allocate( 0, 1 );
    ULONG_PTR *count, number;
    unsigned int entry, skew;
    ULONG granularity;

    *(ULONG_PTR *)readonly = PAGES;
    protect( readonly, PAGE_READONLY );
    for (entry = 0; entry < PAGES / 2; entry += 51)
        for (skew = 0; skew < 8; skew += 3)
        {
            /* the count is stored into the array */
            count = (ULONG_PTR *)((char *)&results[entry] + skew);
            set_count( count, PAGES );
            write_pages();
            check( get( RESET, results, count, (ULONG *)readonly ) == STATUS_ACCESS_VIOLATION );
            check( all_are_written() );
            set_count( count, PAGES );
            write_pages();
            check( !get( RESET, results, count, &granularity ) && count_at( count ) == PAGES / 2 );

            /* the granularity */
            write_pages();
            check( get( RESET, results, (ULONG_PTR *)readonly,
                        (ULONG *)((char *)&results[entry] + skew) ) == STATUS_ACCESS_VIOLATION );
            check( all_are_written() );
        }

    /* what is stored last wins */
    write_pages();
    number = PAGES;
    check( !get( RESET, results, &number, (ULONG *)&number ) && (ULONG)number == PAGE );
    check( VirtualFree( readonly, 0, MEM_RELEASE ));
}

/* The same with an address that the granularity turns into that of another page of the range; in a
 * 32-bit program it replaces the address. */
static void test_false_page(void)
{
    const SIZE_T size = LARGE( 8 );
    char *base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    const uintptr_t mask = sizeof(void *) == 8 ? 0xffffffff : 0xfffff;
    char *victim = (char *)(((uintptr_t)base + mask) & ~mask) + 0x100000;
    char *readonly = allocate( 0, 1 );
    void *results[16];
    ULONG_PTR count = 16;
    ULONG granularity;

    check( base && VirtualAlloc( victim, PAGE, MEM_COMMIT, PAGE_READWRITE ));
    *(ULONG_PTR *)readonly = 16;
    protect( readonly, PAGE_READONLY );
    *victim = 1;
    check( GetWriteWatch( RESET, base, size, results, (ULONG_PTR *)readonly, (ULONG *)results ) );
    check( !GetWriteWatch( 0, base, size, results, &count, &granularity ));
    check( count == 1 && results[0] == victim );
    check( VirtualFree( readonly, 0, MEM_RELEASE ) && VirtualFree( base, 0, MEM_RELEASE ));
}

static int run( const char *name )
{
    int watched;

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    memory = allocate( 1, PAGES );
    for (watched = 0; watched < 2; watched++)
    {
        test_short_arrays( watched );
        test_guards( watched );
    }
    test_touched_only();
    test_guards_elsewhere();
    test_overlaps();
    test_false_page();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
