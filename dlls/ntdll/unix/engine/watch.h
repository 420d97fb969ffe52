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

/* All functions take page aligned ranges and return 0 or -errno, unless they say otherwise.
 *
 * Functions that change what is watched are serialised by a lock, under which the thread is not
 * stopped (host.h). Queries take no lock: any thread may make them at any time, even while another
 * one is stopped anywhere. None may be called from a signal handler. */

struct watch_region;

/* What is known of the memory of a region before it is attached. */
enum memory_kind
{
    REGION_FRESH,       /* private anonymous memory that was never touched: MEM_WRITE_WATCH */
    REGION_ANONYMOUS,   /* private anonymous memory that may have pages, huge ones too */
    REGION_MIXED,       /* any memory, files and shared memory included */
};

/* Opens a backend, by name or (NULL) the best one; once, before anything else. On failure reason
 * says why. */
extern int watch_open( const char *name, char *reason, size_t len );
extern void watch_close(void);

/* the name of the active backend and what it is made of; NULL before watch_open() */
extern const char *watch_backend_name(void);
extern const char *watch_mechanism(void);

/* the active backend, NULL before watch_open(); and what one can do, as in its table */
struct watch_backend;
struct watch_region;
extern const struct watch_backend *watch_backend(void);
extern unsigned int watch_capabilities( const struct watch_backend *backend,
                                        const struct watch_region *region, int anonymous );

/* why an earlier form of it is not used; "" if it is used, or there is none */
extern const char *watch_form_reason(void);

extern int watch_add( void *base, size_t size );
extern int watch_add_as( void *base, size_t size, enum memory_kind kind, unsigned int shift );
extern int watch_commit( void *base, size_t size );
extern void watch_remove( void *base, size_t size );
extern int watch_detach( void *base, size_t size );
extern int watch_take_away( void *base, size_t size,
                            int (*take)( struct watch_region *region, void *data ), void *data );
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

#endif /* WRITEWATCH_WATCH_H */
