/*
 * Drops that are easy to miss, or to report of pages that had no contents
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The linker puts a function of ours before arm_pages(), which can fail. The arguments are
 * backends, otherwise all have their turn.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/region.h"
#include "engine/step.h"
#include "fault/look.h"
#include "sys/page.h"
#include "sys/pagemap.h"
#include "unit.h"
#include "writewatch.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define PAGES 16
#define SIZE  ((size_t)PAGES << page_shift)
#define ALL   (((uint64_t)1 << PAGES) - 1)

static const char *backend;
static char *memory;
static struct writewatch_tracker *tracker;
static int armings_fail, failed_armings;

int __real_arm_pages( struct watch_region *region, uintptr_t start, uintptr_t end );
int __wrap_arm_pages( struct watch_region *region, uintptr_t start, uintptr_t end );

int __wrap_arm_pages( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    if (!armings_fail) return __real_arm_pages( region, start, end );
    failed_armings++;
    return -ENOMEM;
}

static char *page( size_t number )
{
    return memory + (number << page_shift);
}

static ssize_t try_take( uint64_t *pages )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[PAGES];
    const void *pos = memory;
    ssize_t i, count;

    count = writewatch_tracker_list( tracker, &pos, memory + SIZE, &filter, ranges, PAGES );
    for (i = 0, *pages = 0; i < count; i++)
        for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
            *pages |= (uint64_t)1 << ((ranges[i].start - (uintptr_t)memory) >> page_shift);
    return count;
}

/* which pages the tracker lists, one bit each */
static uint64_t take(void)
{
    uint64_t ret;

    check( try_take( &ret ) >= 0 );
    return ret;
}

#define check_pages( expected ) \
    do \
    { \
        uint64_t pages = take(), right = (expected); \
        if (pages != right) printf( "pages %#llx, not %#llx\n", (unsigned long long)pages, \
                                    (unsigned long long)right ); \
        check( pages == right ); \
    } while (0)

/* watches memory, with a tracker that follows drops */
static void begin( void *mapped )
{
    check( mapped != MAP_FAILED );
    memory = mapped;
    check( !writewatch_watch( memory, SIZE ));
    check( !writewatch_tracker_open( &tracker, memory, SIZE, WRITEWATCH_TRACK_DROPS ));
}

static void end(void)
{
    writewatch_tracker_close( tracker );
    check( !writewatch_unwatch( memory, SIZE ));
    munmap( memory, SIZE );
}

static void *map_private(void)
{
    return mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
}

/* a file in memory, all of it filled with a byte */
static int new_file( int byte )
{
    int fd = memfd_create( "drops", MFD_CLOEXEC );
    char *file;

    check( fd != -1 && !ftruncate( fd, SIZE ));
    file = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( file != MAP_FAILED );
    memset( file, byte, SIZE );
    munmap( file, SIZE );
    return fd;
}

/* Pages that were committed and never touched had no contents, whatever the kernel holds for them.
 * mprotect itself makes the first page of what is committed (unite() there). */
static void test_untouched(void)
{
    uint64_t made = !strcmp( backend, "mprotect" );

    memory = VirtualAlloc( NULL, SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( memory != NULL );
    check( !writewatch_tracker_open( &tracker, memory, SIZE, WRITEWATCH_TRACK_DROPS ));
    check_pages( 0 );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( made );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( 0 );
    *page( 3 ) = 1;
    check_pages( 0x8 );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( 0x8 );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( 0 );

    *page( 4 ) = 1;
    check_pages( 0x10 );
    check( VirtualFree( memory, SIZE, MEM_DECOMMIT ));
    check_pages( 0x10 );
    check( VirtualAlloc( memory, SIZE, MEM_COMMIT, PAGE_READWRITE ) == memory );
    check_pages( 0 );
    check( VirtualFree( memory, SIZE, MEM_DECOMMIT ));
    check_pages( made );
    writewatch_tracker_close( tracker );
    VirtualFree( memory, 0, MEM_RELEASE );
}

/* The page of zeros that a read brings is not told from contents. Scan knows the kernel's shared
 * one. */
static void test_only_read(void)
{
    int knows_zeros = !strcmp( backend, "scan" ) && unit_has_zero_page();
    uint64_t made = !strcmp( backend, "mprotect" );

    begin( map_private() );
    check( !*(volatile char *)page( 5 ));
    check_pages( 0 );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( made | (knows_zeros ? 0 : 0x20) );
    check_pages( 0 );
    end();
}

/* what a hole takes from one mapping of shared memory it takes from all */
static void test_hole_by_view(void)
{
    int fd = new_file( 1 );
    char *view = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );

    begin( mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 ));
    check( view != MAP_FAILED && !writewatch_watch( view, SIZE ));
    check( !writewatch_tracker_add_view( tracker, memory, SIZE, view ));
    check_pages( 0 );
    check( !writewatch_drop( view + (4 << page_shift), 3 << page_shift, MADV_REMOVE ));
    check_pages( 0x70 );
    check( !*page( 4 ) && !*page( 6 ) && *page( 7 ) == 1 );
    check_pages( 0 );
    check( !writewatch_unwatch( view, SIZE ));
    munmap( view, SIZE );
    end();
    close( fd );
}

