/*
 * The status page of this process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_STATUS_H
#define WRITEWATCH_STATUS_H

#include "status_page.h"

/* Makes the page, before the first region; under the change lock. Where no file can be made, the
 * page is memory that other programs do not see. NULL if there is no memory either. */
extern struct status_page *status_open(void);

/* the page, or NULL; in a child by fork(), what the parent had counted and the child has since */
extern struct status_page *status_page(void);

/* In a child by fork(), with the locks of lock_for_fork(): the page becomes its own memory, and the
 * file stays the parent's. */
extern void status_in_child(void);

#endif /* WRITEWATCH_STATUS_H */
