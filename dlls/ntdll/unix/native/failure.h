/*
 * Which call of this thread failed last, and how
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_FAILURE_H
#define WRITEWATCH_FAILURE_H

#include <sys/types.h>

/* Addresses and a number: a thread's last failure becomes a text when it asks for one. The error is
 * 0 where the last call has succeeded. */
struct failure
{
    const char *call;
    const char *detail;   /* a text that says more than the table; NULL */
    int         error;    /* as errno has it, positive */
};

extern __thread struct failure last_failure;

/* Notes the failure and returns the error, which is -errno. */
static inline int failed( const char *call, int error, const char *detail )
{
    last_failure.call   = call;
    last_failure.detail = detail;
    last_failure.error  = -error;
    return error;
}

/* What a public call ends with: return returned( __func__, ret ). A success costs one store. */
static inline ssize_t returned( const char *call, ssize_t ret )
{
    if (ret < 0) return failed( call, ret, NULL );
    last_failure.error = 0;
    return ret;
}

#endif /* WRITEWATCH_FAILURE_H */
