/*
 * Fuzzer of the calls that take pointers, sizes and counts of the program
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same source is a native program, a target of libFuzzer and a Windows program. One input is a
 * sequence of calls with hostile arguments; after each, all memory is compared with what may be
 * there, and after the last the written pages with what was written.
 */

#ifndef WRITEWATCH_TESTS_FUZZ_H
#define WRITEWATCH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/nt.h"
#include "../common/page.h"
#include "../common/random.h"

#define PAGE ((size_t)page_bytes())

/* the memory: two watched areas, the second right behind the first, and one that is not watched */
enum { WATCHED, BESIDE, PLAIN, AREAS };
#define MAX_PAGES 64

/* what a page allows; GUARD may be anything */
enum access { NONE, READ, WRITE, GUARD };

/* MAYBE: a call may have written to the page, or reported it where that cannot be read */
enum written { NO, MAYBE, YES };

struct area
{
    char         *base;
    unsigned int  pages;
    int           watched;
    enum access   access[MAX_PAGES];
    enum written  written[MAX_PAGES];
    char          shadow[MAX_PAGES * MAX_PAGE];   /* what the memory holds */
};

extern struct area areas[AREAS];
extern char *freed;                   /* was watched and is free now, or NULL */
extern unsigned long fuzz_calls;      /* so many hostile calls so far, and how many succeeded */
extern unsigned long fuzz_successes;

/* Ends the program and says what was wrong. */
extern void fuzz_failed( const char *format, ... )
#ifdef __MINGW32__
    __attribute__((noreturn, format( gnu_printf, 1, 2 )));
#else
    __attribute__((noreturn, format( printf, 1, 2 )));
#endif

/* arena.c */
extern void arena_make(void);
extern void arena_begin(void);
extern void arena_guard(void);
extern void arena_compare( const char *what );
extern void arena_poll( const char *what );
extern struct area *arena_find( uintptr_t addr );
extern enum access arena_access( uintptr_t addr, uintptr_t size );
extern void arena_accept( uintptr_t addr, uintptr_t size, enum written written );
extern void arena_write( struct area *area, unsigned int page, unsigned int offset, char value );
extern void arena_change( unsigned int kind );

/* calls.c */
extern void fuzz_one( const unsigned char *data, size_t size );

/* threads_pe.c, threads_native.c: until time is up, threads that are suspended and ended at any
 * moment make such calls */
extern void threads_start( uint64_t seed );
extern void threads_check(void);
extern void threads_report(void);
extern void threads_exit( int status ) __attribute__((noreturn));

#endif /* WRITEWATCH_TESTS_FUZZ_H */
