/*
 * Makes a plan of a record: when which page is written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>

#include "page_model.h"
#include "pieces.h"
#include "plan.h"

/* The record says which pages were reported, not when they were written: as late as possible, that
 * is before the poll, or where the page was decommitted by then, before that. A page that was
 * written and reported by a poll without a reset stays written.
 *
 * The lines of several threads may be in another order than what they did, and the line of a thread
 * that was terminated may be missing. Where the record contradicts itself for such a reason, what
 * is missing is added, and counted. */

#define MEM_COMMIT 0x1000

/* what comes before an event, in this order, and the event itself */
enum phase
{
    PHASE_FREE,
    PHASE_COMMIT,
    PHASE_RESET,
    PHASE_WRITE,
    PHASE_EVENT,
};

struct planner
{
    struct plan          *plan;
    const struct process *process;
    struct page_model    *models;         /* one for each allocation */
    struct pieces         pieces;
    uint64_t             *freed;          /* bases whose line about their end is yet to come */
    size_t                freed_count;
    uint32_t              event;
    size_t                last_write;     /* the latest OP_WRITE, and one more; 0: none */
};

static int add_op( struct planner *planner, enum op_kind kind, enum phase phase,
                   const struct op *where )
{
    struct plan *plan = planner->plan;
    void *new = grow( plan->ops, plan->count, sizeof(*plan->ops) );
    struct op *op;

    if (!new) return -1;
    plan->ops = new;
    op = &plan->ops[plan->count];
    *op = *where;
    op->kind = kind;
    op->phase = phase;
    op->number = plan->count++;
    return 0;
}

/* for the event that is being looked at */
static int add_range( struct planner *planner, enum op_kind kind, enum phase phase,
                      const struct piece *piece, const struct page_span *span )
{
    uint64_t page_size = planner->process->page_size;
    const struct op op = { .alloc = piece->alloc, .event = planner->event,
                           .offset = span->first * page_size,
                           .size = ((uint64_t)span->last - span->first + 1) * page_size };

    return add_op( planner, kind, phase, &op );
}

/* the number of a page in its allocation */
static uint64_t page_of( const struct planner *planner, unsigned int alloc, uint64_t addr )
{
    uint64_t page_size = planner->process->page_size;

    return addr / page_size - planner->plan->allocs[alloc].base / page_size;
}

/***********************************************************************
 *           free_part
 *
 * Frees what is left of an allocation. A part of it is decommitted: not all
 * systems can free parts.
 */
static int free_part( struct planner *planner, const struct piece *piece, uint64_t start,
                      uint64_t end, enum phase phase )
{
    const struct piece cut = *piece;
    struct page_span span = { page_of( planner, cut.alloc, start ),
                              page_of( planner, cut.alloc, end ) - 1 };

    if (pieces_cut( &planner->pieces, start, end )) return -1;
    if (!pieces_has( &planner->pieces, cut.alloc ))
    {
        page_model_free( &planner->models[cut.alloc] );
        return add_range( planner, OP_FREE, phase, &cut, &span );
    }
    planner->plan->partial_frees++;
    return add_range( planner, OP_DECOMMIT, phase, &cut, &span );
}

static int plan_free( struct planner *planner, const struct event *event )
{
    uint64_t end = event->base + event->size;
    const struct piece *piece;
    size_t i;

    for (i = 0; i < planner->freed_count; i++)
    {
        if (planner->freed[i] != event->base) continue;
        planner->freed[i] = planner->freed[--planner->freed_count];
        return 0;
    }
    if (!(piece = pieces_first( &planner->pieces, event->base, end )))
        planner->plan->skipped_changes++;
    while (piece)
    {
        uint64_t start = piece->start > event->base ? piece->start : event->base;

        if (free_part( planner, piece, start, piece->end < end ? piece->end : end, PHASE_EVENT ))
            return -1;
        piece = pieces_first( &planner->pieces, event->base, end );
    }
    return 0;
}

/***********************************************************************
 *           free_before
 *
 * Frees what is in the place of a new allocation: the line about that comes later, or was lost.
 */
static int free_before( struct planner *planner, uint64_t start, uint64_t end )
{
    const struct piece *piece;
    void *new;

    while ((piece = pieces_first( &planner->pieces, start, end )))
    {
        if (!(new = grow( planner->freed, planner->freed_count, sizeof(*planner->freed) )))
            return -1;
        planner->freed = new;
        planner->freed[planner->freed_count++] = planner->plan->allocs[piece->alloc].base;
        if (free_part( planner, piece, piece->start, piece->end, PHASE_FREE )) return -1;
    }
    return 0;
}

