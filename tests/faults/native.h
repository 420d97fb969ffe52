/*
 * fault injection in native programs: what the process that runs the cases shares with its children
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef NATIVE_H
#define NATIVE_H

#include "kinds.h"

#define MAX_PHASES 24

/* What a child reports, and how far it has come. */
struct shared
{
    char         outcome[512];
    char         phase[16];
    int          wrong;
    int          done;
    int          refused;
    unsigned int phases;
    char         names[MAX_PHASES][16];
    long         counts[MAX_PHASES][KIND_COUNT];
};

struct fault_case
{
    const char  *backend;
    unsigned int phase;
    unsigned int kind;
    unsigned int err;
    long         first;
    const char  *mode;
};

extern struct shared *shared;
extern const struct fault_case *current;   /* NULL while calls are counted */
extern char file_name[];                   /* 64 pages with something in each */

extern long ask( const char *format, ... ) __attribute__((format( printf, 1, 2 )));
extern void go_through_phases( const char *backend ) __attribute__((noreturn));

#endif /* NATIVE_H */
