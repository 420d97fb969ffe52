/*
 * The engine: write watches on ranges of this process, over one backend
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WATCH_H
#define WRITEWATCH_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "engine/region_step.h"

/* All functions take page aligned ranges and return 0 or -errno, unless they say otherwise.
 *
 * Functions that change what is watched are serialised by a lock, under which the thread is not
 * stopped (host.h). Queries take no lock: any thread may make them at any time, even while another
 * one is stopped anywhere. None may be called from a signal handler. */

/* Opens a backend, by name or (NULL) the best one; once, before anything else. On failure reason
 * says why. */
extern int watch_open( const char *name, char *reason, size_t len );
extern void watch_close(void);

/* the name of the active backend and what it is made of; NULL before watch_open() */
extern const char *watch_backend_name(void);
extern const char *watch_mechanism(void);

/* why an earlier form of it is not used; "" if it is used, or there is none */
extern const char *watch_form_reason(void);

extern int watch_add( void *base, size_t size );
extern int watch_add_as( void *base, size_t size, enum memory_kind kind, unsigned int shift );
extern int watch_commit( void *base, size_t size );
extern void watch_remove( void *base, size_t size );
extern int watch_detach( void *base, size_t size );
extern int watch_serve( void *base, size_t size );
extern int watch_decommit( void *base, size_t size );
extern int watch_discard( void *base, size_t size );
extern int watch_protect( void *base, size_t size, int prot );
extern int watch_mlock( const void *base, size_t size );

/* whether memory is still what was watched */
extern int watch_verify( void *base, size_t size );

/* whether the backend needs watch_commit() */
extern int watch_needs_commit(void);

/* whether memory is watched: all of it, in one region; or any page of it */
extern int watch_contains( const void *base, size_t size );
extern int watch_overlaps( const void *base, size_t size );

/* A query, in uninterrupted code. It holds its region only in its steps. */
struct watch_query
{
    struct watch_region *region;    /* may become another one between steps */
    const struct watch_backend *backend;   /* both are the region's, which each step checks */
    unsigned int         shift;
    enum region_step     step;
    uint64_t             signals;   /* blocked before a step of a fault backend */
    uintptr_t            start;
    uintptr_t            end;
    uintptr_t            reached;   /* where the next step of watch_collect() begins */
    int                  reset;     /* argument of watch_collect() */
    void               **addresses;
    size_t               max;
    size_t               count;     /* of addresses stored */
};

extern int watch_begin( struct watch_query *query, uintptr_t start, uintptr_t end );
extern int watch_collect( struct watch_query *query, int reset, void **addresses, size_t max,
                          size_t *count );
extern void watch_undo( struct watch_query *query, void **addresses, size_t count );
extern void watch_undo_all( struct watch_query *query );
extern int watch_reset( struct watch_query *query );

/* for use in a step of a query (step.h) */
extern uint64_t watch_take_marked( struct watch_query *query, uintptr_t start, uintptr_t end,
                                   int *err );

/* What was done so far, for people. All but regions are counted only while enabled is set. */
struct watch_stats
{
    int           enabled;
    unsigned long regions;
    unsigned long polls;
    unsigned long pages;
    unsigned long resets;
};

extern struct watch_stats watch_stats;

#endif /* WRITEWATCH_WATCH_H */
