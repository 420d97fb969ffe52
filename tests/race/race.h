/*
 * Race test: what the pollers keep account of, and the threads that disturb them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RACE_H
#define WRITEWATCH_RACE_H

#include "../common/page.h"
#include "../common/random.h"
#include "../common/system.h"
#include "../common/threads.h"
#include "platform.h"

/* A write to a page is counted in began, stored in the page as its number, and counted in done, in
 * that order. Several threads may write to one page. A poller looks at done before each call and at
 * the page after it:
 *
 *  - lost: a page was not reported, and more writes to it were done before the call than the page
 *    showed when it was last reported. So one of them was made after that report had been handed
 *    over and before this call, and neither reported it.
 *  - false: a page was reported, and all writes to it that have begun by now were done before the
 *    call began that reported it before.
 *
 * Writes at the time of a call may be reported by it or by the next one. Of a call that filled its
 * array only what lies before the last reported page is judged by the first rule. Where several
 * pollers ask at the same time, the first rule waits until they have taken note, and the second one
 * leaves out pages that another one took note of since this call began. */

#define PAGE          page_bytes()
#define MAX_PAGES     8192
#define MAX_WRITERS   8
#define MAX_POLLERS   3
#define DISTURBED     64      /* the last pages: decommitted and protected all the time */

enum kind
{
    OWN,          /* written by one thread */
    SHARED,       /* by all of them */
    UNWRITTEN,    /* by none, but for the start of a round */
    CHANGING,     /* written by the thread that decommits and protects them */
};

struct round
{
    char        *base;
    unsigned int pages, writers, pollers;
    int          full;        /* all pages are written at first */
    int          sequential;  /* writers go from page to page */
    int          paced;       /* writers rest now and then */
    int          stopping;
    unsigned int number;      /* for messages */
    uint64_t     seed;
};

extern struct round current;

struct counts
{
    uint64_t writes, kernel_writes, calls, full_arrays, reports, lost, falsely;
    uint64_t decommits, protections;
    uint64_t page_outs;
};

extern struct counts counts;
extern unsigned int failures;

#define load( ptr )         __atomic_load_n( ptr, __ATOMIC_ACQUIRE )
#define store( ptr, value ) __atomic_store_n( ptr, value, __ATOMIC_RELEASE )
#define add( ptr, value )   __atomic_fetch_add( ptr, value, __ATOMIC_SEQ_CST )

extern void failed( const char *format, ... ) __attribute__((format(printf, 1, 2)));

/* account.c */
extern enum kind page_kind( unsigned int page );
extern volatile uint32_t *page_content( unsigned int page );
extern void account_clear(void);
extern void account_write( unsigned int page );
extern int account_kernel_write( unsigned int page, int to_process );
extern unsigned int account_call( unsigned int poller, unsigned int first, unsigned int last,
                                  int reset, unsigned int size, unsigned int *count );
extern void account_end(void);

/* threads.c; the argument is the number of the thread */
extern void writer_thread( void *arg );
extern void poller_thread( void *arg );
extern void changing_thread( void *arg );
extern void paging_thread( void *arg );
extern void hog_thread( void *arg );

#endif /* WRITEWATCH_RACE_H */
