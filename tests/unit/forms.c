/*
 * The two forms of the scan backend: which one is taken, and that a wrong one is refused
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A kernel that has no shared page of zeros is imitated: the linker puts a function of ours before
 * ioctl(), which registers memory for missing pages as well, and a thread answers each first touch
 * with a private page. It is protected only if the entry held a marker, as the kernel does it.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PART       (16 * page_size())
#define PM_UFFD_WP ((uint64_t)1 << 57)

static const char private_pages[] = "reading untouched memory gives private pages here";

static int imitate;          /* from now on memory is registered in that way */
static int server_fd = -1;

int __real_ioctl( int fd, unsigned long request, void *arg );
int __wrap_ioctl( int fd, unsigned long request, void *arg );

static void *serve_first_touches( void *arg )
{
    static char zeros[65536];
    int pagemap = open( "/proc/self/pagemap", O_RDONLY | O_CLOEXEC );
    struct pollfd poll_fd = { .fd = server_fd, .events = POLLIN };
    struct uffdio_copy copy;
    struct uffdio_range wake;
    struct uffd_msg msg;
    uint64_t entry;

    (void)arg;
    for (;;)
    {
        /* not for ever: the number comes to stand for another userfaultfd meanwhile */
        poll( &poll_fd, 1, 1 );
        if (read( server_fd, &msg, sizeof(msg) ) != sizeof(msg)) continue;
        if (msg.event != UFFD_EVENT_PAGEFAULT) continue;
        memset( &copy, 0, sizeof(copy) );
        copy.dst = round_down( msg.arg.pagefault.address );
        copy.src = (uintptr_t)zeros;
        copy.len = page_size();
        if (pread( pagemap, &entry, sizeof(entry),
                   (off_t)(copy.dst >> page_shift) * sizeof(entry) ) != sizeof(entry)) exit( 99 );
        if (entry & PM_UFFD_WP) copy.mode = UFFDIO_COPY_MODE_WP;
        wake.start = copy.dst;
        wake.len   = copy.len;
        if (__real_ioctl( server_fd, UFFDIO_COPY, &copy ))
            __real_ioctl( server_fd, UFFDIO_WAKE, &wake );
    }
    return NULL;
}

int __wrap_ioctl( int fd, unsigned long request, void *arg )
{
    struct uffdio_register *reg = arg;
    pthread_t thread;

    if (imitate && request == UFFDIO_REGISTER)
    {
        reg->mode |= UFFDIO_REGISTER_MODE_MISSING;
        if (server_fd == -1)
        {
            server_fd = fd;
            check( !pthread_create( &thread, NULL, serve_first_touches, NULL ));
        }
        /* what is opened next most often gets the same number */
        check( fd == server_fd );
    }
    return __real_ioctl( fd, request, arg );
}

static unsigned int written( char *base )
{
    void *addresses[16];
    ULONG_PTR count = 16;
    DWORD granularity;

    if (GetWriteWatch( 0, base, PART, addresses, &count, &granularity )) return ~0u;
    return count;
}

/* what is read is not written, in memory that is committed at once or by and by */
static void use_memory(void)
{
    char *base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                               PAGE_READWRITE );
    size_t i;

    check( base != NULL );
    if (!base) return;
    for (i = 0; i < 16; i += 2) check( !base[i * page_size()] );
    check( !written( base ));
    base[0] = 0;
    base[page_size()] = 0;
    check( written( base ) == 2 );
    check( VirtualAlloc( base, PART, MEM_RESET, PAGE_READWRITE ) == base );
    for (i = 0; i < 16; i++) check( !base[i * page_size()] );
    check( written( base ) == 2 );
    check( VirtualFree( base, PART, MEM_DECOMMIT ));
    check( VirtualAlloc( base, PART, MEM_COMMIT, PAGE_READWRITE ) == base );
    for (i = 0; i < 16; i++) check( !base[i * page_size()] );
    check( written( base ) == 2 );
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

static void test_names(void)
{
    check( writewatch_open( "scan:magic" ) == -EINVAL );
    check( strstr( writewatch_reason(), "scan:magic;" ) != NULL );
    check( strstr( writewatch_reason(), " scan:unmarked, scan:marked, sigbus" ) != NULL );
    check( writewatch_open( "scan:" ) == -EINVAL );
    check( writewatch_open( "mprotect:marked" ) == -EINVAL );
    check( writewatch_open( "sca" ) == -EINVAL );
    check( !writewatch_backend() && !writewatch_mechanism() );
}

static void test_marked(void)
{
    check( !writewatch_open( "scan:marked" ));
    check( !strcmp( writewatch_backend(), "scan" ) && !writewatch_reason()[0] );
    check( strstr( writewatch_mechanism(), ", marked at commit" ) != NULL );
    use_memory();
}

/* this kernel as it is */
static void test_unmarked(void)
{
    if (unit_has_zero_page())
    {
        check( !writewatch_open( "scan:unmarked" ));
        check( strstr( writewatch_mechanism(), ", unmarked" ) != NULL );
        check( !writewatch_open( "scan" ));
        check( strstr( writewatch_mechanism(), ", unmarked" ) != NULL );
    }
    else
    {
        check( writewatch_open( "scan:unmarked" ) == -ENOTSUP );
        check( !strcmp( writewatch_reason(), private_pages ));
        check( !writewatch_open( "scan" ));
        check( strstr( writewatch_mechanism(), ", marked at commit" ) != NULL );
    }
    use_memory();
}

static void test_imitation_unmarked(void)
{
    imitate = 1;
    check( writewatch_open( "scan:unmarked" ) == -ENOTSUP );
    check( !strcmp( writewatch_reason(), private_pages ));
    check( !writewatch_backend() );
}

static void test_imitation(void)
{
    imitate = 1;
    check( !writewatch_open( "scan" ));
    check( writewatch_mechanism() && strstr( writewatch_mechanism(), ", marked at commit" ));
    check( !writewatch_reason()[0] );
    use_memory();
}

static void (* const tests[])(void) =
{
    test_names, test_marked, test_unmarked, test_imitation_unmarked, test_imitation
};

/* the test of this number */
static int run( const char *number )
{
    tests[atoi( number )]();
    return unit_result();
}

/* whether scan works here; not asked in the process that the tests begin in */
static int opens( const char *backend )
{
    return writewatch_open( backend ) ? unit_skip( backend, writewatch_reason() ) : PASS;
}

int main(void)
{
    int ret;
    size_t i;

    page_init();
    ret = unit_in_child( unit_scan(), opens );
    if (ret != PASS) return ret;
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
    {
        char number[8];

        snprintf( number, sizeof(number), "%zu", i );
        ret = unit_both( ret, unit_in_child( number, run ) == PASS ? PASS : FAIL );
    }
    return ret;
}
