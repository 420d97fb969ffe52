/*
 * Finds out whether Wine has write watches by the kernel of its own
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <link.h>
#include <string.h>

#include "module.h"
#include "next.h"
#include "preload.h"
#include "sys/kernel_api.h"

/* Wine from 10.7 on and Proton have watches by userfaultfd and PAGEMAP_SCAN. Their code is known by
 * the numbers of the two requests, which are immediate operands: names may have been stripped. */

static int has_number( const struct segment *segment, unsigned int number )
{
    return (segment->flags & PF_X) &&
           memmem( segment->start, segment->end - segment->start, &number, sizeof(number) );
}

/***********************************************************************
 *           has_kernel_watches
 *
 * Returns whether the code of a loaded ntdll.so has both requests.
 */
int has_kernel_watches( void *ntdll )
{
    void *function = old_dlsym( ntdll, "NtGetWriteWatch" );
    struct module module;
    int scans = 0, registers = 0;
    unsigned int i;

    if (!function || !find_module( function, &module )) return 0;
    for (i = 0; i < module.count; i++)
    {
        scans     |= has_number( &module.segments[i], PAGEMAP_SCAN );
        registers |= has_number( &module.segments[i], UFFDIO_REGISTER );
    }
    return scans && registers;
}
