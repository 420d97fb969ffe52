/*
 * The scan backend: userfaultfd WP_ASYNC and PAGEMAP_SCAN, in two forms
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_SCAN_H
#define WRITEWATCH_SCAN_H

struct watch_backend;

extern const struct watch_backend scan_backend;          /* unmarked */
extern const struct watch_backend scan_marked_backend;

#endif /* WRITEWATCH_SCAN_H */
