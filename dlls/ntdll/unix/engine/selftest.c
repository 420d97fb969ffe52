/*
 * Proves that a backend reports what was written, and nothing else
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/region.h"
#include "engine/selftest.h"
#include "sys/page.h"

/* Kernels are judged by what they do, never by their version: fixes are backported, and stable
 * releases bring bugs, too. Each step below covers one way in which a kernel was seen to fail, or
 * could. */

#define TEST_PAGES 16

struct selftest
{
    const struct watch_backend *backend;
    struct watch_region region;
    char *base;
    int   pipe[2];
};

static char *page( struct selftest *test, size_t index )
{
    return test->base + (index << page_shift);
}

static void write_page( struct selftest *test, size_t index, char value )
{
    *(volatile char *)page( test, index ) = value;
}

/* asks for written pages, one bit per page; -1 if the backend fails or reports nonsense */
static int written( struct selftest *test, unsigned int flags, size_t len, size_t max_pages )
{
    struct page_run runs[TEST_PAGES];
    struct page_scan scan = { .start = (uintptr_t)test->base,
                              .end = (uintptr_t)page( test, TEST_PAGES ),
                              .flags = flags, .runs = runs, .len = len, .max_pages = max_pages };
    int i, count, ret = 0;

    for (; scan.start < scan.end; scan.start = scan.next)
    {
        uintptr_t last = scan.start;

        count = test->backend->collect_written( &test->region, &scan );
        if (count < 0 || (size_t)count > len || scan.next <= scan.start) return -1;
        for (i = 0; i < count; i++)
        {
            if (runs[i].start < last || runs[i].end <= runs[i].start || runs[i].end > scan.end)
                return -1;
            last = runs[i].end;
            for (; runs[i].start < runs[i].end; runs[i].start += page_size())
            {
                int bit = 1 << ((runs[i].start - (uintptr_t)test->base) >> page_shift);

                if (ret & bit) return -1;
                ret |= bit;
            }
        }
    }
    return ret;
}

#define CHECK( expr, expect ) \
    do { if ((expr) != (expect)) return "self-test: " #expr " is not " #expect; } while (0)

/* makes the memory accessible, as a host does */
static int commit_pages( struct selftest *test )
{
    uintptr_t start = (uintptr_t)test->base, end = start + (TEST_PAGES << page_shift);

    if (test->backend->commit && test->backend->commit( &test->region, start, end )) return -1;
    return mprotect( test->base, TEST_PAGES << page_shift, PROT_READ | PROT_WRITE );
}

/* on a kernel without a shared zero page, a page that was only read is a private page */
static const char *test_fresh( struct selftest *test )
{
    const int pages_read = 0x0f;
    int i, ret;

    CHECK( commit_pages( test ), 0 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0 );
    for (i = 0; i < 4; i++) (void)*(volatile char *)page( test, i );
    if ((ret = written( test, 0, TEST_PAGES, TEST_PAGES )) == pages_read)
        return "reading untouched memory gives private pages here";
    CHECK( ret, 0 );
    return NULL;
}

static const char *test_reset( struct selftest *test )
{
    write_page( test, 0, 0 );   /* read before; stays all zeros */
    write_page( test, 1, 1 );
    write_page( test, 5, 0 );   /* never touched before; stays all zeros */
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0x23 );
    CHECK( written( test, COLLECT_RESET, TEST_PAGES, TEST_PAGES ), 0x23 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0 );
    write_page( test, 1, 1 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0x02 );
    return NULL;
}

