/*
 * A sequence as a program for the headers of the conformance tests
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each operation is printed with what the model expects, so the program fails as the sequence did.
 */

#include <stdio.h>
#include <string.h>

#include "print.h"
#include "step.h"

static const char head[] =
"#define STANDALONE\n"
"#include \"watch.h\"\n"
"%s\n"
"#define check( call, expect ) ok( (NTSTATUS)(call) == (NTSTATUS)(expect), \"%%s\\n\", #call )\n"
"\n"
"static char *space[4] = { (char *)%#llx };\n"
"static MAYBE_UNUSED void *own[8193];\n"
"\n"
"static MAYBE_UNUSED char *at( int i, SIZE_T page, SIZE_T offset )\n"
"{\n"
"    return space[i] + page * PAGE + offset;\n"
"}\n"
"\n"
"static MAYBE_UNUSED NTSTATUS allocate( void *addr, SIZE_T size, ULONG type, ULONG protect )\n"
"{\n"
"    return pNtAllocateVirtualMemory( GetCurrentProcess(), &addr, 0, &size, type, protect );\n"
"}\n"
"\n"
"static MAYBE_UNUSED NTSTATUS allocate_ex( void *addr, SIZE_T size, ULONG type, ULONG protect )\n"
"{\n"
"    return pNtAllocateVirtualMemoryEx( GetCurrentProcess(), &addr, &size, type, protect, NULL,\n"
"                                       0 );\n"
"}\n"
"\n"
"static MAYBE_UNUSED NTSTATUS release( void *addr, SIZE_T size, ULONG type )\n"
"{\n"
"    return pNtFreeVirtualMemory( GetCurrentProcess(), &addr, &size, type );\n"
"}\n"
"\n"
"static MAYBE_UNUSED NTSTATUS get( ULONG flags, void *base, SIZE_T size, void **array,\n"
"                                  ULONG_PTR *count, ULONG_PTR max )\n"
"{\n"
"    ULONG granularity;\n"
"\n"
"    if (count) *count = max;\n"
"    return pNtGetWriteWatch( GetCurrentProcess(), flags, base, size, array, count,\n"
"                             &granularity );\n"
"}\n"
"\n"
"static MAYBE_UNUSED void **bad_array( int kind, ULONG_PTR count )\n"
"{\n"
"    char *block = VirtualAlloc( NULL, 2 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );\n"
"    DWORD old;\n"
"\n"
"    VirtualProtect( block + PAGE, PAGE, PAGE_READONLY, &old );\n"
"    if (kind == %d) return NULL;\n"
"    if (kind == %d) return (void **)(block + PAGE);\n"
"    if (kind == %d) return (void **)(block + PAGE) - (count - 1);\n"
"    return (void **)(ULONG_PTR)%#llxull;\n"
"}\n"
"\n"
"static MAYBE_UNUSED void fill( void *addr, SIZE_T size, unsigned int value )\n"
"{\n"
"    volatile unsigned char *ptr = addr;\n"
"\n"
"    for (; size; size--, ptr++) *ptr = value >> 8 * ((ULONG_PTR)ptr & 3);\n"
"}\n"
"\n"
"START_TEST(sequence)\n"
"{\n"
"    ULONG_PTR count MAYBE_UNUSED;\n"
"    DWORD old MAYBE_UNUSED;\n"
"    SIZE_T page MAYBE_UNUSED;\n"
"    MEMORY_BASIC_INFORMATION info MAYBE_UNUSED;\n"
"\n"
"    init_watch();\n";

static const char tail[] =
"}\n"
"\n"
"const struct test winetest_testlist[] =\n"
"{\n"
"    { \"sequence\", func_sequence },\n"
"    { NULL, NULL }\n"
"};\n";

static char text[16384];   /* what the step will be checked by, with a place for the status */

/***********************************************************************
 *           print_head
 */
void print_head(void)
{
    printf( head, platform.code, (unsigned long long)(uintptr_t)spaces[ARENA].base, ARRAY_NULL,
            ARRAY_READONLY, ARRAY_SHORT, (unsigned long long)(uintptr_t)KERNEL_ADDRESS );
}

/***********************************************************************
 *           print_tail
 */
void print_tail(void)
{
    printf( "%s", tail );
    fflush( stdout );
}

static const char *at( uint64_t space, uint64_t page, uint64_t offset )
{
    static char buffer[4][80];
    static unsigned int calls;

    sprintf( buffer[++calls & 3], "at( %u, %u, %#x )", (unsigned int)space, (unsigned int)page,
             (unsigned int)offset );
    return buffer[calls & 3];
}

