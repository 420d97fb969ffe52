/*
 * Watching memory that the program mapped itself: each kind of it against a model
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mapping.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define HUGE_SIZE ((size_t)2 << 20)

static int pipe_fds[2];

static void look( size_t first, size_t last )
{
    for (; first < last; first++) (void)*(volatile char *)page( first );
}

static void kernel_write( size_t index )
{
    check( write( pipe_fds[1], "x", 1 ) == 1 );
    if (strcmp( backend, "scan" )) check( !writewatch_prepare( page( index ) + 5, 1 ));
    check( read( pipe_fds[0], page( index ) + 5, 1 ) == 1 );
    written[index] = 1;
}

/* lets the kernel take pages back, where it can do that without swap or as there is swap */
static void page_out( size_t first, size_t last )
{
    msync( page( first ), (last - first) * granule, MS_SYNC );
    madvise( page( first ), (last - first) * granule, MADV_PAGEOUT );
}

/* runs random steps on memory that was just watched */
static void run_model( const char *name, unsigned int seed )
{
    unsigned int step;
    int failures = unit_failures;

    srand( seed );
    memset( written, 0, sizeof(written) );
    check( writewatch_granularity( base ) == granule );
    query( 0, pages, pages, 0 );
    look( 0, pages / 2 );
    query( 0, pages, pages, 0 );
    for (step = 0; step < unit_share( 1000 ) && unit_failures == failures; step++)
    {
        size_t first = rand() % pages, last = first + 1 + rand() % (rand() % 4 ? 8 : pages);

        if (last > pages) last = pages;
        switch (rand() % 12)
        {
        case 0: case 1: case 2: touch( first, first + 1 ); break;
        case 3: touch( first, last ); break;
        case 4: kernel_write( first ); break;
        case 5: look( first, last ); break;
        case 6: if (!(rand() % 4)) page_out( first, last ); break;
        case 7:
            check( !reset_write_watch( page( first ), (last - first) * granule ));
            memset( written + first, 0, last - first );
            break;
        case 8: query( 0, pages, pages, 0 ); break;
        default: query( first, last, 1 + rand() % (last - first), rand() & 1 ); break;
        }
    }
    query( 0, pages, pages, 0 );
    if (unit_failures != failures) fprintf( stderr, "%s, seed %u, step %u\n", name, seed, step );
}

/* watches memory, tests it, watches it anew, and lets it go */
static void test_memory( const char *name, void *memory, size_t page_bytes, size_t count )
{
    int err;

    base = memory;
    granule = page_bytes;
    pages = count;
    err = writewatch_watch( base, pages * granule );
    /* the others need not be able to take every kind, but then must say so */
    if (err == -EOPNOTSUPP && strcmp( backend, "scan" ))
    {
        fprintf( stderr, "note: %s cannot watch memory of kind: %s\n", backend, name );
        check( !writewatch_granularity( base ));
        check( !munmap( base, pages * granule ));
        return;
    }
    if (err)
    {
        fprintf( stderr, "%s: %s\n", name, strerror( -err ));
        unit_failures++;
        return;
    }
    run_model( name, 1 );
    check( !writewatch_watch( base, pages * granule ));
    run_model( name, 2 );
    check( !writewatch_unwatch( base, pages * granule ));
    check( !writewatch_granularity( base ));
    check( writewatch_unwatch( base, pages * granule ) == -ENOENT );
    touch( 0, pages );
    /* and once more, all written */
    check( !writewatch_watch( base, pages * granule ));
    run_model( name, 3 );
    check( !writewatch_unwatch( base, pages * granule ));
    check( !munmap( base, pages * granule ));
}

/* a file of some size in TMPDIR, or in /tmp */
static int make_file( size_t size )
{
    char block[4096];
    int fd = unit_temp_file();

    check( fd != -1 );
    memset( block, 7, sizeof(block) );
    for (; size; size -= sizeof(block)) check( write( fd, block, sizeof(block) ) == sizeof(block) );
    return fd;
}

static void test_kinds(void)
{
    size_t size = 300 * page_size();
    char *memory;
    int fd;

    test_memory( "untouched", map( size, MAP_PRIVATE | MAP_ANONYMOUS, -1 ), page_size(), 300 );

    memory = map( size, MAP_PRIVATE | MAP_ANONYMOUS, -1 );
    memset( memory + 10 * page_size(), 1, 50 * page_size() );
    test_memory( "populated", memory, page_size(), 300 );

    test_memory( "shared", map( size, MAP_SHARED | MAP_ANONYMOUS, -1 ), page_size(), 300 );
    memory = map( size, MAP_SHARED | MAP_ANONYMOUS, -1 );
    memset( memory + 10 * page_size(), 1, 50 * page_size() );
    test_memory( "shared populated", memory, page_size(), 300 );

    fd = memfd_create( "test", MFD_CLOEXEC );
    check( !ftruncate( fd, size ));
    test_memory( "memfd shared", map( size, MAP_SHARED, fd ), page_size(), 300 );
    test_memory( "memfd private", map( size, MAP_PRIVATE, fd ), page_size(), 300 );
    close( fd );

    fd = make_file( size );
    test_memory( "file shared", map( size, MAP_SHARED, fd ), page_size(), 300 );
    test_memory( "file private", map( size, MAP_PRIVATE, fd ), page_size(), 300 );
    memory = map( size, MAP_PRIVATE, fd );
    memset( memory + 10 * page_size(), 1, 50 * page_size() );
    test_memory( "file private populated", memory, page_size(), 300 );
    close( fd );
}

