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

#include "maps.h"

static char buffer[65536];

/***********************************************************************
 *           handle_line
 *
 * "start-end rwxp ...", ascending. *pos is where the range has not been met yet.
 */
static int handle_line( const char *line, uintptr_t *pos, uintptr_t end,
                        int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    uintptr_t first, last;
    int ret, prot = 0;
    char *p;

    first = strtoul( line, &p, 16 );
    if (*p != '-') return -EPROTO;
    last = strtoul( p + 1, &p, 16 );
    if (*p++ != ' ') return -EPROTO;
    if (last <= *pos) return 0;
    if (first > *pos) return -ENOMEM;
    if (p[0] == 'r') prot |= PROT_READ;
    if (p[1] == 'w') prot |= PROT_WRITE;
    if (p[2] == 'x') prot |= PROT_EXEC;
    if (last > end) last = end;
    ret = callback( *pos, last, prot );
    *pos = last;
    return ret;
}

/***********************************************************************
 *           maps_for_each
 *
 * Without malloc(), whose lock may be held by a thread that waits for ours.
 */
int maps_for_each( uintptr_t start, uintptr_t end,
                   int (*callback)( uintptr_t start, uintptr_t end, int prot ) )
{
    int fd = open( "/proc/self/maps", O_RDONLY | O_CLOEXEC ), ret = 0;
    size_t used = 0;
    ssize_t count;

    if (fd == -1) return -errno;
    while (start < end && !ret)
    {
        char *line = buffer, *next;

        if ((count = read( fd, buffer + used, sizeof(buffer) - 1 - used )) <= 0)
        {
            ret = count ? -errno : -ENOMEM;
            break;
        }
        used += count;
        buffer[used] = 0;
        for (; start < end && !ret && (next = strchr( line, '\n' )); line = next + 1)
            ret = handle_line( line, &start, end, callback );
        used -= line - buffer;
        memmove( buffer, line, used );
    }
    close( fd );
    return ret;
}
