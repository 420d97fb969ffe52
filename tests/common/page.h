/*
 * The size of a page, which is the step of reported addresses, and the end of addresses
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TESTS_PAGE_H
#define WRITEWATCH_TESTS_PAGE_H

/* Windows has pages of 4 KiB; natively they are the kernel's (row 35). */
#define MAX_PAGE 65536

#ifdef _WIN32
#define page_bytes() 0x1000
/* of 32-bit programs that do not say that they know of more */
#define address_limit() (sizeof(void *) == 8 ? 0x7fffffff0000ull : 0x7fff0000ull)
#else
#include <stdint.h>
#include <sys/auxv.h>
#include <unistd.h>

static inline int page_bytes(void)
{
    static int bytes;

    if (!bytes) bytes = sysconf( _SC_PAGESIZE );
    return bytes;
}

/* 64 KiB below the end of all addresses, of which the first stack has the last ones */
static inline uintptr_t address_limit(void)
{
    return ((uintptr_t)2 << (8 * sizeof(long) - 1 - __builtin_clzl( getauxval( AT_RANDOM )))) - 0x10000;
}
#endif

#endif /* WRITEWATCH_TESTS_PAGE_H */
