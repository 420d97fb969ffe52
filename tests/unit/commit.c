/*
 * Committing watched memory: before it is accessible, and what was committed before stays
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The linker puts a function of ours before watch_commit() in calls of the memory manager; it can
 * be made to fail.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "writewatch.h"

#include "engine/watch.h"
#include "sys/page.h"
#include "unit.h"

#define PART (16 * page_size())

static int commits, commit_error;
static int check_access;   /* memory that is committed must have no access yet */

int __real_watch_commit( void *base, size_t size );
int __wrap_watch_commit( void *base, size_t size );

/* whether a page can be read: the kernel looks for a path there */
static int has_access( const void *addr )
{
    return faccessat( AT_FDCWD, addr, F_OK, 0 ) != -1 || errno != EFAULT;
}

int __wrap_watch_commit( void *base, size_t size )
{
    size_t i;

    commits++;
    for (i = 0; check_access && i < size; i += page_size())
        check( !has_access( (char *)base + i ));
    return commit_error ? commit_error : __real_watch_commit( base, size );
}

static unsigned int written( char *base, size_t size )
{
    static void *addresses[1024];
    ULONG_PTR count = 1024;
    DWORD granularity;

    if (GetWriteWatch( 0, base, size, addresses, &count, &granularity )) return ~0u;
    return count;
}

static void test_order(void)
{
    char *base;

    check_access = 1;
    base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( base && commits == 1 );
    check( VirtualFree( base, 0, MEM_RELEASE ));

    base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( base && commits == 1 );
    check( VirtualAlloc( base, PART / 2, MEM_COMMIT, PAGE_READWRITE ) == base && commits == 2 );
    check( VirtualAlloc( base + PART / 2, page_size(), MEM_COMMIT, PAGE_NOACCESS ) );
    check( commits == 3 );
    check( VirtualFree( base, page_size(), MEM_DECOMMIT ));
    check( VirtualAlloc( base, page_size(), MEM_COMMIT, PAGE_READONLY ) && commits == 4 );
    check_access = 0;
    check( !written( base, PART ));
    (void)*(volatile char *)base;
    (void)*(volatile char *)(base + page_size());
    check( !written( base, PART ));
    check( VirtualFree( base, 0, MEM_RELEASE ));

    base = VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER, PAGE_NOACCESS,
                          NULL, 0 );
    check_access = 1;
    commits = 0;
    check( VirtualAlloc2( NULL, base, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH |
                          MEM_REPLACE_PLACEHOLDER, PAGE_READWRITE, NULL, 0 ) == base );
    check( commits == 1 );
    check_access = 0;
    (void)*(volatile char *)base;
    base[page_size()] = 1;
    check( written( base, PART ) == 1 );
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

/* pages that were committed keep their state when they are committed again */
static void test_again(void)
{
    char *base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    size_t i;

    check( VirtualAlloc( base, PART / 2, MEM_COMMIT, PAGE_READWRITE ) == base );
    for (i = 0; i < 4; i++) base[i * page_size()] = 0;
    check( !ResetWriteWatch( base, 2 * page_size() ));
    (void)*(volatile char *)(base + 5 * page_size());
    check( VirtualAlloc( base, PART, MEM_COMMIT, PAGE_READWRITE ) == base );
    check( written( base, PART ) == 2 );
    for (i = 0; i < 16; i++) (void)*(volatile char *)(base + i * page_size());
    check( written( base, PART ) == 2 );
    base[9 * page_size()] = 0;
    base[0] = 0;
    check( written( base, PART ) == 4 );

    check( VirtualFree( base, PART, MEM_DECOMMIT ));
    check( written( base, PART ) == 4 );
    check( VirtualAlloc( base, PART, MEM_COMMIT, PAGE_READWRITE ) == base );
    for (i = 0; i < 16; i++) check( !*(volatile char *)(base + i * page_size()) );
    check( written( base, PART ) == 4 );
    check( !ResetWriteWatch( base, PART ) && !written( base, PART ));
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

/* what cannot be prepared is not committed */
static void test_failure(void)
{
    static const int errors[] = { -ENOMEM, -EPERM, -EFAULT, -EAGAIN };
    MEMORY_BASIC_INFORMATION info;
    unsigned int i;
    char *base;

    base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    check( VirtualAlloc( base, page_size(), MEM_COMMIT, PAGE_READWRITE ) == base );
    base[0] = 1;
    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
    {
        commit_error = errors[i];
        check( !VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                              PAGE_READWRITE ) && GetLastError() == ERROR_NOT_ENOUGH_MEMORY );
        check( !VirtualAlloc( base, PART, MEM_COMMIT, PAGE_READWRITE ));
        check( GetLastError() == ERROR_NOT_ENOUGH_MEMORY );
        commit_error = 0;
        check( VirtualQuery( base, &info, sizeof(info) ) && info.RegionSize == page_size() );
        check( VirtualQuery( base + page_size(), &info, sizeof(info) ));
        check( info.State == MEM_RESERVE && !has_access( base + page_size() ));
        check( written( base, PART ) == 1 );
    }
    check( VirtualAlloc( base, PART, MEM_COMMIT, PAGE_READWRITE ) == base );
    (void)*(volatile char *)(base + page_size());
    check( written( base, PART ) == 1 );
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

/* memory that is only reserved costs no page tables, whatever is asked, reset or decommitted */
static void test_reserve(void)
{
    const size_t size = LARGE( 64 );
    long before = unit_page_tables();
    char *base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );

    check( base && before > 0 );
    if (!base) return;
    check( VirtualAlloc( base + size / 2, PART, MEM_COMMIT, PAGE_READWRITE ) != NULL );
    base[size / 2] = 1;
    check( written( base, size ) == 1 );
    check( VirtualAlloc( base, size, MEM_RESET, PAGE_READWRITE ) == base );
    check( written( base, size ) == 1 );
    check( !ResetWriteWatch( base, size ) && !written( base, size ));
    check( VirtualFree( base, size, MEM_DECOMMIT ));
    check( unit_page_tables() < before + 1024 );
    check( VirtualFree( base, 0, MEM_RELEASE ));
}

int main( int argc, char *argv[] )
{
    const char *backend = argc > 1 ? argv[1] : "scan";

    page_init();
    if (writewatch_open( unit_form( backend )))
    {
        printf( "%s\n", writewatch_reason() );
        return SKIP;
    }
    printf( "%s\n", writewatch_mechanism() );
    test_order();
    test_again();
    test_failure();
    if (!strcmp( backend, "scan" )) test_reserve();
    return unit_result();
}
