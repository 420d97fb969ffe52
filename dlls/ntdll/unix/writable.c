/*
 * Whether memory may be written, asked without writing it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel_api.h"
#include "raw_syscall.h"
#include "uninterrupted.h"
#include "writable.h"

static int maps = -1;   /* /proc/self/maps */

uintptr_t (*may_write)( uintptr_t start, uintptr_t end, int *writable );

/***********************************************************************
 *           writable_open
 *
 * Without it is_writable() knows only what a backend tells.
 */
void writable_open(void)
{
    if (maps == -1) maps = open( "/proc/self/maps", O_RDONLY | O_CLOEXEC );
}

/***********************************************************************
 *           writable_close
 */
void writable_close(void)
{
    if (maps != -1) close( maps );
    maps = -1;
}

/* the mapping of an address; its end, or 0 if that cannot be told */
static UNINTERRUPTED uintptr_t query_mapping( uintptr_t addr, int *writable, int *anonymous )
{
    union
    {
        struct procmap_query query;
        uint64_t             words[sizeof(struct procmap_query) / sizeof(uint64_t)];
    } arg;
    unsigned int i;

    /* not by memset: nothing outside the section is called here */
    for (i = 0; i < sizeof(arg) / sizeof(arg.words[0]); i++)
        *(volatile uint64_t *)&arg.words[i] = 0;
    arg.query.size = sizeof(arg.query);
    arg.query.query_addr = addr;
    if (raw_syscall3( SYS_ioctl, maps, PROCMAP_QUERY, (uintptr_t)&arg )) return 0;
    *writable = arg.query.vma_flags & PROCMAP_QUERY_VMA_WRITABLE;
    *anonymous = !arg.query.inode;
    return arg.query.vma_end > addr ? arg.query.vma_end : 0;
}

/* what one hexadecimal digit stands for, -1 if it is none */
static UNINTERRUPTED int digit( char c )
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/***********************************************************************
 *           read_mapping
 *
 * As query_mapping(), before Linux 6.11: from the text, "start-end rw..." a line, ascending. It
 * costs some microseconds for each line, but results arrays in watched memory are rare.
 */
static UNINTERRUPTED uintptr_t read_mapping( uintptr_t addr, int *writable )
{
    uintptr_t bounds[2] = { 0, 0 };
    unsigned int field = 0;   /* start, end, whether it can be read, and written; 4: the rest */
    char buffer[512];
    long pos = 0, count, i;

    while ((count = raw_syscall4( SYS_pread64, maps, (long)buffer, sizeof(buffer), pos )) > 0)
    {
        for (i = 0; i < count; i++)
        {
            int value = digit( buffer[i] );

            if (buffer[i] == '\n') bounds[0] = bounds[1] = field = 0;
            else if (field < 2 && value >= 0) bounds[field] = bounds[field] << 4 | value;
            else if (field < 3) field++;
            else if (field == 3)
            {
                *writable = buffer[i] == 'w';
                if (addr < bounds[0]) return 0;
                if (addr < bounds[1]) return bounds[1];
                field = 4;
            }
        }
        pos += count;
    }
    return 0;
}

/***********************************************************************
 *           is_writable
 *
 * To try it by a write would make the pages count as written where they are watched. What the
 * kernel allows now, the program may as well, as backends only take access away.
 */
UNINTERRUPTED int is_writable( uintptr_t start, uintptr_t end )
{
    while (start < end)
    {
        uintptr_t next = end, mapped;
        int writable = -1, allowed, anonymous;

        if (may_write) next = may_write( start, end, &writable );
        if (!writable) return 0;
        if (writable < 0 && ((mapped = query_mapping( start, &allowed, &anonymous )) ||
                             (mapped = read_mapping( start, &allowed ))))
        {
            if (!allowed) return 0;
            next = mapped;
        }
        start = next;
    }
    return 1;
}

/***********************************************************************
 *           is_plain_memory
 */
UNINTERRUPTED int is_plain_memory( uintptr_t start, uintptr_t end )
{
    int writable, anonymous;
    uintptr_t next;

    for (; start < end; start = next)
    {
        next = query_mapping( start, &writable, &anonymous );
        if (!next || !writable || !anonymous) return 0;
    }
    return 1;
}
