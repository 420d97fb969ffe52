/*
 * Making memory ready for a system call that writes to it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "writewatch.h"

#include "native/failure.h"
#include "native/process.h"
#include "sys/page.h"
#include "sys/user_memory.h"

/***********************************************************************
 *           writewatch_prepare
 *
 * Touches the pages of a buffer as writes do, without changing them: backends that work by faults
 * then let the system call write, and a restore fills missing pages. Bytes; the buffer need neither
 * be aligned nor watched. All of its pages count as written. A query with reset between this and
 * the system call undoes it. By any thread, no lock. Errors: -EINVAL (it wraps around), -EFAULT (a
 * page cannot be written).
 */
static int touch_pages( void *addr, size_t size )
{
    uintptr_t start = (uintptr_t)addr, end = start + size, second;

    process_init();
    if (!size) return 0;
    if (end < start) return -EINVAL;
    if (user_probe_write( addr, 1, 0 )) return -EFAULT;
    second = round_down( start ) + page_size();
    if (second < start || end <= second) return 0;
    if (user_probe_write( (void *)second, ((end - 1 - second) >> page_shift) + 1, page_size() ))
        return -EFAULT;
    return 0;
}

int writewatch_prepare( void *addr, size_t size )
{
    return returned( __func__, touch_pages( addr, size ) );
}
