/*
 * Nothing suspends or ends threads from outside natively
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"

void threads_start( uint64_t seed )
{
    (void)seed;
}

void threads_check(void)
{
}

void threads_report(void)
{
}

void threads_exit( int status )
{
    exit( status );
}