/* several mappings of different kinds in one call, their protections differing */
static void test_several_mappings(void)
{
    size_t size = 300 * page_size();
    char *memory = map( size, MAP_PRIVATE | MAP_ANONYMOUS, -1 );
    int fd = make_file( size );

    check( mmap( memory + 50 * page_size(), 50 * page_size(), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_FIXED, fd, 0 ) != MAP_FAILED );
    memory[0] = 1;
    test_memory( "anonymous and file", memory, page_size(), 300 );
    close( fd );
}

/* whether huge pages stand where memory is */
static int has_huge_page( const void *addr )
{
    unsigned long low, high, kbytes;
    char line[512];
    int found = 0, ret = 0;
    FILE *file = fopen( "/proc/self/smaps", "r" );

    while (file && fgets( line, sizeof(line), file ))
    {
        if (sscanf( line, "%lx-%lx ", &low, &high ) == 2)
            found = low <= (uintptr_t)addr && (uintptr_t)addr < high;
        if (found && sscanf( line, "AnonHugePages: %lu", &kbytes ) == 1) ret = kbytes != 0;
    }
    if (file) fclose( file );
    return ret;
}

/* makes the kernel split what once were huge pages, which replaces parts of zeros by the zero
 * page */
static int split_folios( const void *start, size_t size )
{
    char command[100];
    int fd = open( "/sys/kernel/debug/split_huge_pages", O_WRONLY ), ret;

    if (fd == -1) return 0;
    snprintf( command, sizeof(command), "%d,0x%lx,0x%lx", getpid(), (unsigned long)start,
              (unsigned long)start + (unsigned long)size );
    ret = write( fd, command, strlen( command )) > 0;
    close( fd );
    return ret;
}

static void test_transparent_huge_pages(void)
{
    const size_t huge = (size_t)1 << block_shift();   /* what one page table spans */
    const size_t n = 2 * (huge >> page_shift), expect = (n + 2) / 3;
    char *area = map( 4 * huge, MAP_PRIVATE | MAP_ANONYMOUS, -1 ), *memory;
    void *addresses[MAX_PAGES];
    ULONG_PTR count = MAX_PAGES;
    size_t i, found = 0;
    ULONG granularity;

    memory = (char *)(((uintptr_t)area + huge - 1) & -huge);
    madvise( memory, 2 * huge, MADV_HUGEPAGE );
    memset( memory, 0, 2 * huge );
    if (n > MAX_PAGES || !has_huge_page( memory ))
    {
        fprintf( stderr, "skipped: no transparent huge pages here\n" );
        return;
    }
    check( !writewatch_watch( memory, 2 * huge ));
    if (!strcmp( backend, "scan" )) check( !has_huge_page( memory ));

    /* zeros into pages of zeros: all of them must be reported, however the kernel keeps them */
    for (i = 0; i < n; i += 3) *(volatile char *)(memory + i * page_size()) = 0;
    count = MAX_PAGES;
    check( !get_write_watch( 0, memory, 2 * huge, addresses, &count, &granularity ));
    check( count == expect );
    for (i = 0; i < count; i++) check( addresses[i] == memory + i * 3 * page_size() );

    if (split_folios( memory, 2 * huge ))
    {
        count = MAX_PAGES;
        check( !get_write_watch( 0, memory, 2 * huge, addresses, &count, &granularity ));
        for (i = 0; i < count; i++) if (!(((char *)addresses[i] - memory) / page_size() % 3)) found++;
        check( found == expect );
        if (count != found)
            fprintf( stderr,
                     "note: this kernel made %zu clean pages written when it split huge pages\n",
                     (size_t)count - found );
    }
    check( !writewatch_unwatch( memory, 2 * huge ));
    munmap( area, 4 * huge );

    area = map( 4 * huge, MAP_PRIVATE | MAP_ANONYMOUS, -1 );
    memory = (char *)(((uintptr_t)area + huge - 1) & -huge);
    madvise( memory, 2 * huge, MADV_HUGEPAGE );
    memset( memory, 1, 2 * huge );
    /* neither the start nor the end is that of a huge page */
    test_memory( "huge pages", memory + 37 * page_size(), page_size(), 800 );
}

static void test_explicit_huge_pages(void)
{
    const int flags = MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26;
    size_t size = 8 * HUGE_SIZE;
    int old = unit_huge_pages( -1 ), err;
    char *memory;

    if (old >= 0 && old < 16) unit_huge_pages( 16 );
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, -1, 0 );
    if (memory == MAP_FAILED) fprintf( stderr, "skipped: no huge pages of 2 MiB (nr_hugepages)\n" );
    else
    {
        check( writewatch_watch( memory, HUGE_SIZE / 2 ) == -EINVAL );
        check( writewatch_watch( memory + page_size(), HUGE_SIZE ) == -EINVAL );
        if (!(err = writewatch_watch( memory, size )))
        {
            check( writewatch_unwatch( memory + page_size(), size - page_size() ) == -EINVAL );
            check( !writewatch_unwatch( memory, HUGE_SIZE ));
            check( !writewatch_granularity( memory ));
            check( writewatch_granularity( memory + HUGE_SIZE ) == HUGE_SIZE );
            check( !writewatch_unwatch( memory, size ));
        }
        test_memory( "MAP_HUGETLB", memory, HUGE_SIZE, 8 );
        memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, -1, 0 );
        check( memory != MAP_FAILED );
        memset( memory, 1, 2 * HUGE_SIZE );
        test_memory( "MAP_HUGETLB shared", memory, HUGE_SIZE, 8 );
    }
    if (old >= 0 && old < 16) unit_huge_pages( old );
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( unit_form( backend )))
        return unit_skip( backend, writewatch_reason() );
    check( !pipe2( pipe_fds, O_CLOEXEC ));
    test_kinds();
    test_several_mappings();
    test_transparent_huge_pages();
    test_explicit_huge_pages();
    if (unit_failures) fprintf( stderr, "with %s\n", backend );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
