/*
 * writewatch-top: which pages a process writes, seen from outside
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_H
#define WRITEWATCH_TOP_H

#include <stdint.h>
#include <stdio.h>

#include "source.h"

#define MAX_PROCESSES 256   /* that are listed */

struct options
{
    const char *what;       /* the process: its id or name; or NULL */
    const char *record;     /* names of files, or NULL */
    const char *replay;
    const char *svg;
    const char *png;
    double      interval;   /* in seconds */
    double      seconds;    /* how long to look; 0: until the end */
    int         once;
    int         json;
};

struct candidate
{
    uint32_t pid;
    char     program[64];
    uint64_t regions;
    uint64_t bytes;
};

/* Prints a sentence on standard error. */
extern void complain( const char *format, ... ) __attribute__((format( printf, 1, 2 )));

/* The living processes that are meant, at most MAX_PROCESSES. Returns how many; if there is none, a
 * sentence has been printed. */
extern unsigned int find_processes( const char *what, struct candidate *candidates );

/* set when a signal asks the program to end */
extern volatile int end_signal;

/* Each returns the exit status. What --once prints comes behind the separator. */
extern int run_batch( const struct options *options, struct source *source,
                      const char *separator );
extern int run_screen( const struct options *options, const struct candidate *candidates,
                       unsigned int count );

#endif /* WRITEWATCH_TOP_H */
