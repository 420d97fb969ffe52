/*
 * What the change lock of a Wine process asks of its host
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WATCH_LOCK_H
#define WRITEWATCH_WATCH_LOCK_H

/* In a child by fork(), with the lock held and one thread: makes what the host has its own. */
extern void begin_child(void);

#endif /* WRITEWATCH_WATCH_LOCK_H */
