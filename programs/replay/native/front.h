/*
 * Declarations shared by the files of writewatch-replay that are not in its workers
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_FRONT_H
#define REPLAY_FRONT_H

#include "../plan.h"

enum { EXIT_SAME = 0, EXIT_DIFFERS = 1, EXIT_USAGE = 2 };

enum run_state
{
    RUN_DONE,
    RUN_SKIPPED,      /* what it needs is not available here */
    RUN_FAILED,
};

/* One replay of the record. */
struct run
{
    char           label[64];
    char           note[200];       /* the mechanism, or why it was not done */
    enum run_state state;
    unsigned int   bits;
    uint64_t       events, polls, skipped, pages, written, differ, failed;
    double         write_ns, poll_ns, other_ns;
};

struct front
{
    const char     *file;
    struct record   record;
    unsigned int    index;         /* of the process that is replayed */
    struct process *process;
    struct plan     plan;
    const char     *wine;
    unsigned int    bits;          /* of the Windows program; 0: as in the record */
    struct run      runs[8];
    unsigned int    count;
};

/* words.c */
extern void fail( int status, const char *format, ... )
    __attribute__((noreturn, format( printf, 2, 3 )));
extern char *join( const char *first, const char *second, const char *third );

/* find.c: paths of what belongs to this program; NULL: it is not there */
extern char *find_runner(void);
extern char *find_windows_program( unsigned int bits );

/* runs.c */
extern void run_native( struct front *front, const char *backend );
extern void run_all_backends( struct front *front );
extern void run_wine( struct front *front, int writewatch );

/* table.c */
extern void print_list( const struct front *front );
extern void print_plan( const struct front *front );
extern void print_runs( const struct front *front );

/* html.c */
extern void write_html( const struct front *front, const char *path );

#endif /* REPLAY_FRONT_H */
