/*
 * Interfaces of the kernel that the installed headers may be too old to declare
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_KERNEL_API_H
#define WRITEWATCH_KERNEL_API_H

#include <stdint.h>
#include <linux/fs.h>
#include <linux/types.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

/* linux/fs.h, from 6.7 on */
#ifndef PAGEMAP_SCAN
#define PAGEMAP_SCAN _IOWR( 'f', 16, struct pm_scan_arg )

#define PAGE_IS_WPALLOWED     (1 << 0)
#define PAGE_IS_WRITTEN       (1 << 1)
#define PAGE_IS_FILE          (1 << 2)
#define PAGE_IS_PRESENT       (1 << 3)
#define PAGE_IS_SWAPPED       (1 << 4)
#define PAGE_IS_PFNZERO       (1 << 5)
#define PAGE_IS_HUGE          (1 << 6)

#define PM_SCAN_WP_MATCHING   (1 << 0)
#define PM_SCAN_CHECK_WPASYNC (1 << 1)

struct page_region
{
    __u64 start;
    __u64 end;
    __u64 categories;
};

struct pm_scan_arg
{
    __u64 size;
    __u64 flags;
    __u64 start;
    __u64 end;
    __u64 walk_end;
    __u64 vec;
    __u64 vec_len;
    __u64 max_pages;
    __u64 category_inverted;
    __u64 category_mask;
    __u64 category_anyof_mask;
    __u64 return_mask;
};
#endif

/* linux/userfaultfd.h */
#ifndef UFFD_USER_MODE_ONLY                /* from 5.11 on */
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM    /* from 5.19 on */
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED        /* from 6.4 on */
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFDIO_POISON                      /* from 6.6 on */
#define UFFDIO_POISON _IOWR( UFFDIO, 0x08, struct uffdio_poison )

struct uffdio_poison
{
    struct uffdio_range range;
    __u64 mode;
    __s64 updated;
};
#endif
#ifndef UFFD_FEATURE_WP_ASYNC              /* from 6.7 on */
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

/* asm-generic/mman-common.h */
#ifndef MADV_WIPEONFORK                    /* from 4.14 on */
#define MADV_WIPEONFORK 18
#endif
#ifndef MAP_FIXED_NOREPLACE                /* from 4.17 on; ignored before */
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_POPULATE_READ                 /* from 5.14 on */
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_DONTNEED_LOCKED               /* from 5.18 on */
#define MADV_DONTNEED_LOCKED 24
#endif

#endif /* WRITEWATCH_KERNEL_API_H */
