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
    uint32_t ended;           /* the end was logged: the command does so if it exits by itself, */
                              /* otherwise a process that waits for its end */
    char     command[228];    /* for the header */
};

/* what is logged at the end; empty if processes say more */
static inline const char *run_summary( const struct run_page *page )
{
    if (!page->wine_processes) return "no Wine process was started";
    if (page->watching || page->not_active == page->wine_processes) return "";
    return "no Wine process has watched memory, so there is nothing to gain";
}

#endif /* WRITEWATCH_RUN_PAGE_H */
