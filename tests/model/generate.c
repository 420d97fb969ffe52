/*
 * Random operations
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Most of them make sense in the state that the model is in, as senseless ones are soon answered;
 * some numbers are wrong on purpose.
 */

#include <string.h>

#include "../common/random.h"
#include "generate.h"

static uint64_t random_state;
static int large_regions;   /* in every fourth sequence */

/***********************************************************************
 *           random_seed
 */
void random_seed( uint64_t seed )
{
    random_state = seed * RANDOM_SPREAD + 0x1234567;
    large_regions = !(seed & 3);
}

/***********************************************************************
 *           random_below
 */
uint32_t random_below( uint32_t limit )
{
    return (uint32_t)random_mix( &random_state ) % limit;
}

static int one_in( uint32_t count )
{
    return !random_below( count );
}

/* 1 to limit, small numbers more often than large ones */
static uint32_t random_size( uint32_t limit )
{
    uint32_t bits = 1;

    while (bits < limit && random_below( 3 )) bits *= 2;
    bits = 1 + random_below( 2 * bits );
    return bits < limit ? bits : limit;
}

/* a view, most often of the kind that is wanted: 1 watched, 2 placeholder, 0 any */
static struct view *random_view( struct space **space, int kind )
{
    unsigned int tries, i;
    struct view *view, *found = NULL;

    for (tries = 0; tries < 12; tries++)
    {
        *space = &spaces[random_below( 2 ) ? 0 : random_below( SPACES )];
        if (!(*space)->in_use) continue;
        for (i = 0; i < 8; i++)
        {
            view = &(*space)->views[1 + random_below( (*space)->view_count - 1 )];
            if (!view->used) continue;
            found = view;
            if (kind == 0 || (kind == 1 && view->watched) || (kind == 2 && view->placeholder))
                return view;
        }
        if (found && tries > 8) return found;
    }
    return NULL;
}

/***********************************************************************
 *           random_region
 */
struct view *random_region( struct space **space )
{
    struct view *view = random_view( space, 1 );

    return view && view->watched ? view : NULL;
}

static uint32_t random_protection(void)
{
    static const uint32_t protections[] =
    {
        PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE, PAGE_READWRITE,
        PAGE_READWRITE, PAGE_EXECUTE_READWRITE, PAGE_READONLY, PAGE_READONLY, PAGE_NOACCESS,
        PAGE_EXECUTE_READ, PAGE_READWRITE | PAGE_GUARD, PAGE_READONLY | PAGE_GUARD,
    };
    static const uint32_t wrong[] = { 0, PAGE_WRITECOPY, PAGE_READONLY | PAGE_READWRITE };

    if (one_in( 60 )) return wrong[random_below( 3 )];
    return protections[random_below( sizeof(protections) / sizeof(protections[0]) )];
}

/* the operation's range: some pages of a view, or all */
static void pick_pages( struct op *op, struct space *space, const struct view *view )
{
    size_t pages = view->end - view->first, count = random_size( pages );

    op->space = space - spaces;
    if (one_in( 6 )) count = pages;
    op->page = view->first + random_below( pages - count + 1 );
    /* the ends are where things go wrong */
    if (one_in( 8 )) op->page = view->first;
    else if (one_in( 8 )) op->page = view->end - count;
    op->size = (uint64_t)count * PAGE;
}

/* the same in bytes that need not be whole pages, and sometimes go too far */
static void pick_bytes( struct op *op, struct space *space, const struct view *view )
{
    pick_pages( op, space, view );
    if (one_in( 3 ))
    {
        op->skew = random_below( PAGE );
        if (op->size > op->skew) op->size -= op->skew;
        if (one_in( 2 ) && op->size > PAGE) op->size -= random_below( PAGE );
    }
    if (one_in( 40 )) op->size += 1 + random_below( 2 * PAGE );
    if (one_in( 200 )) op->size = one_in( 2 ) ? 0 : one_in( 2 ) ? ~(SIZE_T)0 : TOO_LARGE;
}

static uint32_t random_face(void)
{
    return one_in( 2 ) ? FACE_WIN32 : FACE_NT;
}

