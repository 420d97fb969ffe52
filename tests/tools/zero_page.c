/*
 * Says what a read of untouched memory maps here: the shared page of zeros, or private pages
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: zero_page shared|private        exit status 0 if it is that, in every case below
 * Needs PAGEMAP_SCAN, and root, which sees the numbers of page frames.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/kernel_api.h"

#define HUGE_SIZE ((size_t)2 << 20)
#define PAGES     4
#define FRAME     (((uint64_t)1 << 55) - 1)

static size_t size;
static int pagemap, memory, failures;

/* how a page comes to be read */
static void read_itself( char *page ) { (void)*(volatile char *)page; }

static void read_by_system_call( char *page )
{
    int fds[2];

    if (pipe( fds ) || write( fds[1], page, 1 ) != 1) _exit( 99 );
    close( fds[0] );
    close( fds[1] );
}

/* as another process would */
static void read_by_file( char *page )
{
    char c = 1;

    if (pread( memory, &c, 1, (off_t)(uintptr_t)page ) != 1 || c) _exit( 99 );
}

static void read_ahead( char *page )
{
    if (madvise( page, size, MADV_POPULATE_READ )) _exit( 99 );
}

/* the memory that is read */
static char *map( int prot, size_t len )
{
    char *base = mmap( NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    if (base == MAP_FAILED) _exit( 99 );
    return base;
}

static char *writable(void)
{
    char *base = map( PROT_READ | PROT_WRITE, PAGES * size );

    madvise( base, PAGES * size, MADV_NOHUGEPAGE );
    return base;
}

static char *read_only(void) { return map( PROT_READ, PAGES * size ); }

static char *dropped(void)
{
    char *base = writable();

    memset( base, 1, PAGES * size );
    if (madvise( base, PAGES * size, MADV_DONTNEED )) _exit( 99 );
    return base;
}

static char *huge(void)
{
    char *base = map( PROT_READ | PROT_WRITE, 2 * HUGE_SIZE );

    base = (char *)(((uintptr_t)base + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1));
    madvise( base, HUGE_SIZE, MADV_HUGEPAGE );
    return base;
}

static uint64_t frame( const char *page )
{
    uint64_t entry;

    if (pread( pagemap, &entry, sizeof(entry), (uintptr_t)page / size * sizeof(entry) ) !=
        sizeof(entry)) _exit( 99 );
    return entry & FRAME;
}

/* whether PAGEMAP_SCAN says that the page is the one of zeros; -1 if it does not say */
static int is_zero_page( const char *page )
{
    struct page_region region = { 0 };
    struct pm_scan_arg arg = { .size = sizeof(arg), .start = (uintptr_t)page,
                               .end = (uintptr_t)page + size, .vec = (uintptr_t)&region,
                               .vec_len = 1, .category_mask = PAGE_IS_PRESENT,
                               .return_mask = PAGE_IS_PFNZERO };

    if (ioctl( pagemap, PAGEMAP_SCAN, &arg ) != 1) return -1;
    return !!(region.categories & PAGE_IS_PFNZERO);
}

static void fail( const char *name, const char *what )
{
    printf( "%s: %s\n", name, what );
    failures++;
}

static void try( const char *name, char *base, void (*read_page)( char * ), int expected )
{
    size_t i;

    for (i = 0; i < PAGES; i++) read_page( base + i * size );
    for (i = 0; i < PAGES; i++)
    {
        int zero = is_zero_page( base + i * size );

        if (zero == expected) continue;
        fail( name, zero == -1 ? "a page that was read is not there" :
              zero ? "the page of zeros" : "a private page" );
        return;
    }
    if (!frame( base )) fail( name, "the numbers of frames are not shown: root is needed" );
    /* those of a huge page of zeros are in a row */
    else if (strcmp( name, "huge" ) && (frame( base ) == frame( base + size )) != expected)
        fail( name, expected ? "several frames" : "one frame for two pages" );
}

/* what was read in memory that cannot be written must not become writable by it */
static void try_protection( char *base )
{
    int fds[2];

    if (pipe( fds ) || write( fds[1], "xy", 2 ) != 2) _exit( 99 );
    if (read( fds[0], base, 1 ) != -1) fail( "read-only", "written" );
    if (mprotect( base, size, PROT_READ | PROT_WRITE )) _exit( 99 );
    if (read( fds[0], base, 1 ) != 1 || !*base) fail( "made writable", "not written" );
    if (base[size]) fail( "the next page", "written" );
}

int main( int argc, char *argv[] )
{
    int expected;
    char *base;

    if (argc != 2 || (strcmp( argv[1], "shared" ) && strcmp( argv[1], "private" )))
    {
        fprintf( stderr, "usage: zero_page shared|private\n" );
        return 2;
    }
    expected = !strcmp( argv[1], "shared" );
    size = sysconf( _SC_PAGESIZE );
    pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC );
    memory = open( "/proc/self/mem", O_RDONLY | O_CLOEXEC );
    if (pagemap == -1 || memory == -1)
    {
        perror( "zero_page: /proc/self" );
        return 1;
    }
    try( "writable", writable(), read_itself, expected );
    try( "dropped", dropped(), read_itself, expected );
    try( "system call", writable(), read_by_system_call, expected );
    try( "/proc/self/mem", writable(), read_by_file, expected );
    try( "MADV_POPULATE_READ", writable(), read_ahead, expected );
    base = read_only();
    try( "read-only", base, read_itself, expected );
    try_protection( base );
    try( "huge", huge(), read_itself, expected );
    if (!failures) printf( "reading untouched memory maps %s\n",
                           expected ? "the shared page of zeros" : "private pages" );
    return !!failures;
}
