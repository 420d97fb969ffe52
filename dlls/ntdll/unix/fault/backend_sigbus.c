/*
 * Write tracking by userfaultfd write-protection and SIGBUS, Linux 5.7 and later
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "engine/backend.h"
#include "engine/selftest.h"
#include "fault/backends.h"
#include "fault/fault.h"
#include "fault/own_memory.h"
#include "fault/userfault.h"
#include "sys/advise.h"
#include "sys/kernel_api.h"

/* A signal delivers a fault to the thread that raised it, so no thread has to be woken. Mappings
 * are never split, and the program's mprotect() keeps the write-protection. System calls that write
 * to a protected page fail with EFAULT. Before Linux 6.4 so do those that read a page that was
 * never touched. */
static struct userfault sigbus = { .fd = -1 };

static void sigbus_close(void)
{
    userfault_close( &sigbus );
}

static int sigbus_open( char *reason, size_t len )
{
    int ret;

    if ((ret = userfault_open( &sigbus, UFFD_USER_MODE_ONLY, UFFD_FEATURE_SIGBUS, reason, len )))
        return ret;
    if ((ret = fault_handler_install()))
        snprintf( reason, len, "no handler can be installed: %s", strerror( -ret ));
    else ret = selftest_faults( &sigbus_backend, reason, len );
    if (ret) sigbus_close();
    return ret;
}

static int sigbus_reopen(void)
{
    return userfault_reopen( &sigbus );
}

static int sigbus_reattach( struct watch_region *region )
{
    return userfault_reattach( &sigbus, region );
}

static int sigbus_attach( struct watch_region *region )
{
    int ret = own_memory_check( region );

    return ret ? ret : userfault_attach( &sigbus, region );
}

static void sigbus_detach( struct watch_region *region, uintptr_t start, uintptr_t end,
                       enum detach_reason reason )
{
    (void)reason;
    userfault_detach( &sigbus, region, start, end );
}

static int sigbus_arm( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    (void)region;
    return userfault_arm( &sigbus, start, end );
}

static int sigbus_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                           enum discard_reason reason )
{
    (void)reason;
    return userfault_discard( &sigbus, region, start, end );
}

static int sigbus_verify( struct watch_region *region )
{
    return userfault_verify( &sigbus, region );
}

static int sigbus_fault( struct watch_region *region, uintptr_t start, uintptr_t end,
                         unsigned int flags )
{
    return userfault_fault( &sigbus, region, start, end, flags );
}

static unsigned int sigbus_capabilities( const struct watch_region *region, int anonymous )
{
    return userfault_capabilities( &sigbus, region, anonymous );
}

static int sigbus_check(void)
{
    int ret = userfault_check( &sigbus );

    return ret ? ret : fault_handler_check( SIGBUS );
}

const struct watch_backend sigbus_backend =
{
    .name             = "sigbus",
    .mechanism        = "userfaultfd write-protection with SIGBUS",
    .automatic        = 1,
    .open             = sigbus_open,
    .reopen           = sigbus_reopen,
    .reattach         = sigbus_reattach,
    .close            = sigbus_close,
    .attach           = sigbus_attach,
    .detach           = sigbus_detach,
    .free_locks       = fault_free_locks,
    .collect_written  = fault_collect_nothing,
    .arm              = sigbus_arm,
    .max_marked_pages = MAX_ARMED_PAGES,
    .discard          = sigbus_discard,
    .mlock_pages      = mlock_pages,
    .verify           = sigbus_verify,
    .capabilities     = sigbus_capabilities,
    .signal           = SIGBUS,
    .fault            = sigbus_fault,
    .hold             = fault_hold,
    .release          = fault_release,
    .look             = userfault_look,
    .check            = sigbus_check,
};
