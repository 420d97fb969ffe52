/*
 * What the library's own calls say of their failures
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every error that a program can bring about is brought about, and its text names what is wrong. A
 * backend is chosen once in a process: each test is a process of its own.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "errors.h"

static void test_nothing_open(void)
{
    struct writewatch_capabilities caps = { .size = sizeof(caps) };
    char page[1];

    page_init();
    check( !writewatch_reason()[0] );
    fails( writewatch_backend(), NULL, "no backend" );
    fails( writewatch_mechanism(), NULL, "no backend" );
    fails( writewatch_backend_of( page ), NULL, "not watched" );
    fails( writewatch_granularity( page ), 0, "not watched" );
    fails( writewatch_capabilities( NULL, &caps ), -ENOENT, "not watched" );
    fails( writewatch_unwatch( map_pages(), SIZE ), -ENOENT, "watched" );
    check( !writewatch_prepare( page, sizeof(page) ) && !writewatch_reason()[0] );
}

static void test_open(void)
{
    char *ptr;

    fails( writewatch_open( "magic" ), -EINVAL, "magic" );
    /* it still says so beside calls that ask for more */
    check( !writewatch_backend() && strstr( writewatch_reason(), "magic" ) );
    ptr = map_pages();
    fails( writewatch_watch( ptr, SIZE ), -EINVAL, "magic" );
    check( !writewatch_open( "mprotect" ) && !writewatch_reason()[0] );
    check( !writewatch_watch( ptr, SIZE ) );
    fails( writewatch_open( "mprotect" ), -EBUSY, "watched already" );
    check( !writewatch_check( ptr, SIZE ) );
}

/* what a Windows call says is not hidden behind an older failure */
static void test_windows_calls(void)
{
    char *ptr;

    page_init();
    setenv( "WRITEWATCH_BACKEND", "magic", 1 );
    fails( writewatch_unwatch( (void *)1, SIZE ), -EINVAL, "whole pages" );
    ptr = VirtualAlloc( NULL, SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( !ptr && strstr( writewatch_reason(), "magic" ) );
}

static void test_denied(void)
{
    struct sock_filter filter[] =
    {
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1 ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ),
    };
    struct writewatch_tracker *tracker;
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };
    char *ptr;

    page_init();
    check( !prctl( PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 ));
    check( !prctl( PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program ));
    fails( writewatch_open( "scan" ), -ENOTSUP, "userfaultfd" );
    ptr = map_pages();
    fails( writewatch_watch( ptr, SIZE ), -ENOTSUP, "userfaultfd" );
    fails( writewatch_tracker_open( &tracker, ptr, SIZE, 0 ), -ENOTSUP, "userfaultfd" );
    /* after a success it says why a better backend is not used, and after a failure that */
    check( !writewatch_open( NULL ) && strstr( writewatch_reason(), "userfaultfd" ) );
    fails( writewatch_watch( ptr + 1, SIZE ), -EINVAL, "whole pages" );
    check( !writewatch_watch( ptr, SIZE ) && strstr( writewatch_reason(), "userfaultfd" ) );
}

