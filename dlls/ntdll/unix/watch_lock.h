/*
 * The lock of those who change what is watched
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WATCH_LOCK_H
#define WRITEWATCH_WATCH_LOCK_H

#include <signal.h>

extern void lock_regions( sigset_t *sigset );
extern void unlock_regions( const sigset_t *sigset );

#endif /* WRITEWATCH_WATCH_LOCK_H */