static void generate_reserve( struct op *op )
{
    static const uint32_t types[] =
    {
        MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
        MEM_RESERVE | MEM_WRITE_WATCH, MEM_RESERVE | MEM_WRITE_WATCH, MEM_RESERVE | MEM_COMMIT,
        MEM_RESERVE, MEM_COMMIT | MEM_WRITE_WATCH, MEM_WRITE_WATCH,
        MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH | MEM_TOP_DOWN,
        MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH | MEM_PHYSICAL,
    };

    op->kind = OP_ALLOC;
    op->space = one_in( 3 ) ? 1 + random_below( SPACES - 1 ) : ARENA;
    op->page = random_below( spaces[op->space].pages );
    if (one_in( 3 )) op->page &= ~(uint64_t)511;
    op->skew = one_in( 4 ) ? random_below( PAGE ) : 0;
    op->size = (uint64_t)random_size( one_in( 5 ) ? 4400 : 64 ) * PAGE - random_below( 2 );
    if (one_in( 300 )) op->size = one_in( 2 ) ? 0 : TOO_LARGE;
    if (large_regions && !spaces[ARENA].in_use)
    {
        op->space = ARENA;
        op->size = (uint64_t)(1024 + random_below( ARENA_PAGES - 2048 )) * PAGE;
        op->page = random_below( ARENA_PAGES - op->size / PAGE );
    }
    op->a = types[random_below( sizeof(types) / sizeof(types[0]) - (one_in( 8 ) ? 0 : 4) )];
    op->b = random_protection();
    op->c = one_in( 6 ) ? FACE_NT_EX : random_face();
    if (op->c == FACE_NT_EX && one_in( 2 ))
    {
        op->space = ARENA;
        op->a = MEM_RESERVE | MEM_RESERVE_PLACEHOLDER;
        op->b = one_in( 30 ) ? PAGE_READWRITE : PAGE_NOACCESS;
    }
}

static void generate_commit( struct op *op, struct space *space, const struct view *view )
{
    op->kind = OP_ALLOC;
    pick_bytes( op, space, view );
    op->a = one_in( 4 ) ? MEM_RESET : MEM_COMMIT;
    if (op->a == MEM_COMMIT && one_in( 20 )) op->a |= MEM_WRITE_WATCH;
    op->b = random_protection();
    op->c = one_in( 6 ) ? FACE_NT_EX : random_face();
}

static void generate_free( struct op *op, struct space *space, const struct view *view )
{
    op->kind = OP_FREE;
    op->c = random_face();
    pick_bytes( op, space, view );
    op->a = MEM_DECOMMIT;
    if (!one_in( 3 )) return;
    op->a = MEM_RELEASE;
    if (one_in( 2 ))   /* all of it, or a part, which must be one of whole pages */
    {
        op->page = view->first;
        op->size = op->skew = 0;
    }
    else op->c = FACE_NT;
    if (one_in( 40 )) op->a = one_in( 2 ) ? 0 : MEM_RELEASE | MEM_DECOMMIT;
}

static void generate_placeholder( struct op *op, struct space *space, struct view *view )
{
    const struct view *next;
    int choice = random_below( 4 );

    op->space = space - spaces;
    op->c = FACE_NT_EX;
    op->page = view->first;
    op->size = (view->end - view->first) * PAGE;
    if (choice == 0)
    {
        op->kind = OP_FREE;
        pick_pages( op, space, view );
        op->a = MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER;
    }
    else if (choice == 1)
    {
        op->kind = OP_FREE;
        while ((next = view_at( space, (op->page * PAGE + op->size) / PAGE )) &&
               next->free_placeholder && !one_in( 4 ))
            op->size += (next->end - next->first) * PAGE;
        op->a = MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS;
        if (one_in( 30 )) op->a = MEM_COALESCE_PLACEHOLDERS;
        if (one_in( 30 )) op->size = 0;
    }
    else
    {
        op->kind = OP_ALLOC;
        op->a = MEM_RESERVE | MEM_REPLACE_PLACEHOLDER;
        if (!one_in( 5 )) op->a |= MEM_WRITE_WATCH;
        if (!one_in( 4 )) op->a |= MEM_COMMIT;
        if (one_in( 30 )) op->a &= ~MEM_RESERVE;
        if (one_in( 20 )) op->size += PAGE;
        op->b = random_protection();
    }
}

