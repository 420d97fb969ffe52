/*
 * Another process that is looked at
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PROCESS_OBJECT_H
#define WRITEWATCH_PROCESS_OBJECT_H

#include <stdint.h>

#include "sys/descriptor.h"

/* All but the first lead to the memory that the process had when it was opened, for ever. */
enum process_file
{
    PROCESS_PIDFD,
    PROCESS_PAGEMAP,
    PROCESS_MAPS,
    PROCESS_SMAPS,
    PROCESS_FILES
};

struct writewatch_process
{
    uint32_t             pid;
    int                  can_scan;   /* whether the kernel has PAGEMAP_SCAN */
    int                  fds[PROCESS_FILES];
    struct descriptor_id ids[PROCESS_FILES];
};

/* for tests: behave as on a kernel before 6.7, without PAGEMAP_SCAN */
extern int process_old_kernel;

/* Before and after the descriptors are used: whether they still are what was opened, and whether
 * the process has the same memory. What was read in between counts only then. Returns 0, -EBADF
 * (the program has closed a descriptor), -ESRCH (it has ended), -ESTALE (it has executed another
 * program). */
extern int process_check( const struct writewatch_process *process );

struct maps_reader;

/* begins to read maps or smaps anew; the reader is not closed */
extern int process_read_maps( const struct writewatch_process *process, enum process_file file,
                              struct maps_reader *reader );

#endif /* WRITEWATCH_PROCESS_OBJECT_H */
