/*
 * Write tracking by userfaultfd WP_ASYNC and the PAGEMAP_SCAN ioctl, Linux 6.7 and later
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/huge_pages.h"
#include "engine/selftest.h"
#include "scan/ask.h"
#include "scan/noted_run.h"
#include "scan/scan.h"
#include "sys/advise.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/unregister.h"

#define MAX_FILL_TRIES 10000

static int register_range( uintptr_t start, uintptr_t end, unsigned int mode )
{
    struct uffdio_register reg;

    memset( &reg, 0, sizeof(reg) );
    reg.range.start = start;
    reg.range.len   = end - start;
    reg.mode        = mode;
    return ioctl( scan_uffd, UFFDIO_REGISTER, &reg ) ? -errno : 0;
}

/***********************************************************************
 *           scan_detach
 *
 * What the kernel knows of a mapping goes away with the mapping. If it stays, unregistering removes
 * the protection and wakes threads that wait for a missing page. Transparent huge pages remain
 * ruled out.
 */
static void scan_detach( struct watch_region *region, uintptr_t start, uintptr_t end,
                         enum detach_reason reason )
{
    if (reason == DETACH_UNMAP) return;
    unregister_own( scan_uffd, start, end, (size_t)1 << region->shift );
}

/***********************************************************************
 *           protect_range
 *
 * Protects pages, whether present or missing. Works in pieces, as the kernel holds mmap_lock for
 * each.
 */
static int protect_range( uintptr_t start, uintptr_t end )
{
    const size_t piece = (size_t)1 << 30;
    struct uffdio_writeprotect wp;

    for (; start < end; start += wp.range.len)
    {
        wp.range.start = start;
        wp.range.len   = end - start < piece ? end - start : piece;
        wp.mode        = UFFDIO_WRITEPROTECT_MODE_WP;
        if (ioctl( scan_uffd, UFFDIO_WRITEPROTECT, &wp )) return -errno;
    }
    return 0;
}

/***********************************************************************
 *           split_huge_pages
 *
 * Splits transparent huge pages, which otherwise would be protected, and written, as a whole.
 * Protecting a part of one splits it; MADV_NOHUGEPAGE only keeps new ones away.
 */
static int split_huge_pages( uintptr_t start, uintptr_t end )
{
    const uintptr_t huge_size = page_size() * (page_size() / 8);
    struct page_run runs[64];
    struct pm_scan_arg arg;
    long i, count;
    int ret;

    while (start < end)
    {
        memset( &arg, 0, sizeof(arg) );
        arg.size          = sizeof(arg);
        arg.start         = start;
        arg.end           = end;
        arg.vec           = (uintptr_t)runs;
        arg.vec_len       = 64;
        arg.category_mask = PAGE_IS_HUGE;
        if ((count = ioctl( scan_pagemap, PAGEMAP_SCAN, &arg )) < 0) return -errno;
        if (arg.walk_end <= start) return -EIO;

        for (i = 0; i < count; i++)
            for (; runs[i].start < runs[i].end; runs[i].start += huge_size)
                if ((ret = protect_range( runs[i].start, runs[i].start + page_size() ))) return ret;
        start = arg.walk_end;
    }
    return 0;
}

/* whether memory has pages of its own; also 1 if the scan fails */
static int is_populated( uintptr_t start, uintptr_t end )
{
    struct pm_scan_arg arg;
    struct page_run run;

    memset( &arg, 0, sizeof(arg) );
    arg.size                = sizeof(arg);
    arg.start               = start;
    arg.end                 = end;
    arg.vec                 = (uintptr_t)&run;
    arg.vec_len             = 1;
    arg.category_inverted   = PAGE_IS_PFNZERO;
    arg.category_mask       = PAGE_IS_PFNZERO;
    arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    return ioctl( scan_pagemap, PAGEMAP_SCAN, &arg ) != 0;
}

