/*
 * The calls of userfaultfd, and the pagemap and the page of zeros that go with them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_USERFAULT_CALLS_H
#define WRITEWATCH_USERFAULT_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "fault/userfault.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"

/* Each is one call of the kernel and returns 0 or -errno. Any thread, no lock, any signals. */

static inline int register_pages( struct userfault *uf, uintptr_t start, size_t size,
                                  uint64_t mode )
{
    struct uffdio_register arg = { .range = { .start = start, .len = size }, .mode = mode };

    return raw_syscall3( SYS_ioctl, uf->fd, UFFDIO_REGISTER, (uintptr_t)&arg );
}

static inline int wake_threads( struct userfault *uf, uintptr_t start, size_t size )
{
    struct uffdio_range range = { .start = start, .len = size };

    return raw_syscall3( SYS_ioctl, uf->fd, UFFDIO_WAKE, (uintptr_t)&range );
}

/* Protects (UFFDIO_WRITEPROTECT_MODE_WP) or opens pages. The kernel wakes the threads that wait for
 * pages that are opened, unless mode is UFFDIO_WRITEPROTECT_MODE_DONTWAKE. */
static inline int change_protection( struct userfault *uf, uintptr_t start, size_t size,
                                     uint64_t mode )
{
    struct uffdio_writeprotect arg = { .range = { .start = start, .len = size }, .mode = mode };

    return raw_syscall3( SYS_ioctl, uf->fd, UFFDIO_WRITEPROTECT, (uintptr_t)&arg );
}

/* protects or opens pages of one mapping, and wakes no thread */
static inline int protect_pages( struct userfault *uf, uintptr_t start, size_t size, int protect )
{
    return change_protection( uf, start, size, protect ? UFFDIO_WRITEPROTECT_MODE_WP
                                                       : UFFDIO_WRITEPROTECT_MODE_DONTWAKE );
}

/* a page of zeros, mapped once any userfaultfd is open */
extern const char *userfault_zero_page;

/* fills a missing page with zeros that are write-protected */
static inline int fill_protected( struct userfault *uf, uintptr_t start )
{
    struct uffdio_copy copy = { .dst = start, .src = (uintptr_t)userfault_zero_page,
                                .len = page_size(),
                                .mode = UFFDIO_COPY_MODE_WP | UFFDIO_COPY_MODE_DONTWAKE };

    return raw_syscall3( SYS_ioctl, uf->fd, UFFDIO_COPY, (uintptr_t)&copy );
}

/* fills a missing page with zeros for a write */
static inline int fill_open( struct userfault *uf, uintptr_t start )
{
    struct uffdio_zeropage zero = { .range = { .start = start, .len = page_size() },
                                    .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE };

    return raw_syscall3( SYS_ioctl, uf->fd, UFFDIO_ZEROPAGE, (uintptr_t)&zero );
}

/* Reads entries of /proc/self/pagemap, one a page. Returns how many; 0 on failure. */
extern long userfault_read_pagemap( uintptr_t start, size_t count, uint64_t *entries );

#endif /* WRITEWATCH_USERFAULT_CALLS_H */
