/*
 * Runs a plan and compares what polls report with the record
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "replay.h"

#define MAX_MESSAGES 10

struct replay
{
    struct replay_result *result;
    const struct plan    *plan;
    const struct process *process;
    char                **bases;      /* where the allocations are; NULL: nowhere */
    void                **results;
    size_t                room;
    unsigned int          messages;
};

/* says what differs, the first times */
static void say( struct replay *replay, const struct op *op, const char *format, ... )
    __attribute__((format( printf, 3, 4 )));

static void say( struct replay *replay, const struct op *op, const char *format, ... )
{
    char text[160];
    va_list args;

    if (replay->messages++ >= MAX_MESSAGES) return;
    va_start( args, format );
    vsnprintf( text, sizeof(text), format, args );
    va_end( args );
    fprintf( stderr, "line %u: %s\n", replay->process->events[op->event].line, text );
    if (replay->messages == MAX_MESSAGES) fprintf( stderr, "... and so on\n" );
}

static void allocate( struct replay *replay, const struct op *op )
{
    const struct allocation *alloc = &replay->plan->allocs[op->alloc];
    unsigned int type = MEM_RESERVE | MEM_WRITE_WATCH | (alloc->committed ? MEM_COMMIT : 0);
    void *base = NULL;

    /* At the same place, costs are most alike: whether huge pages or page tables are shared depends
     * on it. Where that is taken any other will do. */
    if (alloc->size <= SIZE_MAX && alloc->base + alloc->size <= SIZE_MAX)
        base = VirtualAlloc( (void *)(uintptr_t)alloc->base, alloc->size, type, PAGE_READWRITE );
    if (!base && alloc->size <= SIZE_MAX)
        base = VirtualAlloc( NULL, alloc->size, type, PAGE_READWRITE );
    if (!base)
        say( replay, op, "%llu KiB to be watched cannot be allocated here, error %u",
             (unsigned long long)alloc->size / 1024, (unsigned int)GetLastError() );
    replay->bases[op->alloc] = base;
}

/* one write to each page: this is what is measured, and nothing else */
static void write_pages( char *addr, uint64_t size, size_t page_size )
{
    char *end = addr + size;

    for (; addr != end; addr += page_size) *(volatile char *)addr = 1;
}

static uint64_t page_number( const struct replay *replay, const struct op *op, const void *addr )
{
    uintptr_t mask = ~(uintptr_t)(replay->process->page_size - 1);

    return ((uintptr_t)addr - (((uintptr_t)replay->bases[op->alloc] + op->offset) & mask)) /
           replay->process->page_size;
}

/***********************************************************************
 *           compare
 *
 * Compares what a poll reported with the record: both are in ascending order.
 */
static void compare( struct replay *replay, const struct op *op, size_t count )
{
    const struct event *event = &replay->process->events[op->event];
    const struct page_span *span = replay->process->spans + event->span;
    const struct page_span *end = span + event->spans;
    uint64_t page, wanted = span < end ? span->first : UINT64_MAX;
    size_t i = 0;

    while (i < count || span < end)
    {
        page = i < count ? page_number( replay, op, replay->results[i] ) : UINT64_MAX;
        if (page != wanted)
        {
            replay->result->differ++;
            say( replay, op, page < wanted ? "page %llu is reported, and was not when recorded" :
                 "page %llu is not reported, and was when recorded",
                 (unsigned long long)(page < wanted ? page : wanted) );
        }
        if (page <= wanted) i++;
        if (wanted <= page && span < end)
        {
            if (wanted++ < span->last) continue;
            wanted = ++span < end ? span->first : UINT64_MAX;
        }
    }
}

/* makes room for what a poll may report; that memory has been touched before */
static int make_room( struct replay *replay, size_t room )
{
    if (room <= replay->room) return 0;
    free( replay->results );
    if (!(replay->results = malloc( room * sizeof(*replay->results) )))
    {
        replay->room = 0;
        return -1;
    }
    memset( replay->results, 1, room * sizeof(*replay->results) );
    replay->room = room;
    return 0;
}