/* The written pages of a range, at most max, as the macros of the tests take them. Returns 0 if the
 * model leaves something open, or the list is long. */
static int list_written( const struct space *space, size_t first, size_t end, size_t max,
                         char *buffer, size_t size )
{
    size_t page, run, pos = 0, left = max;

    buffer[0] = 0;
    for (page = first; page < end && left; page += run)
    {
        run = 1;
        if (space->page[page].written == MAYBE_WRITTEN) return 0;
        if (space->page[page].written != WRITTEN) continue;
        while (page + run < end && run < left && space->page[page + run].written == WRITTEN) run++;
        if (pos + 40 > size) return 0;
        pos += sprintf( buffer + pos, "%s%u", pos ? "," : "", (unsigned int)(page - first) );
        if (run > 1) pos += sprintf( buffer + pos, "-%u", (unsigned int)(page - first + run - 1) );
        left -= run;
    }
    return 1;
}

/* a guard that is met becomes a change of protection; returns whether the page is one */
static int print_guard( const struct op *op, const struct page *page, size_t index )
{
    if (!page->committed || !(page->protect & PAGE_GUARD)) return 0;
    printf( "    /* a fault on the guard */\n    VirtualProtect( %s, PAGE, %#x, &old );\n",
            at( op->space, index, 0 ), (unsigned int)page->protect & ~PAGE_GUARD );
    return 1;
}

/* a byte in some pages, those that can be written, as loops */
static void print_bytes( const struct op *op )
{
    struct space *space = &spaces[op->space % SPACES];
    size_t page = op->page, first = page, end = end_page( space, op );

    for (;; page += op->b)
    {
        if (page < end && is_writable( &space->page[page] )) continue;
        if (first + op->b == page)
            printf( "    fill( %s, 1, %#x );\n", at( op->space, first, op->skew ),
                    (unsigned int)op->a );
        else if (first < page)
            printf( "    for (page = %u; page < %u; page += %u)\n"
                    "        fill( at( %u, page, %#x ), 1, %#x );\n", (unsigned int)first,
                    (unsigned int)page, (unsigned int)op->b, op->space, (unsigned int)op->skew,
                    (unsigned int)op->a );
        first = page + op->b;
        if (page >= end) break;
        print_guard( op, &space->page[page], page );
    }
}

/* the bytes that can be used, up to the first that cannot */
static void print_access( const struct op *op )
{
    struct space *space = &spaces[op->space % SPACES];
    uint64_t addr = address_of( op ), size = op->size, part;

    for (; size; addr += part, size -= part)
    {
        const struct page *page = &space->page[addr / PAGE];
        const char *place = at( op->space, addr / PAGE, addr % PAGE );

        part = PAGE - addr % PAGE < size ? PAGE - addr % PAGE : size;
        if (addr / PAGE >= space->pages || print_guard( op, page, addr / PAGE )) return;
        if (op->kind == OP_READ ? !is_readable( page ) : !is_writable( page )) return;
        if (op->kind == OP_READ) printf( "    (void)*(volatile char *)%s;\n", place );
        else if (op->kind == OP_WRITE)
            printf( "    fill( %s, %u, %#x );\n", place, (unsigned int)part, (unsigned int)op->a );
        else
            printf( "    kernel_write( %u, %s, %u, %#x );\n", (unsigned int)op->b % 2, place,
                    (unsigned int)part, (unsigned int)op->a );
    }
}

static void prepare_get( const struct op *op, const char *place )
{
    static char list[12000];
    struct space *space = &spaces[op->space % SPACES];
    uint64_t addr = address_of( op );
    const char *array = "own", *count = "&count";
    char buffer[100];

    if (op->d == ARRAY_OWN && op->a <= 1 && op->b &&
        region_of_range( space, addr, addr + op->size ) &&
        list_written( space, op->page, (addr + op->size + PAGE - 1) / PAGE, op->b, list,
                      sizeof(list) ))
    {
        sprintf( text, "    check_written_max( %u, %s, %#llx, %u, \"%s\" );\n",
                 (unsigned int)op->a, place, (unsigned long long)op->size, (unsigned int)op->b,
                 list );
        return;
    }
    if (op->d == ARRAY_NO_COUNT) count = "NULL";
    else if (op->d == ARRAY_COUNTS)
    {
        sprintf( buffer, "(ULONG_PTR *)%s", at( op->d_space, op->d_page, op->d_offset & 0xff8 ));
        count = buffer;
    }
    else if (op->d == ARRAY_INSIDE)
    {
        sprintf( buffer, "(void **)%s", at( op->d_space, op->d_page, op->d_offset & 0xff8 ));
        array = buffer;
    }
    else if (op->d)
    {
        sprintf( buffer, "bad_array( %u, %u )", (unsigned int)op->d, (unsigned int)op->b );
        array = buffer;
    }
    sprintf( text, "    check( get( %#x, %s, %#llx, %s, %s, %u ), %%#x );\n", (unsigned int)op->a,
             place, (unsigned long long)op->size, array, count, (unsigned int)op->b );
}

