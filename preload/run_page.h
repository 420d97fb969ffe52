/*
 * What the processes of one run of the runner know of each other, in a file that all map
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RUN_PAGE_H
#define WRITEWATCH_RUN_PAGE_H

#include <stdint.h>

#define RUN_MAGIC 0x6e755277u

/* The runner makes it if there is a log, and names it in WRITEWATCH_RUN. */
struct run_page
{
    uint32_t magic;
    uint32_t pid;             /* of the command */
    uint32_t headers;         /* written to the log: the first process that logs does it */
    uint32_t wine_processes;
    uint32_t not_active;      /* of these */
    uint32_t watching;        /* that have watched memory */
    char     command[232];    /* for the header */
};

#endif /* WRITEWATCH_RUN_PAGE_H */
