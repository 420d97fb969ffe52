/*
 * Children by fork()
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_FORK_H
#define WRITEWATCH_FORK_H

/* Makes the C library call us around each fork(). Returns 0 or -errno. Must be called while there
 * is one thread, or under a lock; further calls do nothing. */
extern int fork_register(void);

/* The same, and makes the kernel identify children that are made without the C library (clone(),
 * syscall( SYS_fork )), where it can do that. */
extern int fork_open(void);

/* For the fault handler, before it looks at anything: in a child that is not ready yet, turns the
 * inherited watches into watches of this process. */
extern void fork_before_fault(void);

/* why some memory cannot be watched in a child; "" if there is no such reason */
extern const char *fork_notice(void);

#endif /* WRITEWATCH_FORK_H */