/* a list that finds drops and then fails has taken none of them */
static void test_failure(void)
{
    uint64_t pages;
    ssize_t ret;

    begin( map_private() );
    memset( memory, 1, SIZE );
    check_pages( ALL );
    check( !madvise( page( 2 ), 3 << page_shift, MADV_DONTNEED ));
    armings_fail = 1;
    ret = try_take( &pages );
    armings_fail = 0;
    /* in memory that scan protected as a whole what is dropped counts as written: that cannot fail
     * */
    if (ret < 0 || !strstr( writewatch_mechanism(), ", marked at commit" ))
    {
        check( failed_armings > 0 && ret == -ENOMEM );
        check_pages( 0x1c );
    }
    else check( pages == 0x1c );
    check_pages( 0 );
    *page( 3 ) = 1;
    check_pages( 0x8 );
    end();
}

/* copies of a file's pages are contents of the program's own; the file's are not */
static void test_private_file(void)
{
    int fd = new_file( 7 );

    begin( mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0 ));
    check( *page( 9 ) == 7 );
    *page( 2 ) = 1;
    check_pages( 0x4 );
    check_pages( 0 );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check( *page( 2 ) == 7 );
    check_pages( 0x4 );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( 0 );
    end();
    close( fd );
}

/* the entries of shared memory go, its contents stay */
static void test_shared_entries(void)
{
    int fd = new_file( 1 );

    begin( mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 ));
    memset( memory, 2, SIZE );
    check_pages( ALL );
    check( !writewatch_drop( memory, SIZE, MADV_DONTNEED ));
    check_pages( 0 );
    check( *page( 5 ) == 2 );
    check_pages( 0 );
    check( !madvise( memory, SIZE, MADV_DONTNEED ));
    check_pages( 0 );
    check( *page( 5 ) == 2 );
    check_pages( 0 );
    end();
    close( fd );
}

/* what each entry of the pagemap says */
static void test_entries(void)
{
    static const uint64_t entries[] = { 0, PM_PRESENT | PM_UFFD_WP, PM_PRESENT,
                                        PM_SWAP | PM_UFFD_WP, PM_SWAP,
                                        PM_PRESENT | PM_FILE | PM_UFFD_WP, PM_PRESENT | PM_FILE };
    static const uint64_t userfault[] = { LOOK_BARE, LOOK_HELD, LOOK_HELD | LOOK_BARE, 0,
                                          LOOK_HELD | LOOK_BARE, 0, LOOK_BARE };
    static const uint64_t private[] = { LOOK_BARE, LOOK_HELD, LOOK_HELD, 0, LOOK_HELD, 0, 0 };
    struct page_run run;
    size_t i;

    for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
    {
        struct page_scan scan = { .start = 0, .end = page_size(), .runs = &run, .len = 1 };

        run.categories = 0;
        check( look_at_entries( &scan, &entries[i], 1, PM_UFFD_WP ) == !!userfault[i] );
        check( run.categories == userfault[i] && scan.next == page_size() );
        run.categories = 0;
        check( look_at_entries( &scan, &entries[i], 1, PM_PRESENT | PM_SWAP ) == !!private[i] );
        check( run.categories == private[i] );
        if (run.categories != private[i]) printf( "entry %zu: %#llx\n", i,
                                                  (unsigned long long)run.categories );
    }
}

/* lets the kernel swap all pages out that it can; whether these are all */
static int swap_out(void)
{
    unsigned int tries, i, count = 0;
    uint64_t entries[PAGES];
    int fd;

    if (pagemap_open( &fd, NULL )) return 0;
    /* a page that is on its way to a list of the kernel is passed over */
    for (tries = 0; tries < 100 && count < PAGES; tries++)
    {
        madvise( memory, SIZE, MADV_PAGEOUT );
        check( pagemap_read( fd, (uintptr_t)memory, PAGES, entries ) == PAGES );
        for (i = count = 0; i < PAGES; i++)
            count += (entries[i] & (PM_PRESENT | PM_SWAP)) == PM_SWAP;
    }
    close( fd );
    return count == PAGES;
}

/* contents in swap space are contents: after a look at the page, and before the first one */
static void test_swapped(void)
{
    int before;

    for (before = 0; before < 2; before++)
    {
        begin( map_private() );
        memset( memory, 1, SIZE );
        if (!before) check_pages( ALL );
        if (!swap_out())
        {
            printf( "not tested: %s: pages that are swapped out (no page can be)\n", backend );
            end();
            return;
        }
        check_pages( before ? ALL : 0 );
        check( !madvise( memory, SIZE, MADV_DONTNEED ));
        check_pages( ALL );
        check_pages( 0 );
        end();
    }
}

static int run( const char *name )
{
    backend = name;
    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    test_untouched();
    test_only_read();
    test_hole_by_view();
    test_failure();
    test_private_file();
    test_shared_entries();
    test_entries();
    test_swapped();
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
