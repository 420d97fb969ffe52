/*
 * Which mappings there are, and their protection
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/maps.h"

static char buffer[65536];

/* where a walk over lines is */
struct walk
{
    uintptr_t pos;   /* what has not been met yet */
    uintptr_t end;
    int       gaps;  /* may be there */
    int     (*callback)( uintptr_t start, uintptr_t end, int prot );
};

/***********************************************************************
 *           handle_line
 *
 * "start-end rwxp ...", ascending.
 */
static int handle_line( const char *line, struct walk *walk )
{
    uintptr_t first, last;
    int ret, prot = 0;
    char *p;

    first = strtoul( line, &p, 16 );
    if (*p != '-') return -EPROTO;
    last = strtoul( p + 1, &p, 16 );
    if (*p++ != ' ') return -EPROTO;
    if (last <= walk->pos) return 0;
    if (first > walk->pos)
    {
        if (!walk->gaps) return -ENOMEM;
        walk->pos = first;
        if (first >= walk->end) return 0;
    }
    if (p[0] == 'r') prot |= PROT_READ;
    if (p[1] == 'w') prot |= PROT_WRITE;
    if (p[2] == 'x') prot |= PROT_EXEC;
    if (last > walk->end) last = walk->end;
    ret = walk->callback( walk->pos, last, prot );
    walk->pos = last;
    return ret;
}

/***********************************************************************
 *           read_maps
 *
 * Without malloc(), whose lock may be held by a thread that waits for ours.
 */
static int read_maps( struct walk *walk )
{
    int fd = open( "/proc/self/maps", O_RDONLY | O_CLOEXEC ), ret = 0;
    size_t used = 0;
    ssize_t count;

    if (fd == -1) return -errno;
    while (walk->pos < walk->end && !ret)
    {
        char *line = buffer, *next;

        if ((count = read( fd, buffer + used, sizeof(buffer) - 1 - used )) <= 0)
        {
            if (count) ret = -errno;
            else if (!walk->gaps) ret = -ENOMEM;
            break;
        }
        used += count;
        buffer[used] = 0;
        for (; walk->pos < walk->end && !ret && (next = strchr( line, '\n' )); line = next + 1)
            ret = handle_line( line, walk );
        used -= line - buffer;
        memmove( buffer, line, used );
    }
    close( fd );
    return ret;
}

/***********************************************************************
 *           maps_for_each
 */
int maps_for_each( uintptr_t start, uintptr_t end,
                   int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    struct walk walk = { start, end, 0, callback };

    return read_maps( &walk );
}

/***********************************************************************
 *           maps_for_all
 */
int maps_for_all( int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    struct walk walk = { 0, ~(uintptr_t)0, 1, callback };

    return read_maps( &walk );
}