static int plan_alloc( struct planner *planner, const struct event *event )
{
    struct plan *plan = planner->plan;
    unsigned int alloc = plan->alloc_count;
    const struct op op = { .alloc = alloc, .event = planner->event, .size = event->size };
    void *new;

    if (free_before( planner, event->base, event->base + event->size )) return -1;
    if (!(new = grow( plan->allocs, alloc, sizeof(*plan->allocs) ))) return -1;
    plan->allocs = new;
    if (!(new = grow( planner->models, alloc, sizeof(*planner->models) ))) return -1;
    planner->models = new;
    plan->allocs[alloc] = (struct allocation){ event->base, event->size,
                                               (event->flags & MEM_COMMIT) != 0 };
    memset( &planner->models[alloc], 0, sizeof(planner->models[alloc]) );
    planner->models[alloc].committed = plan->allocs[alloc].committed;
    plan->alloc_count++;
    if (pieces_add( &planner->pieces, event->base, event->base + event->size, alloc )) return -1;
    return add_op( planner, OP_ALLOC, PHASE_EVENT, &op );
}

/* commits, decommits, resets, in one region */
static int plan_change( struct planner *planner, const struct event *event,
                        const struct piece *piece )
{
    uint64_t first = page_of( planner, piece->alloc, event->base );
    const struct page_span span = { first, first + count_pages( event->base, event->size,
                                    planner->process->page_size ) - 1 };
    struct page_model *model = &planner->models[piece->alloc];
    uint64_t end = (uint64_t)span.last + 1, page;

    switch (event->kind)
    {
    case EVENT_COMMIT:
        if (page_model_commit( model, first, end, 1, planner->event + 1 )) return -1;
        return add_range( planner, OP_COMMIT, PHASE_EVENT, piece, &span );
    case EVENT_DECOMMIT:
        if (page_model_commit( model, first, end, 0, planner->event + 1 )) return -1;
        return add_range( planner, OP_DECOMMIT, PHASE_EVENT, piece, &span );
    case EVENT_DISCARD:
        return add_range( planner, OP_DISCARD, PHASE_EVENT, piece, &span );
    default:
        for (page = first; (page = page_model_next_written( model, page, end )) < end; page++)
            if (page_model_set_written( model, page, 0 )) return -1;
        page_model_set_clean( model, first, end, planner->event + 1 );
        return add_range( planner, OP_RESET, PHASE_EVENT, piece, &span );
    }
}

/* plans a write, as a part of the one before it if it can be */
static int add_write( struct planner *planner, const struct piece *piece, uint64_t page,
                      uint32_t event )
{
    uint64_t page_size = planner->process->page_size;
    const struct op op = { .alloc = piece->alloc, .event = event, .offset = page * page_size,
                           .size = page_size };
    struct op *last = planner->last_write ? &planner->plan->ops[planner->last_write - 1] : NULL;

    if (last && last->event == event && last->alloc == op.alloc &&
        last->offset + last->size == op.offset)
    {
        last->size += page_size;
        return 0;
    }
    if (add_op( planner, OP_WRITE, PHASE_WRITE, &op )) return -1;
    planner->last_write = planner->plan->count;
    return 0;
}

/***********************************************************************
 *           plan_write
 *
 * Sees to it that a page is written when the poll comes.
 */
static int plan_write( struct planner *planner, const struct piece *piece, uint64_t page )
{
    struct page_model *model = &planner->models[piece->alloc];
    const struct page_span span = { page, page };
    struct page_state state;

    if (page_model_get( model, page, &state )) return -1;
    if (state.written) return 0;
    if (!state.committed && state.decommitted > state.clean)
    {
        if (add_write( planner, piece, page, state.decommitted - 1 )) return -1;
        return page_model_set_written( model, page, 1 );
    }
    if (!state.committed)
    {
        planner->plan->commits++;
        if (page_model_commit( model, page, page + 1, 1, planner->event + 1 ) ||
            add_range( planner, OP_COMMIT, PHASE_COMMIT, piece, &span )) return -1;
    }
    if (add_write( planner, piece, page, planner->event )) return -1;
    return page_model_set_written( model, page, 1 );
}

