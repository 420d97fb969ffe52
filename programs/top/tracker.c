/*
 * What was seen of a region's pages so far
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tracker.h"

enum page_state { STATE_UNTOUCHED, STATE_CLEAN, STATE_SWAPPED, STATE_UNWATCHED, STATE_WRITTEN };

/* of a page: when it was first seen written, if it is, or else when last; 0 if that is not known */
struct tracked_block
{
    uint32_t when[BLOCK_PAGES];
    uint8_t  state[BLOCK_PAGES];
};

static uint64_t block_count( const struct tracked_region *region )
{
    return (region->pages + BLOCK_PAGES - 1) / BLOCK_PAGES;
}

int tracker_begin( struct tracked_region *region, const struct region_counters *counters,
                   uint32_t page_size )
{
    *region = (struct tracked_region){ .counters = *counters };
    region->pages  = counters->size / page_size;
    region->blocks = calloc( block_count( region ), sizeof(*region->blocks) );
    return region->blocks ? 0 : -ENOMEM;
}

void tracker_end( struct tracked_region *region )
{
    uint64_t i;

    if (region->blocks)
        for (i = 0; i < block_count( region ); i++) free( region->blocks[i] );
    free( region->blocks );
    region->blocks = NULL;
}

/***********************************************************************
 *           state_of
 *
 * The question of the engine (scan/ask.c). A page that was marked when it was committed and not
 * touched since looks like one that was swapped out and is not written.
 */
static enum page_state state_of( const struct look *look, uint64_t categories )
{
    if (!(categories & PAGE_IS_WPALLOWED)) return STATE_UNWATCHED;
    if (categories & PAGE_IS_PFNZERO && !look->is_marked) return STATE_UNTOUCHED;
    if (categories & PAGE_IS_WRITTEN) return STATE_WRITTEN;
    if (categories & PAGE_IS_PFNZERO) return STATE_UNTOUCHED;
    if (categories & PAGE_IS_PRESENT) return STATE_CLEAN;
    return look->has_swap ? STATE_SWAPPED : STATE_UNTOUCHED;
}

/* The first pass over a region does not know since when its written pages are. */
static void set_page( const struct tracked_region *region, struct tracked_block *block,
                      unsigned int page, enum page_state state, uint32_t now )
{
    if (state == STATE_WRITTEN)
    {
        if (block->state[page] != STATE_WRITTEN) block->when[page] = region->before ? now : 0;
        else if (region->was_reset) block->when[page] = now;
    }
    else if (block->state[page] == STATE_WRITTEN) block->when[page] = region->before;
    block->state[page] = state;
}

/* Pages of one state, which may lie in several blocks. */
static int set_pages( struct tracked_region *region, uint64_t first, uint64_t end,
                      enum page_state state, uint32_t now )
{
    struct tracked_block **block;
    unsigned int page, last;

    while (first < end)
    {
        block = &region->blocks[first / BLOCK_PAGES];
        page = first % BLOCK_PAGES;
        last = end - first < BLOCK_PAGES - page ? page + (end - first) : BLOCK_PAGES;
        first += last - page;
        if (!*block && state == STATE_UNTOUCHED) continue;
        if (!*block && !(*block = calloc( 1, sizeof(**block) ))) return -ENOMEM;
        for (; page < last; page++) set_page( region, *block, page, state, now );
    }
    return 0;
}

int tracker_look( struct tracked_region *region, const struct look *look, uint64_t start,
                  const struct other_pages *scanner )
{
    uint64_t base = region->counters.base, page = (start - base) / look->page_size, first, end;
    unsigned int i;
    int ret;

    for (i = 0; i < scanner->count; i++)
    {
        first = (scanner->runs[i].start - base) / look->page_size;
        end   = (scanner->runs[i].end - base) / look->page_size;
        if (scanner->runs[i].start < base || first < page || end <= first || end > region->pages)
            return -EPROTO;
        if ((ret = set_pages( region, page, first, STATE_UNTOUCHED, look->now ))) return ret;
        if ((ret = set_pages( region, first, end, state_of( look, scanner->runs[i].categories ),
                              look->now ))) return ret;
        page = end;
    }
    end = (scanner->scanned - base) / look->page_size;
    return set_pages( region, page, end, STATE_UNTOUCHED, look->now );
}

void tracker_pass( struct tracked_region *region, const struct region_counters *counters,
                   uint32_t now )
{
    uint64_t resets = counters->resets + counters->reset_polls;

    region->was_reset = resets != region->counters.resets + region->counters.reset_polls;
    region->counters  = *counters;
    region->before    = region->began;
    region->began     = now;
}

static enum page_class class_of( const struct tracked_block *block, unsigned int page,
                                 const struct ages *ages )
{
    uint32_t when = block->when[page], age = ages->now - when;

    switch (block->state[page])
    {
    case STATE_WRITTEN:   return when && age <= ages->recent ? CLASS_WRITTEN : CLASS_HELD;
    case STATE_UNWATCHED: return CLASS_UNWATCHED;
    }
    if (when && age <= ages->recent) return CLASS_HOT;
    if (when && age <= ages->interval * WARM_INTERVALS) return CLASS_WARM;
    if (when && age <= ages->interval * COOL_INTERVALS) return CLASS_COOL;
    switch (block->state[page])
    {
    case STATE_CLEAN:   return CLASS_CLEAN;
    case STATE_SWAPPED: return CLASS_SWAPPED;
    }
    return CLASS_UNTOUCHED;
}

int tracker_view( const struct tracked_region *region, const struct ages *ages,
                  struct region_view *view )
{
    uint64_t i, left = region->pages, count;
    unsigned int page;

    *view = (struct region_view){ .counters = region->counters };
    for (i = 0; left; i++, left -= count)
    {
        count = left < BLOCK_PAGES ? left : BLOCK_PAGES;
        if (!region->blocks[i])
        {
            if (view_add( view, count, CLASS_UNTOUCHED )) return -ENOMEM;
            continue;
        }
        for (page = 0; page < count; page++)
            if (view_add( view, 1, class_of( region->blocks[i], page, ages )))
                return -ENOMEM;
    }
    return 0;
}
