/*
 * What the two halves of the engine share: changes in watch.c, queries in query.c
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_QUERY_H
#define WRITEWATCH_QUERY_H

#include "backend.h"

/* set by watch_open(), never changed after */
extern const struct watch_backend *active_backend;

#endif /* WRITEWATCH_QUERY_H */