/* ranges and memory that are wrong with any backend */
static void test_ranges( const char *backend )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_range ranges[4];
    struct writewatch_capabilities caps = { .size = sizeof(caps) };
    struct writewatch_restore *restore;
    char *ptr, *other, *half;
    void *moved;

    page_init();
    if (!(ptr = watched( backend ))) return;
    other = map_pages();
    half = map_pages();
    check( !munmap( half + SIZE / 2, SIZE / 2 ) );

    fails( writewatch_watch( other + 1, SIZE ), -EINVAL, "whole pages" );
    fails( writewatch_watch( half, SIZE ), -EINVAL, "not mapped" );
    fails( writewatch_unwatch( ptr + 1, SIZE ), -EINVAL, "whole pages" );
    fails( writewatch_unwatch( other, SIZE ), -ENOENT, "watched" );
    fails( writewatch_backend_of( other ), NULL, "not watched" );
    fails( writewatch_granularity( other ), 0, "not watched" );
    fails( writewatch_check( ptr, 0 ), -EINVAL, "size is 0" );
    fails( writewatch_check( other, SIZE ), -ENOENT, "watched region" );
    fails( writewatch_fill( ptr + 1, other, SIZE ), -EINVAL, "whole pages" );
    fails( writewatch_fill( half, other, page_size() ), -ENOENT, "watched region" );
    fails( writewatch_prepare( (void *)-(uintptr_t)page_size(), 2 * page_size() ), -EINVAL,
           "wraps around" );
    fails( writewatch_prepare( half, SIZE ), -EFAULT, "written" );
    fails( writewatch_restore_start( &restore, ptr + 1, SIZE, 0, 0 ), -EINVAL, "whole pages" );
    fails( writewatch_restore_start( &restore, ptr, SIZE, -1, 0 ), -EBADF, "descriptor" );
    fails( writewatch_list( ptr, 0, &filter, ranges, 4, NULL ), -EINVAL, "no page" );
    fails( writewatch_list( ptr, SIZE, &filter, ranges, 0, NULL ), -EINVAL, "no room" );
    fails( writewatch_list( other, SIZE, &filter, ranges, 4, NULL ), -ENOENT, "not watched" );
    fails( writewatch_poll( ptr, 0, 0, ranges, 4, NULL ), -EINVAL, "no page" );
    fails( writewatch_poll( ptr, SIZE, 0, ranges, 0, NULL ), -EINVAL, "no room" );
    fails( writewatch_poll( ptr, SIZE, 0x100, ranges, 4, NULL ), -EINVAL, "flag" );
    fails( writewatch_poll( other, SIZE, 0, ranges, 4, NULL ), -ENOENT, "not watched" );
    fails( writewatch_drop( ptr + 1, SIZE, MADV_DONTNEED ), -EINVAL, "whole pages" );
    fails( writewatch_drop( ptr, SIZE, MADV_NORMAL ), -EINVAL, "advice" );
    fails( writewatch_drop( ptr, SIZE, MADV_REMOVE ), -EINVAL, "not shared" );
    fails( writewatch_drop( half, SIZE, MADV_DONTNEED ), -ENOMEM, "not mapped" );
    moved = ptr + 1;
    fails( writewatch_remap( &moved, SIZE, 2 * SIZE, 0 ), -EINVAL, "whole pages" );
    moved = ptr;
    fails( writewatch_remap( &moved, SIZE, 2 * SIZE, MREMAP_FIXED ), -EINVAL, "MREMAP_MAYMOVE" );
    moved = other;
    fails( writewatch_remap( &moved, SIZE, 2 * SIZE, 0 ), -ENOENT, "watched region" );
    check( moved == other );
    fails( writewatch_capabilities( other, &caps ), -ENOENT, "not watched" );
    caps.size = 8;
    fails( writewatch_capabilities( ptr, &caps ), -EINVAL, "smaller" );
    filter.returned = (uint64_t)1 << 40;
    fails( writewatch_list( ptr, SIZE, &filter, ranges, 4, NULL ), -EINVAL, "category" );
    filter.returned = 0;
    filter.flags = 0x100;
    fails( writewatch_list( ptr, SIZE, &filter, ranges, 4, NULL ), -EINVAL, "flag" );
    filter.flags = 0;
    filter.reserved[2] = 1;
    fails( writewatch_list( ptr, SIZE, &filter, ranges, 4, NULL ), -EINVAL, "reserved" );
    filter.reserved[2] = 0;

    /* a success ends it, for queries and for the others */
    check( writewatch_list( ptr, SIZE, &filter, ranges, 4, NULL ) == 0 );
    check( !strstr( writewatch_reason(), "category" ) );

    check( !munmap( ptr + SIZE / 2, page_size() ) );
    fails( writewatch_check( ptr, SIZE ), -ENOMEM, "not mapped" );
    fails( writewatch_list( ptr, SIZE, &filter, ranges, 4, NULL ), -EFAULT, "not mapped" );
    fails( writewatch_poll( ptr, SIZE, 0, ranges, 4, NULL ), -EFAULT, "not mapped" );
}

/* what only some backends can do, and scan refuses in other ways */
static void test_abilities( const char *backend )
{
    int scan = !strncmp( backend, "scan", 4 ), fds[2], fd = unit_temp_file();
    struct writewatch_filter filter = { .required = WRITEWATCH_ZERO };
    struct writewatch_restore *restore;
    struct writewatch_range ranges[4];
    char *ptr, *other;

    page_init();
    if (!(ptr = watched( backend ))) return;
    other = map_pages();
    check( fd != -1 && !pipe( fds ) );
    fails( writewatch_restore_start( &restore, ptr, SIZE, fds[0], 0 ), -ESPIPE, "pipe" );
    fails( writewatch_restore_start( &restore, other, SIZE, fd, 0 ), -ENOENT, "watched region" );
    fails( writewatch_restore_start( &restore, ptr, SIZE, fd, -1 ), -EINVAL, "negative" );
    if (!scan)
    {
        fails( writewatch_fill( ptr, other, page_size() ), -EOPNOTSUPP, "only scan" );
        fails( writewatch_restore_start( &restore, ptr, SIZE, fd, 0 ), -EOPNOTSUPP, "only scan" );
        fails( writewatch_list( ptr, SIZE, &filter, ranges, 4, NULL ), -EOPNOTSUPP, "only scan" );
    }
    else
    {
        ptr[0] = 1;
        fails( writewatch_fill( ptr, other, page_size() ), -EEXIST, "exists" );
        fails( writewatch_fill( ptr + page_size(), (void *)8, page_size() ), -EFAULT, "read" );
        check( !writewatch_restore_start( &restore, ptr, SIZE, fd, 0 ) );
        fails( writewatch_restore_start( &restore, ptr, SIZE, fd, 0 ), -EBUSY, "restored" );
        writewatch_restore_stop( restore );
        /* of a file there are no missing pages */
        check( !ftruncate( fd, SIZE ) );
        other = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0 );
        check( other != MAP_FAILED && !writewatch_watch( other, SIZE ) );
        fails( writewatch_fill( other, &ptr[0], page_size() ), -EOPNOTSUPP, "maps a file" );
        fails( writewatch_restore_start( &restore, other, SIZE, fd, 0 ), -EOPNOTSUPP,
               "maps a file" );
    }
}