static void generate_write( struct op *op, struct space *space, const struct view *view,
                            uint32_t number )
{
    op->kind = OP_WRITE;
    pick_pages( op, space, view );
    op->skew = random_below( PAGE );
    op->a = one_in( 4 ) ? 0 : number;
    switch (random_below( 5 ))
    {
    case 0:   /* some bytes, perhaps of two pages */
        op->skew = PAGE - 1 - random_below( 12 );
        op->size = 1 + random_below( 24 );
        break;
    case 1:   /* one store */
        op->skew = PAGE - 1 - random_below( 12 );
        op->size = 8;
        op->c = 1;
        break;
    case 2:   /* several pages */
        op->size = 1 + random_below( 5 * PAGE );
        break;
    default:  /* a byte in some pages; all through a large region for runs without end */
        if (view->end - view->first >= 1024 && one_in( 4 ))
        {
            op->page = view->first + random_below( 2 );
            op->size = (view->end - op->page - 1) * PAGE;
        }
        op->b = one_in( 3 ) ? 2 : 1 + random_size( 5 );
        break;
    }
}

static void generate_get( struct op *op, struct space *space, const struct view *view )
{
    struct space *other;
    struct view *inside;

    op->kind = OP_GET;
    pick_bytes( op, space, view );
    op->a = one_in( 3 ) ? 0 : WRITE_WATCH_FLAG_RESET;
    op->b = one_in( 3 ) ? 8192 : random_size( 2000 );
    op->c = random_face();
    if (one_in( 50 )) op->a = one_in( 2 ) ? 2 : 0x80000001;
    if (one_in( 100 )) op->b = 0;
    if (one_in( 12 )) op->d = random_below( ARRAY_KINDS );
    else if (one_in( 8 )) op->d = ARRAY_INSIDE;
    if (op->d == ARRAY_SHORT) op->b = random_size( 256 );
    if (op->d != ARRAY_INSIDE && op->d != ARRAY_COUNTS) return;

    other = space;
    inside = (struct view *)view;
    if (one_in( 4 ) && !(inside = random_view( &other, 1 ))) return;
    op->d_space = other - spaces;
    op->d_page = inside->first + random_below( inside->end - inside->first );
    op->d_offset = random_below( PAGE ) & ~7u;
    if (op->d == ARRAY_INSIDE && !one_in( 3 )) op->b = random_size( 600 );
}

/***********************************************************************
 *           generate
 */
void generate( struct op *op, uint32_t number )
{
    struct space *space;
    struct view *view;
    uint32_t choice = random_below( 1000 );

    memset( op, 0, sizeof(*op) );
    view = random_view( &space, choice < 900 );
    if (!view || choice < 40)
    {
        generate_reserve( op );
        return;
    }
    if (choice < 300) generate_write( op, space, view, number );
    else if (choice < 330)
    {
        op->kind = OP_KERNEL_WRITE;
        pick_pages( op, space, view );
        op->skew = random_below( PAGE );
        op->size = 1 + random_below( one_in( 3 ) ? 4 * PAGE : 64 );
        op->a = number;
        op->b = random_below( 2 );
    }
    else if (choice < 390)
    {
        op->kind = OP_READ;
        pick_bytes( op, space, view );
    }
    else if (choice < 600) generate_get( op, space, view );
    else if (choice < 640)
    {
        op->kind = OP_RESET;
        pick_bytes( op, space, view );
        op->c = random_face();
    }
    else if (choice < 720)
    {
        op->kind = OP_PROTECT;
        pick_bytes( op, space, view );
        op->a = random_protection();
        op->b = one_in( 60 );
        op->c = random_face();
    }
    else if (choice < 820) generate_commit( op, space, view );
    else if (choice < 890) generate_free( op, space, view );
    else if (choice < 930)
    {
        if (!(view = random_view( &space, 2 ))) generate_reserve( op );
        else generate_placeholder( op, space, view );
    }
    else if (choice < 985)
    {
        op->kind = OP_QUERY;
        pick_pages( op, space, view );
        op->skew = one_in( 3 ) ? random_below( PAGE ) : 0;
        if (one_in( 4 )) op->page = random_below( space->pages );
    }
    else if (choice < 992)
    {
        op->kind = one_in( 2 ) ? OP_LOCK : OP_UNLOCK;
        pick_pages( op, space, view );
        if (op->size > 8 * PAGE) op->size = 8 * PAGE;
    }
    else if (choice < 999)
    {
        op->kind = OP_PAGE_OUT;
        pick_pages( op, space, view );
    }
    else
    {
        op->kind = OP_FORK;
        if (!one_in( 4 )) op->kind = OP_QUERY;
        pick_pages( op, space, view );
        op->a = number;
    }
}
