/*
 * Which memory is allocated at a point of a record
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "pieces.h"
#include "record.h"

/* the index of the first piece that ends behind an address */
static size_t find_index( const struct pieces *pieces, uint64_t addr )
{
    size_t low = 0, high = pieces->count, middle;

    while (low < high)
    {
        middle = low + (high - low) / 2;
        if (pieces->list[middle].end > addr) high = middle;
        else low = middle + 1;
    }
    return low;
}

const struct piece *pieces_first( const struct pieces *pieces, uint64_t start, uint64_t end )
{
    size_t i = find_index( pieces, start );

    return i < pieces->count && pieces->list[i].start < end ? &pieces->list[i] : NULL;
}

const struct piece *pieces_find( const struct pieces *pieces, uint64_t start, uint64_t end )
{
    const struct piece *piece = pieces_first( pieces, start, end );

    return piece && piece->start <= start && piece->end >= end ? piece : NULL;
}

int pieces_has( const struct pieces *pieces, unsigned int alloc )
{
    size_t i;

    for (i = 0; i < pieces->count; i++) if (pieces->list[i].alloc == alloc) return 1;
    return 0;
}

int pieces_add( struct pieces *pieces, uint64_t start, uint64_t end, unsigned int alloc )
{
    size_t i = find_index( pieces, start );
    void *new = grow( pieces->list, pieces->count, sizeof(*pieces->list) );

    if (!new) return -1;
    pieces->list = new;
    memmove( pieces->list + i + 1, pieces->list + i, (pieces->count - i) * sizeof(*pieces->list) );
    pieces->list[i] = (struct piece){ start, end, alloc };
    pieces->count++;
    return 0;
}

int pieces_cut( struct pieces *pieces, uint64_t start, uint64_t end )
{
    size_t i = find_index( pieces, start );
    struct piece old = pieces->list[i];

    memmove( pieces->list + i, pieces->list + i + 1,
             (pieces->count - i - 1) * sizeof(*pieces->list) );
    pieces->count--;
    if (old.start < start && pieces_add( pieces, old.start, start, old.alloc )) return -1;
    return end < old.end ? pieces_add( pieces, end, old.end, old.alloc ) : 0;
}