/* memory that was mapped over, or that faults cannot be served on */
static void test_memory( const char *backend )
{
    char *ptr, *vdso = NULL;
    char line[256];
    FILE *file;

    page_init();
    if (!(ptr = watched( backend ))) return;
    check( mmap( ptr, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0 ) == ptr );
    fails( writewatch_check( ptr, SIZE ), -EPERM, "replaced" );

    file = fopen( "/proc/self/maps", "r" );
    while (file && fgets( line, sizeof(line), file ))
        if (strstr( line, "[vvar]" )) vdso = (char *)(uintptr_t)strtoull( line, NULL, 16 );
    if (file) fclose( file );
    if (vdso) fails( writewatch_watch( vdso, page_size() ), -EOPNOTSUPP, "device" );
    else printf( "no [vvar] is mapped here\n" );

    if (strncmp( backend, "scan", 4 ) && strcmp( backend, "softdirty" ))
        fails( writewatch_watch( (void *)round_down( (uintptr_t)line ), page_size() ), -EDEADLK,
               "stack" );
}

/* another userfaultfd owns the memory, and the others do not work by that */
static void test_owned(void)
{
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
    int uffd = syscall( SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY );
    char *ptr;

    page_init();
    if (uffd == -1 || ioctl( uffd, UFFDIO_API, &api ))
    {
        skipped = unit_skip( "thread", "there is no userfaultfd" );
        return;
    }
    if (!watched( "thread" )) return;
    ptr = map_pages();
    reg.range.start = (uintptr_t)ptr;
    reg.range.len = SIZE;
    check( !ioctl( uffd, UFFDIO_REGISTER, &reg ) );
    if (writewatch_watch( ptr, SIZE )) check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
    else check( strcmp( writewatch_backend_of( ptr ), "thread" ) );
}

static void *fail_elsewhere( void *arg )
{
    check( !writewatch_reason()[0] );
    fails( writewatch_check( arg, 0 ), -EINVAL, "size is 0" );
    return NULL;
}

/* each thread has its own failure; a child begins without one */
static void test_threads(void)
{
    pthread_t thread;
    char *ptr;
    int status;
    pid_t pid;

    page_init();
    check( (ptr = watched( "mprotect" )) != NULL );
    fails( writewatch_watch( ptr + 1, SIZE ), -EINVAL, "whole pages" );
    check( !pthread_create( &thread, NULL, fail_elsewhere, ptr ) && !pthread_join( thread, NULL ));
    check( strstr( writewatch_reason(), "whole pages" ) != NULL );
    if (!(pid = fork())) _exit( writewatch_reason()[0] != 0 );
    check( waitpid( pid, &status, 0 ) == pid && !status );
    check( strstr( writewatch_reason(), "whole pages" ) != NULL );
    check( writewatch_version() == WRITEWATCH_VERSION && writewatch_granularity( ptr ) );
    check( strstr( writewatch_reason(), "whole pages" ) != NULL );
}

static const struct error_test all_tests[] =
{
    { "nothing_open",  test_nothing_open,  NULL },
    { "open",          test_open,          NULL },
    { "windows_calls", test_windows_calls, NULL },
    { "denied",        test_denied,        NULL },
    { "owned",         test_owned,         NULL },
    { "threads",       test_threads,       NULL },
    { "ranges",        NULL,               test_ranges },
    { "abilities",     NULL,               test_abilities },
    { "memory",        NULL,               test_memory },
    { NULL,            NULL,               NULL },
};

int main(void)
{
    return run_tests( all_tests );
}