/***********************************************************************
 *           begin_watch
 *
 * Registers a region. Transparent huge pages are ruled out before the first touch: a huge page
 * reports 512 pages for one, and when it is split the exact query loses its parts that are zero
 * (6.12 and later). No blocks are kept for memory that the program has mapped itself: it may drop
 * its contents without our knowledge.
 */
static int begin_watch( struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end;
    int ret;

    if (region->kind == REGION_FRESH) blocks_open( &scan_data( region )->blocks, start, end );

    if ((ret = rule_out_huge_pages( region ))) return ret;
    return register_range( start, end, UFFDIO_REGISTER_MODE_WP );
}

/***********************************************************************
 *           protect_all
 *
 * Protects all of a region, which costs page tables of 1/512 of its size. Unregisters it on
 * failure.
 */
static int protect_all( struct watch_region *region )
{
    uintptr_t start = region->base, end = region->end;
    int ret = 0;

    if (region->shift == page_shift) ret = split_huge_pages( start, end );
    if (!ret) ret = protect_range( start, end );
    if (ret) scan_detach( region, start, end, DETACH_KEEP );
    else scan_data( region )->all_protected = 1;
    return ret;
}

/***********************************************************************
 *           scan_attach
 *
 * Fresh memory is only registered, and nothing is protected until a scan resets it. Private
 * anonymous memory without a page is as good as fresh.
 */
static int scan_attach( struct watch_region *region )
{
    int ret = begin_watch( region );

    if (ret || region->kind == REGION_FRESH) return ret;
    if (region->kind == REGION_ANONYMOUS && !is_populated( region->base, region->end )) return 0;
    return protect_all( region );
}

/***********************************************************************
 *           scan_marked_attach
 *
 * Fresh memory is protected when it is committed. Other memory may be accessible already, so it is
 * protected even if it has no page yet.
 */
static int scan_marked_attach( struct watch_region *region )
{
    int ret = begin_watch( region );

    return ret || region->kind == REGION_FRESH ? ret : protect_all( region );
}

/* what is known of blocks is not passed on: it is soon found out again */
static void scan_split( struct watch_region *part, const struct watch_region *whole )
{
    const struct scan_data *old = REGION_DATA( const struct scan_data, whole );

    scan_data( part )->all_protected = old->all_protected;
    if (old->blocks.count || old->blocks.noted != NOTED_NEVER)
        blocks_open( &scan_data( part )->blocks, part->base, part->end );
}

static void scan_drop( struct watch_region *region )
{
    blocks_close( &scan_data( region )->blocks );
}

/***********************************************************************
 *           forget_parent
 *
 * In a child by fork(): fresh memory is not protected anew, and the exact query finds what has
 * contents. Other memory may be protected as a whole now, whether or not it was in the parent, so
 * all of it counts as written.
 */
static void forget_parent( struct watch_region *region )
{
    if (region->kind != REGION_FRESH) region_mark_written( region, region->base, region->end );
    scan_drop( region );
    memset( scan_data( region ), 0, sizeof(struct scan_data) );
}

static int scan_reattach( struct watch_region *region )
{
    forget_parent( region );
    return scan_attach( region );
}

static int scan_marked_reattach( struct watch_region *region )
{
    forget_parent( region );
    return scan_marked_attach( region );
}

/***********************************************************************
 *           scan_marked_commit
 *
 * Memory that is not fresh was protected as a whole. A block that is committed as a whole has no
 * empty entry: it is full from the start.
 */
static int scan_marked_commit( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    struct region_blocks *blocks = &scan_data( region )->blocks;
    unsigned int forgotten = __atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST );
    int ret;

    if (scan_data( region )->all_protected) return 0;
    if (!(ret = scan_mark_empty( start, end )) && blocks->count)
        blocks_mark_full( blocks, start, end, forgotten );
    return ret;
}