/***********************************************************************
 *           print_before
 *
 * To be called before the step is made: it depends on the state.
 */
void print_before( const struct op *op )
{
    struct space *space = &spaces[op->space % SPACES];
    const char *place = at( op->space, op->page, op->skew );

    text[0] = 0;
    switch (op->kind)
    {
    case OP_ALLOC:
        if (op->space % SPACES != ARENA && !space->in_use)
            sprintf( text, "    space[%u] = VirtualAlloc( NULL, %#llx, %#x, %#x );\n", op->space,
                     (unsigned long long)op->size, (unsigned int)op->a, (unsigned int)op->b );
        else
            sprintf( text, "    check( allocate%s( %s, %#llx, %#x, %#x ), %%#x );\n",
                     op->c == FACE_NT_EX ? "_ex" : "", place, (unsigned long long)op->size,
                     (unsigned int)op->a, (unsigned int)op->b );
        break;
    case OP_FREE:
        sprintf( text, "    check( release( %s, %#llx, %#x ), %%#x );\n", place,
                 (unsigned long long)op->size, (unsigned int)op->a );
        break;
    case OP_PROTECT:
        sprintf( text, "    check( !VirtualProtect( %s, %#llx, %#x, %s ), !!%%#x );\n", place,
                 (unsigned long long)op->size, (unsigned int)op->a, op->b ? "NULL" : "&old" );
        break;
    case OP_READ:
    case OP_WRITE:
    case OP_KERNEL_WRITE:
        if (op->kind == OP_WRITE && op->b) print_bytes( op );
        else print_access( op );
        break;
    case OP_GET:
        prepare_get( op, place );
        break;
    case OP_RESET:
        sprintf( text, "    check( pNtResetWriteWatch( GetCurrentProcess(), %s, %#llx ), %%#x );\n",
                 place, (unsigned long long)op->size );
        break;
    case OP_QUERY:
        printf( "    VirtualQuery( %s, &info, sizeof(info) );\n", place );
        break;
    case OP_LOCK:
        printf( "    VirtualLock( %s, %#llx );\n", place, (unsigned long long)op->size );
        break;
    case OP_UNLOCK:
        printf( "    VirtualUnlock( %s, %#llx );\n", place, (unsigned long long)op->size );
        break;
    case OP_FORK:
        printf( "    in_child( %s, %#llx );\n", place, (unsigned long long)op->size );
        break;
    case OP_PAGE_OUT:
        printf( "    madvise( %s, %#llx, MADV_PAGEOUT );\n", place, (unsigned long long)op->size );
        break;
    }
}

/***********************************************************************
 *           print_after
 *
 * And after it, when the expected status is known.
 */
void print_after( NTSTATUS expect )
{
    char *mark = strstr( text, "%#x" );

    if (mark) printf( "%.*s%#x%s", (int)(mark - text), text, (unsigned int)expect, mark + 3 );
    else printf( "%s", text );
}

/***********************************************************************
 *           print_state
 *
 * What is written, and the byte that differs, if one does.
 */
void print_state(void)
{
    static char list[12000];
    unsigned int i, j;

    for (i = 0; i < SPACES; i++)
        for (j = 1; j < spaces[i].view_count; j++)
        {
            const struct view *view = &spaces[i].views[j];

            if (!view->used || !view->watched ||
                !list_written( &spaces[i], view->first, view->end, 8192, list, sizeof(list) ))
                continue;
            printf( "    check_written( 0, %s, %u * PAGE, \"%s\" );\n", at( i, view->first, 0 ),
                    (unsigned int)(view->end - view->first), list );
        }
    if (wrong_byte.space)
        printf( "    check( (unsigned char)*%s, %#x );\n",
                at( wrong_byte.space - spaces, wrong_byte.addr / PAGE, wrong_byte.addr % PAGE ),
                wrong_byte.space->copy[wrong_byte.addr] );
}
