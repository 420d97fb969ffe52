/*
 * What native unit tests share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_H
#define WRITEWATCH_UNIT_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../common/children.h"
#include "sys/kernel_api.h"

static int unit_failures;

/* goes on after a failure, so that one run shows all */
#define check( expr ) \
    do \
    { \
        if (expr) break; \
        unit_failures++; \
        fprintf( stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #expr ); \
    } while (0)

static inline int unit_result(void)
{
    return unit_failures ? FAIL : PASS;
}

/* A large size: so many GiB, or in a 32-bit program, which has 4 GiB in all, a 64th of that. */
#define LARGE( gib ) ((size_t)(gib) << (sizeof(size_t) == 8 ? 30 : 24))

/* How many of so many rounds, seeds or steps: WRITEWATCH_TEST_SHARE=10 leaves a tenth of them, for
 * where a processor is emulated. What is asserted about each remains. */
static inline unsigned int unit_share( unsigned int count )
{
    const char *value = getenv( "WRITEWATCH_TEST_SHARE" );
    unsigned int share = value ? strtoul( value, NULL, 10 ) : 1;

    if (share > 1) count /= share;
    return count ? count : 1;
}

/* The backend that tests of scan open; WRITEWATCH_TEST_SCAN=scan:marked tries one of its forms. */
static inline const char *unit_scan(void)
{
    const char *value = getenv( "WRITEWATCH_TEST_SCAN" );

    return value && *value ? value : "scan";
}

/* the same for tests that try several backends */
static inline const char *unit_form( const char *backend )
{
    return strcmp( backend, "scan" ) ? backend : unit_scan();
}

/* says why a backend does not work here */
static inline int unit_skip( const char *backend, const char *reason )
{
    printf( "%s: %s\n", backend, reason );
    return SKIP;
}

/* a new file in TMPDIR without a name, or -1 */
static inline int unit_temp_file(void)
{
    const char *dir = getenv( "TMPDIR" );
    char name[4096];
    int fd;

    snprintf( name, sizeof(name), "%s/writewatch-unit-XXXXXX", dir ? dir : "/tmp" );
    fd = mkstemp( name );
    if (fd != -1) unlink( name );
    return fd;
}

/* whether the kernel has a shared page of zeros for what is only read; PAGEMAP_SCAN must work */
static inline int unit_has_zero_page(void)
{
    size_t size = sysconf( _SC_PAGESIZE );
    char *page = mmap( NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    int fd = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC );
    struct page_region region;
    struct pm_scan_arg arg = { .size = sizeof(arg), .start = (uintptr_t)page,
                               .end = (uintptr_t)page + size, .vec = (uintptr_t)&region,
                               .vec_len = 1, .category_mask = PAGE_IS_PFNZERO };
    int ret;

    (void)*(volatile char *)page;
    ret = ioctl( fd, PAGEMAP_SCAN, &arg );
    close( fd );
    munmap( page, size );
    return ret == 1;
}

/* How many huge pages of 2 MiB there are, or -1; asks for some number of them unless count is
 * negative, which takes root. */
static inline int unit_huge_pages( int count )
{
    /* of 2 MiB, which is not everywhere the size that vm.nr_hugepages is about */
    FILE *file = fopen( "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "r+" );
    int old = -1;

    if (!file) return -1;
    if (fscanf( file, "%d", &old ) == 1 && count >= 0)
    {
        rewind( file );
        fprintf( file, "%d\n", count );
    }
    fclose( file );
    return old;
}

/* the size of all page tables in kilobytes */
static inline long unit_page_tables(void)
{
    FILE *file = fopen( "/proc/self/status", "r" );
    char line[128];
    long ret = -1;

    while (file && fgets( line, sizeof(line), file )) sscanf( line, "VmPTE: %ld", &ret );
    if (file) fclose( file );
    return ret;
}

#endif /* WRITEWATCH_UNIT_H */