static int poll_pages( struct replay *replay, const struct op *op )
{
    const struct event *event = &replay->process->events[op->event];
    uint64_t pages = count_pages( event->base, event->size, replay->process->page_size );
    char *base = replay->bases[op->alloc] + op->offset;
    uint64_t start;
    ULONG_PTR count;
    DWORD granularity = 0;
    UINT ret;

    /* an array that is larger than the range makes no difference */
    if (event->max < pages) pages = event->max;
    if (pages >= SIZE_MAX / sizeof(*replay->results) || make_room( replay, pages + 1 )) return -1;
    count = pages;
    start = platform_now();
    ret = GetWriteWatch( event->flags, base, op->size, replay->results, &count, &granularity );
    replay->result->poll_time += platform_now() - start;
    replay->result->polls++;
    if (!ret && granularity == replay->process->page_size)
    {
        replay->result->pages += count;
        compare( replay, op, count );
        return 0;
    }
    replay->result->failed++;
    if (ret) say( replay, op, "GetWriteWatch failed, error %u", (unsigned int)GetLastError() );
    else say( replay, op, "pages have %u bytes here", (unsigned int)granularity );
    return 0;
}

static void change( struct replay *replay, const struct op *op )
{
    char *base = replay->bases[op->alloc] + op->offset;
    int done = 1;

    switch (op->kind)
    {
    case OP_COMMIT:
        done = VirtualAlloc( base, op->size, MEM_COMMIT, PAGE_READWRITE ) != NULL;
        break;
    case OP_DISCARD:
        done = VirtualAlloc( base, op->size, MEM_RESET, PAGE_READWRITE ) != NULL;
        break;
    case OP_DECOMMIT:
        done = VirtualFree( base, op->size, MEM_DECOMMIT );
        break;
    case OP_FREE:
        done = VirtualFree( replay->bases[op->alloc], 0, MEM_RELEASE );
        replay->bases[op->alloc] = NULL;
        break;
    case OP_RESET:
        done = !ResetWriteWatch( base, op->size );
        break;
    default:
        break;
    }
    if (done) return;
    replay->result->failed++;
    say( replay, op, "a call failed, error %u", (unsigned int)GetLastError() );
    /* what is not committed cannot be written: give up this memory */
    if (op->kind == OP_COMMIT) replay->bases[op->alloc] = NULL;
}

static int run_op( struct replay *replay, const struct op *op )
{
    struct replay_result *result = replay->result;
    uint64_t start;

    if (op->kind != OP_ALLOC && !replay->bases[op->alloc])
    {
        if (op->kind == OP_POLL) result->skipped_polls++;
        return 0;
    }
    if (op->kind == OP_POLL) return poll_pages( replay, op );

    start = platform_now();
    if (op->kind == OP_WRITE)
    {
        write_pages( replay->bases[op->alloc] + op->offset, op->size, replay->process->page_size );
        result->write_time += platform_now() - start;
        result->written += op->size / replay->process->page_size;
        return 0;
    }
    if (op->kind == OP_ALLOC) allocate( replay, op );
    else change( replay, op );
    result->other_time += platform_now() - start;
    return 0;
}

int run_plan( struct replay_result *result, const struct plan *plan,
              const struct process *process )
{
    struct replay replay = { .result = result, .plan = plan, .process = process };
    uint32_t last = UINT32_MAX;
    size_t i;
    int ret = 0;

    memset( result, 0, sizeof(*result) );
    if (!(replay.bases = calloc( plan->alloc_count + 1, sizeof(*replay.bases) ))) return -1;
    for (i = 0; !ret && i < plan->count; i++)
    {
        ret = run_op( &replay, &plan->ops[i] );
        if (plan->ops[i].event != last) result->events++;
        last = plan->ops[i].event;
    }
    free( replay.bases );
    free( replay.results );
    return ret;
}
