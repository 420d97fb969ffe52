/*
 * Which memory is allocated at a point of a record
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_PIECES_H
#define REPLAY_PIECES_H

#include <stddef.h>
#include <stdint.h>

/* An allocation, or what is left of it after a part was released: a region of its own. */
struct piece
{
    uint64_t     start;
    uint64_t     end;
    unsigned int alloc;
};

/* in the order of their addresses; they do not overlap */
struct pieces
{
    struct piece *list;
    size_t        count;
};

/* the first one with an address in [start, end), or NULL */
extern const struct piece *pieces_first( const struct pieces *pieces, uint64_t start,
                                         uint64_t end );

/* the one that contains [start, end), or NULL */
extern const struct piece *pieces_find( const struct pieces *pieces, uint64_t start, uint64_t end );

extern int pieces_has( const struct pieces *pieces, unsigned int alloc );

/* These return 0, or -1 without memory. What is added may not overlap others. */
extern int pieces_add( struct pieces *pieces, uint64_t start, uint64_t end, unsigned int alloc );

/* removes [start, end), which is in one piece */
extern int pieces_cut( struct pieces *pieces, uint64_t start, uint64_t end );

#endif /* REPLAY_PIECES_H */
