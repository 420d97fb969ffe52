/*
 * Opening, identity and closing of a userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault/userfault.h"
#include "fault/userfault_calls.h"
#include "sys/descriptor.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/pagemap.h"

int userfault_old_kernel;
const char *userfault_zero_page;

static int pagemap = -1;       /* /proc/self/pagemap */
static struct descriptor_id pagemap_id;

static int open_fd( unsigned int flags )
{
    int fd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | flags );

    /* before 5.11 there is only the form that serves faults of the kernel too */
    if (fd == -1 && errno == EINVAL && flags)
        fd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK );
    return fd;
}

/* Negotiates features. The kernel reports which ones it has only through a userfaultfd that is of
 * no use afterwards. */
static int negotiate( int fd, uint64_t *features )
{
    struct uffdio_api api;

    memset( &api, 0, sizeof(api) );
    api.api      = UFFD_API;
    api.features = *features;
    if (ioctl( fd, UFFDIO_API, &api )) return -errno;
    *features = api.features;
    return 0;
}

static void *map_page(void)
{
    void *page = mmap( NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    return page == MAP_FAILED ? NULL : page;
}

static int open_pagemap(void)
{
    return pagemap == -1 ? pagemap_open( &pagemap, &pagemap_id ) : 0;
}

long userfault_read_pagemap( uintptr_t start, size_t count, uint64_t *entries )
{
    int ret;

    if (descriptor_check( pagemap, &pagemap_id )) return 0;
    ret = pagemap_read( pagemap, start, count, entries );
    return ret < 0 ? 0 : ret;
}

/***********************************************************************
 *           identify
 *
 * Notes what the descriptor is. Before Linux 5.12 fstat() shows one inode for all files of this
 * kind, eventfds among them.
 */
static int identify( struct userfault *uf )
{
    struct descriptor_id other = { 0, 0 };
    int ret = descriptor_identify( uf->fd, &uf->id ), fd;

    if (ret) return ret;
    if ((fd = eventfd( 0, EFD_CLOEXEC )) == -1) return -errno;
    descriptor_identify( fd, &other );
    close( fd );
    uf->shared_id = other.inode == uf->id.inode || userfault_old_kernel;
    if (!uf->shared_id) return 0;

    if (!uf->canary && !(uf->canary = map_page())) return -ENOMEM;
    /* before 6.4 only a page that is present can be protected */
    (void)*(volatile char *)uf->canary;
    return register_pages( uf, (uintptr_t)uf->canary, page_size(), UFFDIO_REGISTER_MODE_WP );
}

int userfault_open( struct userfault *uf, unsigned int flags, uint64_t feature, char *reason,
                    size_t len )
{
    uint64_t wanted = UFFD_FEATURE_PAGEFAULT_FLAG_WP | feature, features = 0;
    int ret = 0;

    uf->flags   = flags;
    uf->feature = feature;
    if ((uf->fd = open_fd( flags )) == -1)
    {
        ret = -errno;
        snprintf( reason, len, "userfaultfd refused: %s%s", strerror( -ret ),
                  ret == -EPERM ? " (a sandbox forbids it)" :
                  ret == -ENOSYS ? " (the kernel was built without it)" : "" );
        return ret;
    }
    if (!(ret = negotiate( uf->fd, &features )) && (features & wanted) != wanted)
    {
        snprintf( reason, len,
                  "userfaultfd cannot write-protect here (Linux 5.7 or later is needed)" );
        ret = -EOPNOTSUPP;
        goto failed;
    }
    close( uf->fd );
    if (!ret && (uf->fd = open_fd( flags )) == -1) ret = -errno;

    /* shared memory from 5.19 on, missing pages from 6.4 on */
    wanted |= features & (UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_WP_UNPOPULATED);
    if (userfault_old_kernel) wanted &= ~(uint64_t)UFFD_FEATURE_WP_UNPOPULATED;
    uf->missing = !(wanted & UFFD_FEATURE_WP_UNPOPULATED);
    if (!ret) ret = negotiate( uf->fd, &wanted );
    if (ret)
    {
        snprintf( reason, len, "userfaultfd cannot be opened: %s", strerror( -ret ));
        goto failed;
    }

    uf->fd = descriptor_raise( uf->fd );
    if ((ret = open_pagemap()))
        snprintf( reason, len, "cannot open /proc/self/pagemap: %s", strerror( -ret ));
    else
    {
        if (!userfault_zero_page && !(userfault_zero_page = map_page())) ret = -ENOMEM;
        else ret = identify( uf );
        if (ret) snprintf( reason, len, "userfaultfd cannot be used: %s", strerror( -ret ));
    }
    if (!ret) return 0;

failed:
    userfault_close( uf );
    return ret;
}

void userfault_close( struct userfault *uf )
{
    if (uf->fd == -1) return;
    if (uf->id.inode) descriptor_close( &uf->fd, &uf->id );
    else close( uf->fd );
    uf->fd = -1;
    uf->id.inode = 0;
}

/***********************************************************************
 *           userfault_check
 *
 * Where other files have the same id, this protects a page to find out: only a userfaultfd can do
 * that, and only the one that watches the page. The kernel answers EAGAIN while the program unmaps
 * watched memory and waits for the backend's thread to read the message.
 */
int userfault_check( struct userfault *uf )
{
    int ret = descriptor_check( uf->fd, &uf->id );

    if (ret || !uf->shared_id) return ret;
    ret = protect_pages( uf, (uintptr_t)uf->canary, page_size(), 1 );
    return ret == -EAGAIN ? 0 : ret;
}

int userfault_reopen( struct userfault *uf )
{
    char reason[160];

    descriptor_close( &pagemap, &pagemap_id );
    userfault_close( uf );
    return userfault_open( uf, uf->flags, uf->feature, reason, sizeof(reason) );
}
