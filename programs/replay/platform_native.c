/*
 * What a replay needs of the system: a native program, over libwritewatch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <time.h>

#include "platform.h"

int platform_open( char *reason, size_t len )
{
    if (!writewatch_open( NULL )) return 0;
    snprintf( reason, len, "%s", writewatch_reason() );
    return -1;
}

const char *platform_mechanism(void)
{
    return writewatch_mechanism();
}

uint64_t platform_now(void)
{
    struct timespec now;

    clock_gettime( CLOCK_MONOTONIC, &now );
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

void platform_binary_input(void)
{
}
