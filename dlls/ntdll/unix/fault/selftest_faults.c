/*
 * Proves that a backend that works by faults reports what was written, and nothing else
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/backend.h"
#include "engine/query.h"
#include "engine/region.h"
#include "engine/selftest.h"
#include "engine/watch.h"
#include "sys/page.h"

/* The written state is in the marks, so the test works as a program does: faults find the region
 * in the index, and queries read the marks. Each step tests one way for a kernel to fail. */

#define TEST_PAGES 16

struct selftest
{
    const struct watch_backend *backend;
    struct watch_region *region;
    char *base;
};

static uintptr_t page( const struct selftest *test, size_t index )
{
    return (uintptr_t)test->base + (index << page_shift);
}

static void write_page( const struct selftest *test, size_t index, char value )
{
    *(volatile char *)page( test, index ) = value;
}

static char read_page( const struct selftest *test, size_t index )
{
    return *(volatile char *)page( test, index );
}

/* queries written pages, one bit a page; -1 if that fails or reports something impossible */
static int written( const struct selftest *test, int reset, size_t max )
{
    struct watch_query query;
    void *addresses[TEST_PAGES];
    uintptr_t last = 0;
    int failed, ret = 0;
    size_t i, count;

    if (watch_begin( &query, page( test, 0 ), page( test, TEST_PAGES ))) return -1;
    failed = watch_collect( &query, reset, addresses, max, &count );
    if (failed || count > max) return -1;
    for (i = 0; i < count; i++)
    {
        uintptr_t addr = (uintptr_t)addresses[i];

        if (addr <= last || addr < page( test, 0 ) || addr >= page( test, TEST_PAGES )) return -1;
        ret |= 1 << ((addr - page( test, 0 )) >> page_shift);
        last = addr;
    }
    return ret;
}

static int protect_pages( const struct selftest *test, int prot )
{
    if (test->backend->protect)
        return test->backend->protect( test->region, page( test, 0 ), page( test, TEST_PAGES ),
                                       prot );
    return mprotect( test->base, TEST_PAGES << page_shift, prot );
}

#define CHECK( expr, expect ) \
    do { if ((expr) != (expect)) return "self-test: " #expr " is not " #expect; } while (0)

static const char *test_fresh( const struct selftest *test )
{
    const int pages_read = 0x0f;
    size_t i;
    int ret;

    CHECK( protect_pages( test, PROT_READ | PROT_WRITE ), 0 );
    CHECK( written( test, 0, TEST_PAGES ), 0 );
    for (i = 0; i < 4; i++) CHECK( read_page( test, i ), 0 );
    if ((ret = written( test, 0, TEST_PAGES )) == pages_read)
        return "reading untouched memory gives private pages here";
    CHECK( ret, 0 );
    return NULL;
}

static const char *test_reset( const struct selftest *test )
{
    write_page( test, 0, 0 );   /* read before; remains all zeros */
    write_page( test, 1, 1 );
    write_page( test, 5, 0 );   /* never touched before; remains all zeros */
    CHECK( written( test, 0, TEST_PAGES ), 0x23 );
    CHECK( written( test, 1, TEST_PAGES ), 0x23 );
    CHECK( written( test, 0, TEST_PAGES ), 0 );
    CHECK( read_page( test, 1 ), 1 );
    write_page( test, 1, 2 );
    CHECK( read_page( test, 1 ), 2 );
    CHECK( written( test, 0, TEST_PAGES ), 0x02 );
    return NULL;
}

/* a query that is stopped by its limit must reset what it reported, and nothing else */
static const char *test_limit( const struct selftest *test )
{
    size_t i;

    for (i = 0; i < TEST_PAGES; i += 2) write_page( test, i, 2 );
    CHECK( written( test, 1, 3 ), 0x07 );
    CHECK( written( test, 0, TEST_PAGES ), 0x5550 );
    CHECK( written( test, 1, TEST_PAGES ), 0x5550 );
    for (i = 0; i < TEST_PAGES; i++) write_page( test, i, 3 );
    CHECK( written( test, 1, TEST_PAGES ), 0xffff );
    CHECK( written( test, 0, TEST_PAGES ), 0 );
    return NULL;
}

static const char *test_discard( const struct selftest *test )
{
    if (test->backend->discard( test->region, page( test, 2 ), page( test, 4 ), DISCARD_RESET ))
        return "self-test: discard failed";
    CHECK( written( test, 0, TEST_PAGES ), 0 );
    CHECK( read_page( test, 2 ), 0 );
    CHECK( written( test, 0, TEST_PAGES ), 0 );
    write_page( test, 2, 0 );
    write_page( test, 3, 1 );
    CHECK( written( test, 0, TEST_PAGES ), 0x0c );
    return NULL;
}

static const char *test_protect( const struct selftest *test )
{
    CHECK( protect_pages( test, PROT_NONE ), 0 );
    CHECK( written( test, 0, TEST_PAGES ), 0x0c );
    CHECK( protect_pages( test, PROT_READ | PROT_WRITE ), 0 );
    write_page( test, 4, 1 );
    CHECK( written( test, 1, TEST_PAGES ), 0x1c );
    CHECK( protect_pages( test, PROT_READ ), 0 );
    CHECK( protect_pages( test, PROT_READ | PROT_WRITE ), 0 );
    write_page( test, 4, 1 );
    CHECK( written( test, 0, TEST_PAGES ), 0x10 );
    return NULL;
}

/* afterwards no fault is served */
static const char *test_detach( const struct selftest *test )
{
    size_t i;

    region_set_state( test->region, REGION_CLOSED );
    test->backend->detach( test->region, page( test, 0 ), page( test, TEST_PAGES ), DETACH_KEEP );
    region_remove( page( test, 0 ), page( test, TEST_PAGES ));
    for (i = 0; i < TEST_PAGES; i++) write_page( test, i, 1 );
    return NULL;
}

/***********************************************************************
 *           selftest_faults
 *
 * Tries a backend on memory of its own. Returns 0, or -errno and the reason. The caller may have
 * blocked the signals that deliver faults.
 */
int selftest_faults( const struct watch_backend *backend, char *reason, size_t len )
{
    static const char * (* const steps[])( const struct selftest * ) =
    {
        test_fresh, test_reset, test_limit, test_discard, test_protect, test_detach
    };
    struct selftest test = { .backend = backend };
    const size_t size = TEST_PAGES << page_shift;
    sigset_t faults, sigset;
    const char *failed = NULL;
    int ret = -ENOMEM;
    size_t i;

    test.base = mmap( NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (test.base == MAP_FAILED)
    {
        snprintf( reason, len, "no memory for the self-test: %s", strerror( errno ));
        return ret;
    }
    sigemptyset( &faults );
    sigaddset( &faults, SIGSEGV );
    sigaddset( &faults, SIGBUS );
    pthread_sigmask( SIG_UNBLOCK, &faults, &sigset );

    if ((test.region = region_insert( page( &test, 0 ), page( &test, TEST_PAGES ), backend )))
        ret = backend->attach( test.region );
    if (ret) snprintf( reason, len, "cannot watch memory: %s", strerror( -ret ));
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
    region_remove( page( &test, 0 ), page( &test, TEST_PAGES ));
    munmap( test.base, size );
    pthread_sigmask( SIG_SETMASK, &sigset, NULL );
    return ret;
}