static int scan_fill( struct watch_region *region, uintptr_t start, uintptr_t end, const void *data,
                      size_t *filled )
{
    unsigned int tries = 0;
    struct uffdio_copy copy;

    (void)region;
    *filled = 0;
    while (start < end)
    {
        copy.dst  = start;
        copy.src  = (uintptr_t)data;
        copy.len  = end - start;
        copy.mode = UFFDIO_COPY_MODE_WP;
        copy.copy = 0;
        if (ioctl( scan_uffd, UFFDIO_COPY, &copy ) && errno != EAGAIN) return -errno;
        if (copy.copy <= 0)
        {
            /* the address space is changing, but not forever */
            if (++tries > MAX_FILL_TRIES) return -EAGAIN;
            raw_syscall3( SYS_sched_yield, 0, 0, 0 );
            continue;
        }
        tries = 0;
        start   += copy.copy;
        data     = (const char *)data + copy.copy;
        *filled += copy.copy;
    }
    return 0;
}

/***********************************************************************
 *           scan_serve
 *
 * Adds to the registration, which keeps the written state. The mode cannot be removed again without
 * losing that state: the kernel treats a registration for fewer modes as done already (6.18). If
 * the call failed half-way nothing would fill the missing pages of the first part, so the memory is
 * unregistered, and registered anew without the mode: pages that exist are written then.
 */
static int scan_serve( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    int ret;

    ret = register_range( start, end, UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING );
    if (!ret) return scan_uffd;
    scan_detach( region, start, end, DETACH_KEEP );
    register_range( start, end, UFFDIO_REGISTER_MODE_WP );
    /* files have no missing pages */
    return ret == -EINVAL ? -EOPNOTSUPP : ret;
}

/***********************************************************************
 *           scan_marked_serve
 *
 * On failure the markers are gone, too. Their page tables still exist, so setting them again loses
 * no write; memory that was only reserved gets page tables.
 */
static int scan_marked_serve( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    int ret = scan_serve( region, start, end );

    if (ret < 0) scan_mark_empty( start, end );
    return ret;
}

/***********************************************************************
 *           discard_accessible
 *
 * Drops the contents of private anonymous memory that other threads may write to, and protects what
 * is empty then. A page that is written in between is not empty, and counts.
 *
 * Works in pieces of less than a block: the kernel frees the page table of a block that is dropped
 * as a whole (6.14 and later), and protecting entries without a table loses such a write. Entries
 * that are empty from the start may have no table, so only others are dropped; that also keeps
 * memory that is only reserved free of page tables.
 */
static int discard_accessible( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    const uintptr_t piece = (uintptr_t)1 << (block_shift() - 1);
    struct region_blocks *blocks = &scan_data( region )->blocks;
    unsigned int forgotten = __atomic_load_n( &blocks->forgotten, __ATOMIC_SEQ_CST );
    struct page_run runs[32];
    struct page_scan scan = { .end = end, .runs = runs, .len = 32 };
    uintptr_t pos, last;
    int i, count, ret;

    for (scan.start = start; scan.start < end; scan.start = scan.next)
    {
        if ((count = ask_kernel( SCAN_USED, &scan )) < 0) return count;
        for (i = 0; i < count; i++)
        {
            for (pos = runs[i].start; pos < runs[i].end; pos = last)
            {
                last = runs[i].end - pos < piece ? runs[i].end : pos + piece;
                if ((ret = discard_pages( pos, last ))) return ret;
                if ((ret = scan_mark_empty( pos, last ))) return ret;
            }
            if (blocks->count)
                blocks_mark_full( blocks, runs[i].start, runs[i].end, forgotten );
        }
    }
    return 0;
}

/***********************************************************************
 *           discard_protected
 *
 * For memory in which an empty entry counts as written. Dropping pages of a file, or of shared
 * memory, changes only their entries, and leaves markers for those that are protected; the others
 * were written in between, and are left alone. Private pages among them count as written when they
 * are dropped.
 */
static int discard_protected( struct watch_region *region, uintptr_t start, uintptr_t end,
                              enum discard_reason reason )
{
    int ret;

    if (reason == DISCARD_RESET && region->kind == REGION_ANONYMOUS)
        return discard_accessible( region, start, end );
    ret = discard_pages( start, end );
    if (!ret && reason == DISCARD_DECOMMIT) ret = protect_range( start, end );
    return ret;
}

