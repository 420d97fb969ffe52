/*
 * The status page: what a Wine process watches, in a file that other programs read
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_STATUS_PAGE_H
#define WRITEWATCH_STATUS_PAGE_H

#include <stdint.h>

#include "engine/counters.h"

/* One file for each process that has watched memory, named by its process id, in one of these
 * folders, which its owner alone can enter. The file stays when the process has ended, however it
 * did; the runner removes old ones. */
#define STATUS_FOLDERS     { "/dev/shm/writewatch-", "/tmp/writewatch-" }   /* and the user's id */

#define STATUS_MAGIC       "WWstatus"
#define STATUS_FORMAT      1
#define STATUS_SLOTS       512   /* regions above that are counted together */

/* The same in programs of each word size. The process writes the words that change; texts end in
 * zero and never change. */
struct status_page
{
    char                  magic[8];          /* STATUS_MAGIC without the zero; last to be written */
    uint32_t              format;
    uint32_t              word_size;         /* 4 or 8 */
    uint32_t              pid;
    uint32_t              in_place_of_wine;  /* whether Wine has kernel watches of its own */
    atomic_word           process_start;     /* field 22 of /proc/PID/stat */
    atomic_word           start_time;        /* of the page: CLOCK_REALTIME in ns */
    atomic_word           exit_time;         /* 0 unless the process has exited by itself */
    atomic_word           poll_time;         /* of GetWriteWatch and ResetWriteWatch, in ns */
    atomic_word           fault_cost;        /* of one fault of stock Wine, in ns, as measured */
                                             /* when the process began; both 0: not measured */
    char                  program[64];
    char                  version[24];       /* of writewatch */
    char                  wine[64];
    char                  backend[32];
    char                  mechanism[128];
    char                  form_reason[160];  /* why an earlier form is not used; or empty */
    struct watch_counters counters;          /* with STATUS_SLOTS slots */
};

#define STATUS_SIZE (sizeof(struct status_page) + STATUS_SLOTS * sizeof(struct region_counters))

#endif /* WRITEWATCH_STATUS_PAGE_H */
