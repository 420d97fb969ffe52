/*
 * Memory that the program mapped itself, and which of it is written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_MAPPING_H
#define WRITEWATCH_UNIT_MAPPING_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"
#include "writewatch.h"

#define MAX_PAGES 4096

static const char *backend;

/* memory under test; a page is what reports distinguish */
static char *base;
static size_t granule, pages;
static unsigned char written[MAX_PAGES];

static inline char *page( size_t index )
{
    return base + index * granule;
}

static inline void touch( size_t first, size_t last )
{
    for (; first < last; first++)
    {
        *(volatile char *)(page( first ) + (rand() % 8) * (granule / 8)) = rand() & 1;
        written[first] = 1;
    }
}

static inline void query( size_t first, size_t last, size_t max, int reset )
{
    void *addresses[MAX_PAGES + 1];
    ULONG_PTR count = max;
    ULONG granularity = 0;
    size_t i, pos = 0;

    check( !get_write_watch( reset ? WRITE_WATCH_FLAG_RESET : 0, page( first ),
                             (last - first) * granule,
                             addresses, &count, &granularity ));
    check( granularity == granule );
    for (i = first; i < last && pos < max; i++)
    {
        if (!written[i]) continue;
        if (pos < count) check( addresses[pos] == page( i ));
        pos++;
        if (reset) written[i] = 0;
    }
    check( pos == count );
}

static inline void *map( size_t size, int flags, int fd )
{
    void *ret = mmap( NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0 );

    check( ret != MAP_FAILED );
    return ret;
}

#endif /* WRITEWATCH_UNIT_MAPPING_H */
