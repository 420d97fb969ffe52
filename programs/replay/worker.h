/*
 * One replay, in a process of its own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_WORKER_H
#define REPLAY_WORKER_H

/* the exit statuses of a worker besides 0 */
enum { WORKER_FAILED = 1, WORKER_UNAVAILABLE = 77 };

/* Replays the process with that index in the record on standard input, and prints one line: words
 * NAME=NUMBER, and at the end mechanism=TEXT; or unavailable: REASON. */
extern int worker_main( unsigned int index );

#endif /* REPLAY_WORKER_H */
