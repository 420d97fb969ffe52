/*
 * A provider of dirty bits for the collector libgc: what the rest of it calls
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In libgc's include/private/, included after gc_priv.h. Memory of the heap is in bytes; all calls
 * are made with the allocation lock held.
 */

#ifndef GC_WRITEWATCH_VDB_H
#define GC_WRITEWATCH_VDB_H

#ifdef WRITEWATCH_VDB

/* A new section of the heap, or a part of one that is accessible again; its contents are not
 * written yet. */
GC_INNER void GC_writewatch_add( ptr_t start, size_t bytes );

/* A part of the heap that other memory is about to replace, or that becomes inaccessible. */
GC_INNER void GC_writewatch_drop( ptr_t start, size_t bytes );

#endif /* WRITEWATCH_VDB */

#endif /* GC_WRITEWATCH_VDB_H */
