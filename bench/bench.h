/*
 * The benchmark: what its parts share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_BENCH_H
#define WRITEWATCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE  ((size_t)4096)
#define TABLE_SPAN ((size_t)2 << 20)
#define KIB        ((size_t)1 << 10)
#define MIB        ((size_t)1 << 20)
#define GIB        ((uint64_t)1 << 30)

/* Set by --small: every size is a 256th and everything is done once, to see that it works. */
extern int small;

/* A word that stands on no other process' command line (--tag), or NULL. */
extern const char *tag;

/* A size of the table, made smaller by --small, but never less than 64 KiB. */
extern size_t scaled( uint64_t size );

/* Whether the address space has room for that; says so if not, and the row has no value. */
extern int fits( uint64_t size );

/* How often to repeat what takes long, and what takes microseconds. */
extern unsigned int repeats( unsigned int count );

/* One line of the result. Names and units hold no comma. */
extern void emit( const char *name, double value, const char *unit );

/* Ends the program with a sentence about what failed. */
extern void fail( const char *what ) __attribute__((noreturn));

extern double median( double *values, size_t count );

/* The value that a tenth of them do not exceed, for what one thread does alone: other threads that
 * share its core only add to the time, and can do so for seconds on end. */
extern double lowest_tenth( double *values, size_t count );

/* A generator with the same sequence everywhere, one for each user. */
extern uint32_t next_random( uint64_t *state );

/* The numbers of all pages of a range; free() frees them. Brings some, by chance, to the front. */
extern uint32_t *page_order( size_t pages );
extern void shuffle( uint32_t *order, size_t pages, size_t chosen, uint64_t *state );

/* One write, which reads first, in every stride-th page of a range, or in the pages with these
 * numbers; and one that only stores. */
extern void write_pages( void *base, size_t size, size_t stride );
extern void store_pages( void *base, size_t size, size_t stride );
extern void write_chosen( void *base, const uint32_t *order, size_t count );

/* Room for as many addresses as a range has pages, touched already. free() frees it. */
extern void **address_array( size_t size );

/* The groups, by the file they are in. */
extern void first_write(void);
extern void rewrite(void);
extern void allocate(void);
extern void decommit(void);
extern void page_tables(void);
extern void poll_empty_call(void);
extern void poll_clean(void);
extern void poll_random(void);
extern void poll_every_other(void);
extern void poll_again(void);
extern void poll_again_small(void);
extern void poll_saved(void);
extern void poll_loop(void);
extern void poll_sparse(void);
extern void poll_untouched(void);
extern void poll_4g(void);
extern void other_thread(void);
extern void tracked_pages(void);
extern void micro_benchmark(void);

#endif /* WRITEWATCH_BENCH_H */
