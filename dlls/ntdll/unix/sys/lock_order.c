/*
 * The order in which locks are taken, checked in debug builds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <sys/syscall.h>

#include "sys/lock_order.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

#ifdef WRITEWATCH_DEBUG

__thread unsigned int lock_order_held;

/***********************************************************************
 *           lock_order_violated
 *
 * The thread takes a lock although it holds this or a later one, or does not hold one that it must.
 */
UNINTERRUPTED void lock_order_violated( enum lock_rank rank, unsigned int held )
{
    char text[] = "writewatch: lock 0 with 000000000 held\n";
    unsigned int i;

    text[17] += rank;
    for (i = 0; i < 9; i++) text[24 + i] += held >> (8 - i) & 1;
    raw_syscall3( SYS_write, 2, (long)text, sizeof(text) - 1 );
    __builtin_trap();
}

#endif
