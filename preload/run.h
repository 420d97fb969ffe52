/*
 * The run that this process belongs to
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RUN_H
#define WRITEWATCH_RUN_H

#include "run_page.h"

/* The page of the run, or NULL if the runner made none. Mapped at the first call, for good. */
extern struct run_page *run_page(void);

/* Counts one more; returns how many there were before, 0 without a page. */
#define run_count( counter ) \
    (run_page() ? __atomic_fetch_add( &run_page()->counter, 1, __ATOMIC_RELAXED ) : 0)

#endif /* WRITEWATCH_RUN_H */
