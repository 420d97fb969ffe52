/*
 * Steps: accesses to memory, by the program, the kernel and a child
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "step.h"

#define MAX_ACCESS 0x8000   /* bytes that one operation moves */

/***********************************************************************
 *           check_contents
 *
 * By reading, which leaves the written state alone (row 11).
 */
int check_contents( struct space *space, size_t index )
{
    static unsigned char got[MAX_PAGE];
    struct page *page = &space->page[index];
    unsigned char *copy = space->copy + index * PAGE;
    NTSTATUS code;
    size_t i, j;

    if (!is_readable( page )) return 1;
    if ((code = try_copy( got, space->base + index * PAGE, PAGE )))
        return differs( "page %u of space %u: reading raised %08x", (int)index,
                        (int)(space - spaces), (int)code );
    if (page->contents == UNKNOWN || !memcmp( copy, got, PAGE ))
    {
        memcpy( copy, got, PAGE );
        page->contents = KNOWN;
        page->touched = 1;
        return 1;
    }
    for (i = 0; got[i] == copy[i]; i++) /* there is one that differs */;
    if (page->contents == OLD_OR_ZERO)
    {
        for (j = 0; j < PAGE && !got[j]; j++) /* nothing */;
        if (j == PAGE)
        {
            memset( copy, 0, PAGE );
            page->contents = KNOWN;
            return 1;
        }
    }
    wrong_byte.space = space;
    wrong_byte.addr  = index * PAGE + i;
    return differs( "page %u of space %u: byte %#x is %02x, expected %02x", (int)index,
                    (int)(space - spaces), (int)i, got[i], copy[i] );
}

/* bytes of a page or two: the number, or zeros, wherever they begin */
static void fill( unsigned char *data, uint64_t addr, size_t size, uint32_t value )
{
    size_t i;

    for (i = 0; i < size; i++) data[i] = value >> 8 * ((addr + i) & 3);
}

/* reads or writes bytes of one page */
static int access_part( struct space *space, uint64_t addr, const unsigned char *data, size_t size,
                        int write, int *stopped )
{
    unsigned char got[PAGE];
    struct page *page = &space->page[addr / PAGE];
    NTSTATUS code, expect;

    if (write && is_writable( page ) && page->contents != KNOWN &&
        !check_contents( space, addr / PAGE )) return 0;

    if (write) code = try_copy( space->base + addr, data, size );
    else code = try_copy( got, space->base + addr, size );
    expect = model_access( space, addr, write );
    /* Wine remembers a guard beyond a decommit */
    if (!platform.strict_statuses && !page->committed && code == STATUS_GUARD_PAGE_VIOLATION)
        code = STATUS_ACCESS_VIOLATION;
    if (code != expect)
        return differs( "%s %u bytes at %#x of page %u, space %u: exception %08x, expected %08x",
                        write ? "writing" : "reading", (int)size, (int)(addr % PAGE),
                        (int)(addr / PAGE), (int)(space - spaces), (int)code, (int)expect );
    if ((*stopped = code != 0)) return 1;
    if (write) model_write( space, addr, data, size );
    else if (page->contents == KNOWN && memcmp( got, space->copy + addr, size ))
        return check_contents( space, addr / PAGE );
    return 1;
}

/* all bytes, page by page, up to the first that cannot be used */
static int access_range( struct space *space, uint64_t addr, const unsigned char *data, size_t size,
                         int write )
{
    size_t part;
    int stopped = 0;

    for (; size && !stopped; addr += part, size -= part, data += part)
    {
        part = PAGE - addr % PAGE < size ? PAGE - addr % PAGE : size;
        if (is_foreign( space, addr / PAGE )) break;
        if (!access_part( space, addr, data, part, write, &stopped )) return 0;
    }
    return 1;
}

int step_access( struct space *space, const struct op *op )
{
    static unsigned char data[MAX_ACCESS];
    uint64_t addr = address_of( op ), page, value;
    size_t size = op->size < MAX_ACCESS ? op->size : MAX_ACCESS, end, part;
    int stopped;

    if (op->kind == OP_READ) return access_range( space, addr, data, size, 0 );
    if (op->b)
    {
        end = end_page( space, op );
        for (page = op->page; page < end && !is_foreign( space, page ); page += op->b)
        {
            fill( data, page * PAGE + op->skew, 1, op->a );
            if (!access_part( space, page * PAGE + op->skew, data, 1, 1, &stopped )) return 0;
        }
        return 1;
    }
    fill( data, addr, size, op->a );
    end = (addr + 7) / PAGE;
    if (!op->c || end >= space->pages || !is_writable( &space->page[addr / PAGE] ) ||
        !is_writable( &space->page[end] ))
        return access_range( space, addr, data, size, 1 );

    /* one store, perhaps across the border of two pages: row 12 */
    if (!check_contents( space, op->page ) || !check_contents( space, end )) return 0;
    fill( data, addr, 8, op->a );
    memcpy( &value, data, 8 );
    part = PAGE - addr % PAGE < 8 ? PAGE - addr % PAGE : 8;
    if (try_store( space->base + addr, value ))
        return differs( "a store at %#x of page %u raised an exception", (int)(addr % PAGE),
                        (int)(addr / PAGE) );
    model_write( space, addr, data, part );
    if (part < 8) model_write( space, addr + part, data + part, 8 - part );
    return 1;
}

/***********************************************************************
 *           step_kernel_write
 *
 * Rows 16, 17, 29. What happens when some pages can be written and others not is left out: it
 * differs among systems.
 */
int step_kernel_write( struct space *space, const struct op *op )
{
    static unsigned char data[MAX_ACCESS];
    uint64_t addr = address_of( op );
    size_t size = op->size < MAX_ACCESS ? op->size : MAX_ACCESS, part, done;
    size_t first = addr / PAGE, end = (addr + size + PAGE - 1) / PAGE, page;
    int writable = 1, ret;

    if (!size) return 1;
    for (page = first; page < end; page++)
    {
        if (is_foreign( space, page )) return 1;
        if (space->page[page].protect & PAGE_GUARD) return 1;
        writable &= is_writable( &space->page[page] );
        if (!check_contents( space, page )) return 0;
    }
    if (!writable && (end != first + 1 || !platform.system_calls_fail)) return 1;

    fill( data, addr, size, op->a );
    ret = kernel_write( op->b % platform.system_calls, space->base + addr, data, size );
    if (ret != writable)
        return differs( "a system call %s page %u of space %u", ret ? "could write to" :
                        "could not write to", (int)first, (int)(space - spaces) );
    for (done = 0; ret && done < size; done += part)
    {
        part = PAGE - (addr + done) % PAGE;
        if (part > size - done) part = size - done;
        model_write( space, addr + done, data + done, part );
    }
    return 1;
}

/* what the child of OP_FORK does: its writes are its own */
static int child_writes( void *arg )
{
    const struct op *op = arg;
    struct space *space = &spaces[op->space];
    size_t page, end = end_page( space, op );

    for (page = op->page; page < end; page++)
    {
        unsigned char *addr = (unsigned char *)space->base + page * PAGE;

        if (!is_writable( &space->page[page] )) continue;
        if (space->page[page].contents == KNOWN && memcmp( addr, space->copy + page * PAGE, PAGE ))
            return 1;
        fill( addr, (uintptr_t)addr, PAGE, op->a );
    }
    return 0;
}

int step_fork( const struct op *op )
{
    if (platform.can_fork && !in_child( child_writes, (void *)op ))
        return differs( "a child could not write to its memory, or found another one" );
    return 1;
}
