/*
 * The rules of Windows: allocations, the state of pages, and which of them are written
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It touches no memory but its own. Addresses are bytes from the begin of a space.
 */

#ifndef WRITEWATCH_TESTS_MODEL_H
#define WRITEWATCH_TESTS_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "../common/nt.h"
#include "../common/page.h"

#define PAGE page_bytes()
#define UNIT 0x10000   /* reservations begin at multiples of this */

/* The arena has addresses of its own; allocations without an address are in the others. */
#define SPACES       4
#define ARENA        0
#define ARENA_PAGES  4608
#define OTHER_PAGES  512
#define MAX_PAGES    ARENA_PAGES

/* no range is longer than the first; the second is longer than any, and wraps around nowhere */
#define ADDRESS_LIMIT ((uint64_t)address_limit())
#define TOO_LARGE     (sizeof(void *) == 8 ? 1ull << 48 : 0xa0000000ull)

enum written
{
    NOT_WRITTEN,
    WRITTEN,
    MAYBE_WRITTEN,    /* the rules leave it open; what the next query says holds */
};

enum contents
{
    KNOWN,            /* as in the copy */
    OLD_OR_ZERO,      /* MEM_RESET */
    UNKNOWN,
};

struct page
{
    uint16_t      view;        /* 0: free */
    unsigned char committed;
    unsigned char written;     /* enum written */
    unsigned char contents;    /* enum contents */
    unsigned char touched;     /* was ever used, so that its contents are worth a look */
    uint32_t      protect;
};

/* a reservation, or what is left of it */
struct view
{
    size_t   first, end;       /* pages */
    uint32_t protect;          /* as it was allocated */
    int      used, watched, placeholder, free_placeholder;
};

struct space
{
    char          *base;
    size_t         pages;      /* that it can have */
    size_t         in_use;     /* in views */
    struct page   *page;
    unsigned char *copy;       /* what the memory holds */
    struct view   *views;      /* view 0 is none */
    unsigned int   view_count; /* highest in use, and one more */
};

extern struct space spaces[SPACES];

extern void model_init_space( struct space *space, char *base, size_t pages );
extern void model_init(void);   /* those of the model test */
extern struct view *view_at( struct space *space, size_t page );

/* whether a range goes beyond the end of all addresses */
extern int wraps( const struct space *space, uint64_t addr, uint64_t size );

/* whether all of it lies in one view, or in one watched region; 0 if it is empty or wraps around */
extern struct view *view_of_range( struct space *space, uint64_t start, uint64_t end );
extern struct view *region_of_range( struct space *space, uint64_t start, uint64_t end );

/* What the calls answer; the new state is the model's from then on. Arguments as the caller has
 * them, in and out. model_reserve() is for memory that got its address from the system. */
extern NTSTATUS model_allocate( struct space *space, uint64_t *addr, uint64_t *size, uint32_t type,
                                uint32_t protect, int ex );
extern NTSTATUS model_check_allocate( uint64_t size, uint32_t type, uint32_t protect, int ex );
extern void model_reserve( struct space *space, size_t first, size_t end, uint32_t type,
                           uint32_t protect );
extern NTSTATUS model_free( struct space *space, uint64_t *addr, uint64_t *size, uint32_t type );
extern NTSTATUS model_protect( struct space *space, uint64_t *addr, uint64_t *size,
                               uint32_t protect, uint32_t *old );
extern NTSTATUS model_lock( struct space *space, uint64_t addr, uint64_t size );

/* What an access answers: 0, or the code of the exception. A guard is gone afterwards. */
extern NTSTATUS model_access( struct space *space, uint64_t addr, int write );

extern int is_protection( uint32_t protect );

/* whether a page can be used without an exception */
extern int is_readable( const struct page *page );
extern int is_writable( const struct page *page );

/* bytes of one page were written */
extern void model_write( struct space *space, uint64_t addr, const void *data, size_t size );

#endif /* WRITEWATCH_TESTS_MODEL_H */
