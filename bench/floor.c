/*
 * The benchmark over what the kernel must be asked in any case, and nothing else
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * No bookkeeping, no locks, no checks of arguments: memory that is registered with userfaultfd
 * (WP_ASYNC) and PAGEMAP_SCAN calls. The rows tell it what they know about the pages, which an
 * implementation would have to find out.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "sys/kernel_api.h"
#include "target.h"

#define MAX_RUNS       341     /* longer vectors gain nothing: see query.c */
#define MAX_SCAN_PAGES 16384   /* of a reset, in one call: others wait for the address space */

static int uffd, pagemap;

void target_open(void)
{
    struct uffdio_api api;

    uffd = syscall( SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY );
    if (uffd == -1) fail( "userfaultfd" );
    memset( &api, 0, sizeof(api) );
    api.api      = UFFD_API;
    api.features = UFFD_FEATURE_WP_ASYNC;
    if (ioctl( uffd, UFFDIO_API, &api )) fail( "UFFDIO_API with WP_ASYNC" );
    if ((pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC )) == -1) fail( "pagemap" );
}

static void *map( size_t size, int prot )
{
    void *base = mmap( NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0 );

    if (base == MAP_FAILED) fail( "mmap" );
    return base;
}

static void *map_watched( size_t size, int prot )
{
    void *base = map( size, prot );
    struct uffdio_register reg;

    if (madvise( base, size, MADV_NOHUGEPAGE ) && errno != EINVAL) fail( "madvise" );
    memset( &reg, 0, sizeof(reg) );
    reg.range.start = (uintptr_t)base;
    reg.range.len   = size;
    reg.mode        = UFFDIO_REGISTER_MODE_WP;
    if (ioctl( uffd, UFFDIO_REGISTER, &reg )) fail( "UFFDIO_REGISTER" );
    return base;
}

void *alloc_watched( size_t size )
{
    return map_watched( size, PROT_READ | PROT_WRITE );
}

void *reserve_watched( size_t size )
{
    return map_watched( size, PROT_NONE );
}

void *alloc_plain( size_t size )
{
    return map( size, PROT_READ | PROT_WRITE );
}

void commit_pages( void *base, size_t size )
{
    if (mprotect( base, size, PROT_READ | PROT_WRITE )) fail( "mprotect" );
}

/***********************************************************************
 *           scan
 *
 * One call. The fast query where every page is there, the exact one elsewhere (backend_scan.c tells
 * why). Returns the number of runs, and where to go on in *next.
 */
static int scan( uintptr_t start, uintptr_t end, int reset, enum contents contents,
                 struct page_region *runs, size_t max_pages, uintptr_t *next )
{
    size_t pages = (end - start) / PAGE_SIZE;
    struct pm_scan_arg arg;
    int count;

    memset( &arg, 0, sizeof(arg) );
    arg.size          = sizeof(arg);
    arg.flags         = reset ? PM_SCAN_WP_MATCHING : 0;
    arg.start         = start;
    arg.end           = end;
    arg.vec           = (uintptr_t)runs;
    arg.vec_len       = pages / 2 + 1 < MAX_RUNS ? pages / 2 + 1 : MAX_RUNS;
    arg.max_pages     = max_pages;
    arg.category_mask = PAGE_IS_WRITTEN;
    if (contents == SPARSE)
    {
        arg.category_inverted   = PAGE_IS_PFNZERO;
        arg.category_mask      |= PAGE_IS_PFNZERO;
        arg.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED;
    }
    else arg.return_mask = PAGE_IS_WRITTEN;

    if ((count = ioctl( pagemap, PAGEMAP_SCAN, &arg )) < 0) fail( "PAGEMAP_SCAN" );
    *next = arg.walk_end;
    return count;
}

size_t poll_pages( void *base, size_t size, int reset, enum contents contents,
                   void **addresses, size_t max )
{
    uintptr_t start = (uintptr_t)base, end = start + size, addr;
    struct page_region runs[MAX_RUNS];
    size_t pos = 0;
    int i, count;

    if (contents == SAVED) while (start < end) scan( start, end, reset, SPARSE, runs, 0, &start );
    start = (uintptr_t)base;
    if (contents == SAVED || (contents == WRITTEN && !reset))
    {
        for (addr = start; addr < end && pos < max; addr += PAGE_SIZE)
            addresses[pos++] = (void *)addr;
        return pos;
    }
    while (start < end && pos < max)
    {
        count = scan( start, end, reset, contents, runs, max - pos, &start );
        for (i = 0; i < count; i++)
            for (addr = runs[i].start; addr < runs[i].end; addr += PAGE_SIZE)
                addresses[pos++] = (void *)addr;
    }
    return pos;
}

void reset_pages( void *base, size_t size, enum contents contents )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct page_region runs[MAX_RUNS];

    while (start < end) scan( start, end, 1, contents, runs, MAX_SCAN_PAGES, &start );
}

/***********************************************************************
 *           decommit_pages
 *
 * What is written must be known before it goes (row 15 of docs/windows-rules.md).
 */
void decommit_pages( void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size;
    struct page_region runs[MAX_RUNS];

    if (mprotect( base, size, PROT_NONE )) fail( "mprotect" );
    while (start < end) scan( start, end, 0, SPARSE, runs, 0, &start );
    if (madvise( base, size, MADV_DONTNEED )) fail( "madvise" );
}

void free_memory( void *base, size_t size )
{
    if (munmap( base, size )) fail( "munmap" );
}

int empty_call(void)
{
    return 0;
}
