/*
 * Recordings: snapshots in a text file
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_RECORDING_H
#define WRITEWATCH_TOP_RECORDING_H

#include <stdio.h>

#include "snapshot.h"

/* The first line of the file. What follows is described in writewatch-top(1). */
#define RECORDING_MAGIC "writewatch-top recording 1"

/* Both return 0 or -errno. A sample is written as a whole or not at all, as far as the file system
 * allows. */
extern int record_begin( FILE *file, const struct process_view *process );
extern int record_sample( FILE *file, const struct snapshot *snapshot );
extern int record_end( FILE *file );   /* the process has ended */

#endif /* WRITEWATCH_TOP_RECORDING_H */