/* takes back what is written but was not reported: [first, end) has no reported page */
static int plan_resets( struct planner *planner, const struct piece *piece, uint64_t first,
                        uint64_t end )
{
    struct page_model *model = &planner->models[piece->alloc];
    struct page_span span;

    while ((first = page_model_next_written( model, first, end )) < end)
    {
        span.first = span.last = first++;
        if (page_model_set_written( model, span.first, 0 ) ||
            add_range( planner, OP_RESET, PHASE_RESET, piece, &span )) return -1;
        planner->plan->resets++;
    }
    return 0;
}

static int plan_poll( struct planner *planner, const struct event *event,
                      const struct piece *piece )
{
    const struct process *process = planner->process;
    uint64_t start = page_of( planner, piece->alloc, event->base ), next = start, page;
    uint64_t end = start + count_pages( event->base, event->size, process->page_size );
    const struct op op = { .alloc = piece->alloc, .event = planner->event, .size = event->size,
                           .offset = event->base - planner->plan->allocs[piece->alloc].base };
    struct page_model *model = &planner->models[piece->alloc];
    size_t i;

    for (i = 0; i < event->spans; i++)
    {
        struct page_span span = process->spans[event->span + i];

        if (plan_resets( planner, piece, next, start + span.first )) return -1;
        for (page = start + span.first; page <= start + span.last; page++)
            if (plan_write( planner, piece, page )) return -1;
        next = start + span.last + 1;
    }
    /* of the pages behind a full array nothing is known */
    if (event->count < event->max)
    {
        if (plan_resets( planner, piece, next, end )) return -1;
        next = end;
    }
    for (i = 0; event->flags && i < event->spans; i++)
    {
        struct page_span span = process->spans[event->span + i];

        for (page = start + span.first; page <= start + span.last; page++)
            if (page_model_set_written( model, page, 0 )) return -1;
    }
    /* what was reported without a reset is written, whatever is noted here */
    page_model_set_clean( model, start, next, planner->event + 1 );
    planner->plan->polls++;
    return add_op( planner, OP_POLL, PHASE_EVENT, &op );
}

/* an event that has no size is one of all of a region */
static int plan_whole( struct planner *planner, const struct event *event )
{
    const struct piece *piece = pieces_find( &planner->pieces, event->base, event->base + 1 );
    struct event whole = *event;

    if (!piece)
    {
        planner->plan->skipped_changes++;
        return 0;
    }
    whole.base = piece->start;
    whole.size = piece->end - piece->start;
    if (event->kind == EVENT_FREE) return plan_free( planner, &whole );
    return plan_change( planner, &whole, piece );
}

static int plan_event( struct planner *planner, const struct event *event )
{
    uint64_t page_size = planner->process->page_size;
    uint64_t start = event->base / page_size * page_size, end;
    const struct piece *piece;

    if (!event->size) return plan_whole( planner, event );
    end = start + count_pages( event->base, event->size, page_size ) * page_size;
    if (event->kind == EVENT_ALLOC) return plan_alloc( planner, event );
    if (event->kind == EVENT_FREE) return plan_free( planner, event );
    if (event->unknown)
    {
        planner->plan->unknown_polls++;
        return 0;
    }
    if (!(piece = pieces_find( &planner->pieces, start, end )))
    {
        if (event->kind == EVENT_POLL) planner->plan->skipped_polls++;
        else planner->plan->skipped_changes++;
        return 0;
    }
    return event->kind == EVENT_POLL ? plan_poll( planner, event, piece ) :
           plan_change( planner, event, piece );
}

static int compare_ops( const void *a, const void *b )
{
    const struct op *left = a, *right = b;

    if (left->event != right->event) return left->event < right->event ? -1 : 1;
    if (left->phase != right->phase) return left->phase < right->phase ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

int make_plan( struct plan *plan, const struct process *process )
{
    struct planner planner = { .plan = plan, .process = process };
    unsigned int i;
    int ret = 0;

    memset( plan, 0, sizeof(*plan) );
    if (process->count >= UINT32_MAX) return -1;
    for (; !ret && planner.event < process->count; planner.event++)
        ret = plan_event( &planner, &process->events[planner.event] );
    for (i = 0; i < plan->alloc_count; i++) page_model_free( &planner.models[i] );
    free( planner.models );
    free( planner.pieces.list );
    free( planner.freed );
    if (ret) free_plan( plan );
    else if (plan->count) qsort( plan->ops, plan->count, sizeof(*plan->ops), compare_ops );
    return ret;
}

void free_plan( struct plan *plan )
{
    free( plan->ops );
    free( plan->allocs );
    memset( plan, 0, sizeof(*plan) );
}
