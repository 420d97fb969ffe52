/*
 * Reads the status pages of other processes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_STATUS_READER_H
#define WRITEWATCH_STATUS_READER_H

#include <stdint.h>

#include "preload/status_page.h"

/* Pages of the user's own processes only. Nothing in a file is trusted: a process that runs wild
 * may have written anything. */

enum status_result
{
    STATUS_OK,
    STATUS_NO_PAGE,         /* the process has made none, or it was removed */
    STATUS_NOT_OURS,        /* another user's file */
    STATUS_DAMAGED,         /* not what such a page can be */
    STATUS_OTHER_FORMAT,    /* of another version of writewatch */
    STATUS_FAILED,          /* errno says why */
};

/* a page, mapped read-only */
struct status_file
{
    uint32_t                  pid;
    int                       fd;
    const struct status_page *page;
    uint64_t                  process_start;   /* as in the page */
    char                      path[64];
};

/* What a page said at one moment: each word is right, several may be of neighbouring moments. Texts
 * end in zero and have no control characters. */
struct status_info
{
    uint32_t               pid;
    uint32_t               word_size;          /* 4 or 8 */
    uint32_t               in_place_of_wine;
    uint64_t               process_start;
    uint64_t               start_time;         /* as in the page */
    uint64_t               exit_time;
    uint64_t               poll_time;
    uint64_t               fault_cost;
    char                   program[64];
    char                   version[24];
    char                   wine[64];
    char                   backend[32];
    char                   mechanism[128];
    char                   form_reason[160];
    uint64_t               regions_ever;
    uint64_t               regions;            /* that exist now */
    uint64_t               bytes;
    uint64_t               most_bytes;
    struct region_counters total;              /* of all regions; base, size and shift are 0 */
    struct region_counters others;             /* of regions without a slot, and of those gone */
    unsigned int           count;              /* of slots that have a region: may be fewer than */
                                               /* there are regions */
    struct region_counters slots[STATUS_SLOTS];   /* these first, in the order of their bases */
};

/* The ids of the processes that have a page, in ascending order, to be freed. Returns how many, or
 * -errno. Processes that have ended are among them. */
extern int status_list( uint32_t **pids );

/* Maps the page of a process; of a living one, if there are two. */
extern enum status_result status_open( uint32_t pid, struct status_file *file );
extern void status_close( struct status_file *file );

/* Copies what the page says. */
extern enum status_result status_read( const struct status_file *file, struct status_info *info );

/* Whether the process that made the page still runs: its id may be another process's by now. */
extern int status_is_alive( const struct status_file *file );

/* Whether a process is meant by WHAT: its id, or the name of its program, in any case and with or
 * without .exe. */
extern int status_is_meant( const struct status_info *info, const char *what );

/* why there is no page, as the end of a sentence */
extern const char *status_reason( enum status_result result );

#endif /* WRITEWATCH_STATUS_READER_H */
