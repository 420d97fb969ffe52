/*
 * A module for the kernel: reading an untouched page maps a private page, not the page of zeros
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * This makes a common kernel one without a shared page of zeros, such as that of a guest of PVM
 * booted with pvm_no_zero_page=1. tools/guest-module builds it for the guests of tools/guest-run.
 *
 * do_anonymous_page() serves the first fault of an anonymous page. It looks at FAULT_FLAG_WRITE for
 * one reason: without it, it maps the page of zeros. With it, it takes a page, which it makes
 * writable only if the mapping is, and protects if the entry holds a marker of userfaultfd. So the
 * flag is set when that function begins. Nothing looks at the flags once it has ended.
 *
 * Memory that is registered for missing pages is left alone: there, both ways lead to userfaultfd,
 * whose message says whether it was a write. Two things map the page of zeros all the same:
 * UFFDIO_ZEROPAGE, and reading where a huge page fits, unless
 * /sys/kernel/mm/transparent_hugepage/use_zero_page is 0. guest-run --no-zero-page sets that.
 */

#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>

static int before_anonymous_page( struct kprobe *probe, struct pt_regs *regs )
{
    struct vm_fault *vmf = (struct vm_fault *)regs_get_kernel_argument( regs, 0 );

    if (!(vmf->vma->vm_flags & VM_UFFD_MISSING)) vmf->flags |= FAULT_FLAG_WRITE;
    return 0;
}

static struct kprobe probe =
{
    .symbol_name = "do_anonymous_page",
    .pre_handler = before_anonymous_page
};

static int __init start(void)
{
    return register_kprobe( &probe );
}

static void __exit stop(void)
{
    unregister_kprobe( &probe );
}

module_init( start );
module_exit( stop );
MODULE_DESCRIPTION( "Reads of untouched anonymous memory map private pages" );
/* LGPL-2.1-or-later is compatible with it; the kernel knows no name for that */
MODULE_LICENSE( "GPL" );