static int scan_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                         enum discard_reason reason )
{
    blocks_forget( &scan_data( region )->blocks, start, end );
    if (!scan_data( region )->all_protected) return discard_pages( start, end );
    return discard_protected( region, start, end, reason );
}

static int scan_marked_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                                enum discard_reason reason )
{
    blocks_forget( &scan_data( region )->blocks, start, end );
    if (scan_data( region )->all_protected) return discard_protected( region, start, end, reason );
    if (reason == DISCARD_RESET) return discard_accessible( region, start, end );
    return discard_pages( start, end );
}

/***********************************************************************
 *           scan_capabilities
 *
 * In memory that was protected as a whole an empty entry counts as written, so pages may be
 * dropped, though not huge ones: the kernel shows no category for an empty entry of these (6.18).
 * But a marker looks like a protected page that is swapped out. Elsewhere it is the other way
 * round.
 */
static unsigned int scan_capabilities( const struct watch_region *region, int anonymous )
{
    const unsigned int all = CAN_SYSCALLS | CAN_LIST_ZERO | CAN_BE_EXACT | CAN_SEE_REPLACED;

    (void)anonymous;
    if (!region || !REGION_DATA( const struct scan_data, region )->all_protected)
        return all | CAN_LIST_SWAPPED;
    return all | (region->shift == page_shift ? CAN_DROP : 0);
}

/* fresh memory has markers, too */
static unsigned int scan_marked_capabilities( const struct watch_region *region, int anonymous )
{
    return scan_capabilities( region, anonymous ) & ~CAN_LIST_SWAPPED;
}

/* opens one form, as only one is used */
static int open_form( const struct watch_backend *form, char *reason, size_t len )
{
    int ret = scan_open_descriptors( reason, len );

    if (!ret) ret = selftest_backend( form, reason, len );
    if (ret) scan_close();
    return ret;
}

static int scan_open( char *reason, size_t len )
{
    return open_form( &scan_backend, reason, len );
}

static int scan_marked_open( char *reason, size_t len )
{
    return open_form( &scan_marked_backend, reason, len );
}

const struct watch_backend scan_backend =
{
    .name             = "scan",
    .form             = "unmarked",
    .mechanism        = "userfaultfd WP_ASYNC with PAGEMAP_SCAN, unmarked",
    .automatic        = 1,
    .open             = scan_open,
    .reopen           = scan_reopen,
    .reattach         = scan_reattach,
    .close            = scan_close,
    .attach           = scan_attach,
    .split            = scan_split,
    .drop             = scan_drop,
    .detach           = scan_detach,
    .max_marked_pages = MAX_SCAN_PAGES,
    .collect_written  = scan_collect,
    .save             = scan_save,
    .discard          = scan_discard,
    .mlock_pages      = mlock_pages,
    .fill             = scan_fill,
    .serve            = scan_serve,
    .verify           = scan_verify,
    .list             = scan_list,
    .look             = scan_look,
    .capabilities     = scan_capabilities,
};

const struct watch_backend scan_marked_backend =
{
    .name             = "scan",
    .form             = "marked",
    .mechanism        = "userfaultfd WP_ASYNC with PAGEMAP_SCAN, marked at commit",
    .automatic        = 1,
    .open             = scan_marked_open,
    .reopen           = scan_reopen,
    .reattach         = scan_marked_reattach,
    .close            = scan_close,
    .attach           = scan_marked_attach,
    .commit           = scan_marked_commit,
    .split            = scan_split,
    .drop             = scan_drop,
    .detach           = scan_detach,
    .max_marked_pages = MAX_SCAN_PAGES,
    .collect_written  = scan_marked_collect,
    .save             = scan_marked_save,
    .discard          = scan_marked_discard,
    .mlock_pages      = mlock_pages,
    .fill             = scan_fill,
    .serve            = scan_marked_serve,
    .verify           = scan_verify,
    .list             = scan_marked_list,
    .look             = scan_marked_look,
    .capabilities     = scan_marked_capabilities,
};
