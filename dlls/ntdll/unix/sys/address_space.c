/*
 * What the kernel says of this process's address space: /proc/self/maps, read without the C library
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/address_space.h"

struct maps
{
    int     fd;
    int     error;
    size_t  pos;
    size_t  len;
    char    buffer[4096];
};

static int maps_open( struct maps *maps )
{
    maps->pos = maps->len = 0;
    maps->error = 0;
    maps->fd = open( "/proc/self/maps", O_RDONLY | O_CLOEXEC );
    return maps->fd == -1 ? -errno : 0;
}

/* the next character, or -1 */
static int next_char( struct maps *maps )
{
    ssize_t ret;

    if (maps->pos == maps->len)
    {
        do ret = read( maps->fd, maps->buffer, sizeof(maps->buffer) );
        while (ret == -1 && errno == EINTR);
        if (ret <= 0)
        {
            if (ret) maps->error = -errno;
            return -1;
        }
        maps->pos = 0;
        maps->len = ret;
    }
    return (unsigned char)maps->buffer[maps->pos++];
}

/* reads digits; returns what follows them */
static int next_number( struct maps *maps, unsigned int base, uintptr_t *value )
{
    int ch, digit;

    for (*value = 0;; *value = *value * base + digit)
    {
        ch = next_char( maps );
        if (ch >= '0' && ch <= '9') digit = ch - '0';
        else if (base == 16 && ch >= 'a' && ch <= 'f') digit = ch - 'a' + 10;
        else return ch;
    }
}

/***********************************************************************
 *           maps_next
 *
 * Reads a line: "start-end rwxp offset major:minor inode name". Returns 0 at the end or if it
 * cannot be understood. *stack tells whether it is the one of the first thread.
 */
static int maps_next( struct maps *maps, struct mapping *mapping, int *stack )
{
    static const char stack_name[] = "[stack]";
    char perms[4], name[8];
    uintptr_t number;
    unsigned int i;
    int ch;

    if (next_number( maps, 16, &mapping->start ) != '-') return 0;
    if (next_number( maps, 16, &mapping->end ) != ' ') return 0;
    for (i = 0; i < 4; i++) perms[i] = next_char( maps );
    if (next_char( maps ) != ' ') return 0;
    if (next_number( maps, 16, &number ) != ' ') return 0;
    if (next_number( maps, 16, &number ) != ':') return 0;
    if (next_number( maps, 16, &number ) != ' ') return 0;
    ch = next_number( maps, 10, &number );

    mapping->prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) |
                    (perms[2] == 'x' ? PROT_EXEC : 0);
    mapping->shared = perms[3] == 's';
    mapping->file = number != 0;

    while (ch == ' ') ch = next_char( maps );
    for (i = 0; ch != '\n' && ch != -1; ch = next_char( maps ))
        if (i < sizeof(name)) name[i++] = ch;
    *stack = i == sizeof(stack_name) - 1 && !memcmp( name, stack_name, i );
    return ch == '\n';
}

/***********************************************************************
 *           find_mapping
 */
int find_mapping( uintptr_t addr, struct mapping *mapping )
{
    struct maps maps;
    int ret, stack;

    if ((ret = maps_open( &maps ))) return ret;
    while ((ret = maps_next( &maps, mapping, &stack )))
        if (mapping->end > addr) break;
    if (maps.error) ret = maps.error;
    close( maps.fd );
    return ret;
}

/* the room that the stack of the first thread may still grow into */
static uintptr_t stack_room( uintptr_t stack )
{
    const rlim_t most = (rlim_t)1 << 30;
    struct rlimit limit;

    if (getrlimit( RLIMIT_STACK, &limit ) || limit.rlim_cur > most) limit.rlim_cur = most;
    return stack < limit.rlim_cur ? stack : limit.rlim_cur;
}

/***********************************************************************
 *           find_free_range
 */
uintptr_t find_free_range( size_t size, uintptr_t low, uintptr_t high, size_t align, int top_down )
{
    uintptr_t gap_start = low, gap_end, addr, found = 0;
    struct mapping mapping;
    struct maps maps;
    int more = 1, stack = 0;

    if (maps_open( &maps )) return 0;
    while (more && gap_start < high && (top_down || !found))
    {
        if ((more = maps_next( &maps, &mapping, &stack )))
            gap_end = stack ? mapping.start - stack_room( mapping.start ) : mapping.start;
        else
            gap_end = high;

        if (gap_end > high) gap_end = high;
        addr = (gap_start + align - 1) & ~(align - 1);
        if (addr >= gap_start && addr < gap_end && gap_end - addr >= size)
            found = top_down ? (gap_end - size) & ~(align - 1) : addr;
        if (more && mapping.end > gap_start) gap_start = mapping.end;
    }
    if (maps.error) found = 0;
    close( maps.fd );
    return found;
}
