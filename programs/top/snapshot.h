/*
 * What is shown of a process at one moment
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_SNAPSHOT_H
#define WRITEWATCH_TOP_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "engine/counters.h"

/* What is known of a page, colder before hotter: of several pages the last class is shown. A page
 * is written until the program resets it. */
enum page_class
{
    CLASS_UNTOUCHED,    /* never written: missing, or only read */
    CLASS_CLEAN,        /* in memory; last seen written long ago, or never */
    CLASS_SWAPPED,      /* swapped out, not written */
    CLASS_UNWATCHED,    /* in memory that the kernel does not watch (any more) */
    CLASS_COOL,         /* reset, and seen written within COOL_INTERVALS */
    CLASS_WARM,         /* reset, and seen written within WARM_INTERVALS */
    CLASS_HELD,         /* written, for longer than an interval, or for an unknown time */
    CLASS_HOT,          /* reset, and seen written within an interval */
    CLASS_WRITTEN,      /* written within an interval */
    CLASS_COUNT
};

#define WARM_INTERVALS 10
#define COOL_INTERVALS 60

#define CLASS_LETTERS ".os?-+w*W"

struct page_run
{
    uint64_t count;
    uint8_t  class;
};

struct region_view
{
    struct region_counters counters;
    struct page_run       *runs;     /* all its pages */
    size_t                 run_count;
    size_t                 room;
};

struct process_view
{
    uint32_t pid;
    uint32_t word_size;
    uint32_t page_size;
    char     program[64];
    char     wine[64];
    char     kernel[64];
    char     version[24];
    char     mechanism[128];
    double   interval;   /* between samples, in seconds */
    double   began;      /* the first sample, in seconds of CLOCK_REALTIME */
};

struct snapshot
{
    double                 time;       /* in seconds since watching began */
    uint64_t               regions;    /* that exist; at least as many as are listed */
    uint64_t               bytes;      /* in them */
    struct region_counters total;
    struct region_view    *views;      /* in the order of their addresses */
    size_t                 count;
};

/* a part of a region */
struct page_range
{
    uint64_t first;
    uint64_t count;
};

/* what was counted between two snapshots */
struct rates
{
    double polls;        /* a second */
    double pages;        /* a second */
    double a_poll;       /* pages a poll */
    int    are_known;
};

extern void     snapshot_free( struct snapshot *snapshot );

/* Appends count pages. Returns 0 or -ENOMEM. */
extern int      view_add( struct region_view *view, uint64_t count, enum page_class class );

extern uint64_t view_pages( const struct region_view *view, const struct process_view *process );

/* how many pages are of each class */
extern void     view_count( const struct region_view *view, uint64_t counts[CLASS_COUNT] );

/* The hottest class in each of equal parts of a range; a page may be in several of them. */
extern void     view_cells( const struct region_view *view, struct page_range range,
                            unsigned int cells, uint8_t *classes );

/* the view of the same region in an earlier snapshot, or NULL */
extern const struct region_view *snapshot_find( const struct snapshot *snapshot,
                                                const struct region_counters *counters );

extern struct rates rates_between( const struct region_counters *old,
                                   const struct region_counters *new, double seconds );
extern struct rates view_rates( const struct snapshot *old, const struct snapshot *new,
                                const struct region_view *view );

/* what a class means, for a legend */
extern void     class_text( enum page_class class, double interval, char *text, size_t size );

/* "64.0 MiB" */
extern void     size_text( uint64_t size, char *text, size_t room );

#endif /* WRITEWATCH_TOP_SNAPSHOT_H */
