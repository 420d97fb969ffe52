/*
 * What a replay needs of the system: Windows' calls, the time
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPLAY_PLATFORM_H
#define REPLAY_PLATFORM_H

#ifdef _WIN32
#include <windows.h>
#else
#include <writewatch.h>
#endif
#include <stddef.h>
#include <stdint.h>

/* Opens what is to be measured. Returns 0, or -1 and why it cannot be used here. */
extern int platform_open( char *reason, size_t len );

/* what polls are answered by, for people */
extern const char *platform_mechanism(void);

/* the time in nanoseconds */
extern uint64_t platform_now(void);

/* makes standard input one of bytes, without conversions */
extern void platform_binary_input(void);

#endif /* REPLAY_PLATFORM_H */
