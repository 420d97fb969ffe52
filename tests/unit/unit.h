/*
 * What native unit tests share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_H
#define WRITEWATCH_UNIT_H

#include <stdio.h>
#include <stdlib.h>

#define PASS 0
#define FAIL 1
#define SKIP 77

static int unit_failures;

/* goes on after a failure, so that one run shows all */
#define check( expr ) \
    do \
    { \
        if (expr) break; \
        unit_failures++; \
        fprintf( stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #expr ); \
    } while (0)

static inline int unit_result(void)
{
    return unit_failures ? FAIL : PASS;
}

#endif /* WRITEWATCH_UNIT_H */
