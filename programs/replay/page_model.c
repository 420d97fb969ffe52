/*
 * What a record says of each page of an allocation
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>

#include "page_model.h"

#define PAGES      512
#define MAX_CHUNKS ((size_t)1 << 17)   /* 256 GiB of pages that are mentioned */

struct chunk
{
    uint64_t      number;              /* of its first page, divided by PAGES */
    uint32_t      all_clean;           /* for all pages that have no later one in clean */
    unsigned char committed[PAGES];
    unsigned char written[PAGES];
    uint32_t      decommitted[PAGES];
    uint32_t      clean[PAGES];
};

static struct chunk **find_slot( const struct page_model *model, uint64_t number )
{
    size_t mask = model->size - 1;
    size_t i = number & mask;

    while (model->table[i] && model->table[i]->number != number) i = (i + 1) & mask;
    return &model->table[i];
}

static int enlarge( struct page_model *model )
{
    struct page_model larger = *model;
    size_t i;

    if (model->count == MAX_CHUNKS) return -1;
    if (2 * (model->count + 1) < model->size) return 0;
    larger.size = model->size ? 2 * model->size : 64;
    if (!(larger.table = calloc( larger.size, sizeof(*larger.table) ))) return -1;
    for (i = 0; i < model->size; i++)
        if (model->table[i])
            *find_slot( &larger, model->table[i]->number ) = model->table[i];
    free( model->table );
    *model = larger;
    return 0;
}

/* the chunk of a page, or NULL if nothing is known of it */
static struct chunk *find_chunk( const struct page_model *model, uint64_t page )
{
    return model->size ? *find_slot( model, page / PAGES ) : NULL;
}

static struct chunk *get_chunk( struct page_model *model, uint64_t page )
{
    struct chunk **slot, *chunk = find_chunk( model, page );

    if (chunk) return chunk;
    if (enlarge( model ) || !(chunk = calloc( 1, sizeof(*chunk) ))) return NULL;
    chunk->number = page / PAGES;
    memset( chunk->committed, model->committed, sizeof(chunk->committed) );
    slot = find_slot( model, page / PAGES );
    *slot = chunk;
    model->count++;
    return chunk;
}

int page_model_commit( struct page_model *model, uint64_t first, uint64_t end, int commit,
                       uint32_t event )
{
    struct chunk *chunk;
    uint64_t page;

    for (page = first; page < end; page++)
    {
        if (!(chunk = get_chunk( model, page ))) return -1;
        if (!commit && chunk->committed[page % PAGES]) chunk->decommitted[page % PAGES] = event;
        chunk->committed[page % PAGES] = commit;
    }
    return 0;
}

int page_model_get( struct page_model *model, uint64_t page, struct page_state *state )
{
    struct chunk *chunk = get_chunk( model, page );
    unsigned int i = page % PAGES;

    if (!chunk) return -1;
    state->committed   = chunk->committed[i];
    state->written     = chunk->written[i];
    state->decommitted = chunk->decommitted[i];
    state->clean       = chunk->clean[i] > chunk->all_clean ? chunk->clean[i] : chunk->all_clean;
    return 0;
}

int page_model_set_written( struct page_model *model, uint64_t page, int written )
{
    struct chunk *chunk = get_chunk( model, page );

    if (!chunk) return -1;
    chunk->written[page % PAGES] = written;
    return 0;
}

void page_model_set_clean( struct page_model *model, uint64_t first, uint64_t end,
                           uint32_t event )
{
    uint64_t page, next;
    struct chunk *chunk;

    for (page = first; page < end; page = next)
    {
        next = (page / PAGES + 1) * PAGES;
        if (!(chunk = find_chunk( model, page ))) continue;
        if (page % PAGES == 0 && next <= end) chunk->all_clean = event;
        else
            for (; page < next && page < end; page++) chunk->clean[page % PAGES] = event;
    }
}

uint64_t page_model_next_written( const struct page_model *model, uint64_t first,
                                  uint64_t end )
{
    uint64_t page, next;
    const unsigned char *found;
    struct chunk *chunk;

    for (page = first; page < end; page = next)
    {
        next = (page / PAGES + 1) * PAGES;
        if (!(chunk = find_chunk( model, page ))) continue;
        if (!(found = memchr( chunk->written + page % PAGES, 1, next - page ))) continue;
        page = chunk->number * PAGES + (found - chunk->written);
        return page < end ? page : end;
    }
    return end;
}

void page_model_free( struct page_model *model )
{
    size_t i;

    for (i = 0; i < model->size; i++) free( model->table[i] );
    free( model->table );
    memset( model, 0, sizeof(*model) );
}