/* a scan that is stopped by its limits must reset what it reported, and nothing else */
static const char *test_limits( struct selftest *test )
{
    struct page_run run;
    struct page_scan scan = { .start = (uintptr_t)test->base,
                              .end = (uintptr_t)page( test, TEST_PAGES ),
                              .flags = COLLECT_RESET, .runs = &run, .len = 1,
                              .max_pages = TEST_PAGES };
    size_t i;

    for (i = 0; i < TEST_PAGES; i += 2) write_page( test, i, 2 );
    CHECK( test->backend->collect_written( &test->region, &scan ), 1 );
    /* cppcheck-suppress uninitvar ; it is filled through scan.runs */
    CHECK( run.start, (uintptr_t)page( test, 0 ));
    CHECK( run.end, (uintptr_t)page( test, 3 ));
    CHECK( written( test, 0, 1, 1 ), 0x5550 );
    scan.max_pages = 1;
    CHECK( test->backend->collect_written( &test->region, &scan ), 1 );
    CHECK( run.start, (uintptr_t)page( test, 4 ));
    CHECK( run.end, (uintptr_t)page( test, 5 ));
    CHECK( written( test, COLLECT_RESET, TEST_PAGES, 2 ), 0x5540 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0 );
    return NULL;
}

/* the kernel writes to a page that was reset */
static const char *test_kernel_write( struct selftest *test )
{
    if (write( test->pipe[1], "x", 1 ) != 1 || read( test->pipe[0], page( test, 2 ), 1 ) != 1)
        return "self-test: a system call cannot write to watched memory";
    CHECK( written( test, COLLECT_RESET, TEST_PAGES, TEST_PAGES ), 0x04 );
    return NULL;
}

static const char *test_discard( struct selftest *test )
{
    write_page( test, 3, 1 );
    if (test->backend->discard( &test->region, (uintptr_t)page( test, 2 ),
                                (uintptr_t)page( test, 4 ), DISCARD_RESET ))
        return "self-test: discard failed";
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0 );
    CHECK( *(volatile char *)page( test, 2 ), 0 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0 );
    write_page( test, 2, 0 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0x04 );
    return NULL;
}

static const char *test_protect( struct selftest *test )
{
    if (mprotect( test->base, TEST_PAGES << page_shift, PROT_NONE ))
        return "self-test: mprotect failed";
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0x04 );
    CHECK( commit_pages( test ), 0 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0x04 );
    write_page( test, 4, 1 );
    CHECK( written( test, COLLECT_RESET, TEST_PAGES, TEST_PAGES ), 0x14 );
    write_page( test, 4, 1 );
    CHECK( written( test, 0, TEST_PAGES, TEST_PAGES ), 0x10 );
    return NULL;
}

/***********************************************************************
 *           selftest_backend
 *
 * Tries a backend on memory of its own. Returns 0, or -errno and the reason.
 */
int selftest_backend( const struct watch_backend *backend, char *reason, size_t len )
{
    static const char * (* const steps[])( struct selftest * ) =
    {
        test_fresh, test_reset, test_limits, test_kernel_write, test_discard, test_protect
    };
    struct selftest test = { .backend = backend };
    const char *failed = NULL;
    int ret = 0;
    size_t i;

    test.base = mmap( NULL, TEST_PAGES << page_shift, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0 );
    if (test.base == MAP_FAILED)
    {
        ret = -errno;
        snprintf( reason, len, "no memory for the self-test: %s", strerror( -ret ));
        return ret;
    }
    if (pipe2( test.pipe, O_CLOEXEC ))
    {
        ret = -errno;
        snprintf( reason, len, "no pipe for the self-test: %s", strerror( -ret ));
        munmap( test.base, TEST_PAGES << page_shift );
        return ret;
    }

    test.region.base = (uintptr_t)test.base;
    test.region.shift = page_shift;
    test.region.end  = test.region.base + (TEST_PAGES << page_shift);
    if ((ret = backend->attach( &test.region )))
        snprintf( reason, len, "cannot register memory with userfaultfd: %s", strerror( -ret ));
    else
    {
        for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && !failed; i++)
            failed = steps[i]( &test );
        if (failed)
        {
            snprintf( reason, len, "%s", failed );
            ret = -EPROTO;
        }
    }

    close( test.pipe[0] );
    close( test.pipe[1] );
    munmap( test.base, TEST_PAGES << page_shift );
    return ret;
}
