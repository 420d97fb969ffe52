/*
 * What begins when a process first watches memory: most of Wine's processes never do
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>

#include "preload.h"
#include "status.h"
#include "watch_lock.h"

static char active_line[360];
static uint64_t cost;

void set_active( const char *line, uint64_t fault_cost )
{
    snprintf( active_line, sizeof(active_line), "%s", line );
    cost = fault_cost;
}

void begin_watching(void)
{
    static int begun;
    struct status_page *page;

    if (begun++) return;
    if ((page = status_open())) page->fault_cost = cost;
    log_active( active_line, 1 );
}

void begin_child(void)
{
    status_in_child();
}
