/*
 * What is logged when a process exits by itself
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_REPORT_H
#define WRITEWATCH_REPORT_H

#include <stdint.h>

/* set if the user wants counts: then the time of polls is measured, too */
extern int polls_are_timed;

/* ns of a clock, and what has passed since goes to the status page */
extern uint64_t poll_clock(void);
extern void add_poll_time( uint64_t start );

#endif /* WRITEWATCH_REPORT_H */
