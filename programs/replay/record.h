/*
 * A record of write watches, as writewatch --record writes it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_RECORD_H
#define REPLAY_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum event_kind
{
    EVENT_ALLOC,
    EVENT_COMMIT,
    EVENT_DISCARD,      /* MEM_RESET */
    EVENT_DECOMMIT,
    EVENT_FREE,
    EVENT_RESET,        /* ResetWriteWatch */
    EVENT_POLL,         /* GetWriteWatch */
    EVENT_KINDS
};

/* Pages by their numbers, first and last included. */
struct page_span
{
    uint32_t first;
    uint32_t last;
};

struct event
{
    enum event_kind kind;
    unsigned int    line;         /* of the file */
    uint64_t        time;         /* in microseconds, of a clock that all processes share */
    uint64_t        base;         /* as the program gave them: for a poll any address and size */
    uint64_t        size;
    uint64_t        flags;        /* the type of an allocation, the flags of a poll */
    uint64_t        max;          /* of a poll: room in the array */
    uint64_t        count;        /* pages reported */
    size_t          span;         /* index of the first of them in the process */
    size_t          spans;
    int             unknown;      /* whether it is not known which pages these are */
};

struct process
{
    unsigned int      pid;
    unsigned int      bits;       /* word size */
    uint64_t          page_size;
    char              version[32];    /* of writewatch */
    char              name[64];
    struct event     *events;
    size_t            count;
    struct page_span *spans;      /* of all polls, numbered from the start of the polled range on */
    size_t            span_count;
    uint64_t          polls;
    uint64_t          pages;      /* reported by all polls */
};

struct record
{
    struct process *processes;
    size_t          count;
};

struct record_error
{
    unsigned int line;            /* 0: none in particular */
    char         text[160];
};

/* Reads a record. Returns 0, or -1 and what is wrong with which line; then nothing is to be
 * freed. */
extern int read_record( struct record *record, const char *text, size_t len,
                        struct record_error *error );
extern void free_record( struct record *record );

/* the pages that a range of bytes touches, from the one with its base on */
extern uint64_t count_pages( uint64_t base, uint64_t size, uint64_t page_size );

/* Returns array with room for one more element behind count, or NULL; of the old size then. */
extern void *grow( void *array, size_t count, size_t size );

#endif /* REPLAY_RECORD_H */
