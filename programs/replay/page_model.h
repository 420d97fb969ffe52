/*
 * What a record says of each page of an allocation
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_PAGE_MODEL_H
#define REPLAY_PAGE_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* Pages have their numbers in the allocation. Those that no event mentions take no memory: programs
 * reserve much more than they use. Events have numbers from 1 on. */

struct page_state
{
    int      committed;
    int      written;       /* and not reported with a reset */
    uint32_t decommitted;   /* the event that decommitted it last; 0: none */
    uint32_t clean;         /* the event after which it was certainly not written; 0: none */
};

struct chunk;

struct page_model
{
    struct chunk **table;       /* a hash table */
    size_t         size;
    size_t         count;
    int            committed;   /* whether pages that were not mentioned yet are */
};

/* The functions that return int return 0, or -1 if there is not enough memory. */
extern int page_model_commit( struct page_model *model, uint64_t first, uint64_t end, int commit,
                              uint32_t event );
extern int page_model_get( struct page_model *model, uint64_t page, struct page_state *state );
extern int page_model_set_written( struct page_model *model, uint64_t page, int written );

/* Notes that none of the pages was written after an event. */
extern void page_model_set_clean( struct page_model *model, uint64_t first, uint64_t end,
                                  uint32_t event );

/* Returns the next written page of a range, or its end. */
extern uint64_t page_model_next_written( const struct page_model *model, uint64_t first,
                                         uint64_t end );

extern void page_model_free( struct page_model *model );

#endif /* REPLAY_PAGE_MODEL_H */
