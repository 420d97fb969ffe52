/*
 * The benchmark: what is measured
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two sources implement this: win32.c by the calls of Windows, which are Wine's or those of
 * libwritewatch, and floor.c by what the kernel must be asked in any case and nothing else.
 */

#ifndef WRITEWATCH_BENCH_TARGET_H
#define WRITEWATCH_BENCH_TARGET_H

#include <stddef.h>

/* What the row knows about the pages of a range. Only the floor may make use of it: it tells
 * which query is the cheapest that answers right. */
enum contents
{
    SPARSE,    /* pages may be missing */
    FULL,      /* every page is there, and the range is made of whole blocks of 2 MiB */
    WRITTEN,   /* every page is known to be written */
    SAVED,     /* likewise, and none is there: the floor looks all the same, as one may be
                * committed and written at any time */
};

/* All of these end the program when they fail. */

extern void target_open(void);

/* Memory that is watched, reserved and committed at once or only reserved; plain memory. */
extern void *alloc_watched( size_t size );
extern void *reserve_watched( size_t size );
extern void *alloc_plain( size_t size );
extern void commit_pages( void *base, size_t size );
extern void decommit_pages( void *base, size_t size );
extern void free_memory( void *base, size_t size );

/* Stores the addresses of written pages, at most max, and returns their number; with reset
 * exactly these become not written. */
extern size_t poll_pages( void *base, size_t size, int reset, enum contents contents,
                          void **addresses, size_t max );
extern void reset_pages( void *base, size_t size, enum contents contents );

/* A system call of the emulated system that does nothing. Returns 0 where there is none. */
extern int empty_call(void);

#endif /* WRITEWATCH_BENCH_TARGET_H */
