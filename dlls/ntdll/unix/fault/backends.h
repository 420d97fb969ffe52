/*
 * The backends that serve faults
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_BACKENDS_H
#define WRITEWATCH_BACKENDS_H

struct watch_backend;

extern const struct watch_backend sigbus_backend;
extern const struct watch_backend mprotect_backend;
extern const struct watch_backend thread_backend;
extern const struct watch_backend softdirty_backend;

/* for tests: if not 0, mprotect takes this for vm.max_map_count when it is opened */
extern long mprotect_map_limit;

#endif /* WRITEWATCH_BACKENDS_H */
