/*
 * Which backend the library takes, and what it says of it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A backend is chosen once in a process: each test is a process of its own. In some, userfaultfd is
 * refused.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PART (16 * (SIZE_T)page_size())

static char *allocate(void)
{
    return VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
}

/* whether a write is reported */
static int works( char *base )
{
    void *pages[16];
    ULONG_PTR count = 16;
    DWORD granularity;

    base[3 * page_size()] = 1;
    return !GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PART, pages, &count, &granularity ) &&
           count == 1 && pages[0] == base + 3 * page_size() && granularity == page_size();
}

/* Rows 1 to 5 before anything was opened: errors, and no crash by bad pointers. */
static void test_unopened(void)
{
    void *pages[4];
    ULONG_PTR count = 4;
    DWORD granularity;

    check( GetWriteWatch( 0, pages, 8, pages, (void *)8, &granularity ) == ~0u );
    check( GetLastError() == ERROR_NOACCESS );
    check( GetWriteWatch( 0, pages, 8, pages, &count, &granularity ) == ~0u );
    check( GetLastError() == ERROR_INVALID_PARAMETER );
    check( ResetWriteWatch( pages, 8 ) == ~0u );
    check( !writewatch_reason()[0] );
    check( !writewatch_backend() && writewatch_reason()[0] );
    check( !writewatch_backend_of( pages ) && writewatch_reason()[0] );
}

static void test_by_itself(void)
{
    char *base;

    unsetenv( "WRITEWATCH_BACKEND" );
    check( (base = allocate()) != NULL );
    if (!base)
    {
        fprintf( stderr, "%s\n", writewatch_reason() );
        return;
    }
    check( works( base ));
    check( writewatch_backend() != NULL );
    check( !strcmp( writewatch_backend(), writewatch_backend_of( base + 9 )));
    check( !writewatch_backend_of( base + PART ) && !writewatch_backend_of( &base ));
    check( writewatch_open( "mprotect" ) == -EBUSY );
    check( strstr( writewatch_reason(), writewatch_backend() ) != NULL );
    check( works( base ));
    check( VirtualFree( base, 0, MEM_RELEASE ));
    check( !writewatch_backend_of( base ));
}

static void test_chosen(void)
{
    char *base;

    check( !writewatch_open( "mprotect" ));
    check( !strcmp( writewatch_backend(), "mprotect" ) && !writewatch_reason()[0] );
    /* it may be chosen anew as long as nothing is watched */
    check( !writewatch_open( "mprotect" ));
    check( (base = allocate()) && works( base ));
    check( !strcmp( writewatch_backend_of( base ), "mprotect" ));
}

static void test_environment(void)
{
    char *base;

    setenv( "WRITEWATCH_BACKEND", "mprotect", 1 );
    check( (base = allocate()) && works( base ) && !strcmp( writewatch_backend(), "mprotect" ));
}

static void test_unknown(void)
{
    const struct unit_backend *known;
    char *base;

    check( writewatch_open( "magic" ) == -EINVAL );
    check( strstr( writewatch_reason(), "magic" ) != NULL );
    /* of a form the backend's name is there */
    for (known = unit_backends; known->name; known++)
        if (!strchr( known->name, ':' ))
            check( strstr( writewatch_reason(), known->backend ) != NULL );
    check( !writewatch_backend() );
    check( !allocate() && GetLastError() == ERROR_NOT_SUPPORTED );
    check( (base = VirtualAlloc( NULL, PART, MEM_COMMIT, PAGE_READWRITE )) != NULL );
    check( writewatch_watch( base, PART ) == -EINVAL );
    check( !writewatch_open( "mprotect" ) && (base = allocate()) && works( base ));
}

static void test_unknown_environment(void)
{
    setenv( "WRITEWATCH_BACKEND", "magic", 1 );
    check( !allocate() && GetLastError() == ERROR_NOT_SUPPORTED );
    check( strstr( writewatch_reason(), "magic" ) && strstr( writewatch_reason(), "mprotect" ));
    check( !writewatch_backend() );
    check( !allocate() );
    check( writewatch_open( NULL ) == -EINVAL );
}

/* from now on the process gets no userfaultfd, as in many sandboxes */
static void deny_userfaultfd(void)
{
    struct sock_filter filter[] =
    {
        BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )),
        BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1 ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM ),
        BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    check( !prctl( PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 ));
    check( !prctl( PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program ));
}

static void test_denied(void)
{
    char *base;

    deny_userfaultfd();
    unsetenv( "WRITEWATCH_BACKEND" );
    check( !writewatch_open( NULL ) && !strcmp( writewatch_backend(), "mprotect" ));
    check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
    check( (base = allocate()) && works( base ));
}

static void test_denied_forced(void)
{
    deny_userfaultfd();
    check( writewatch_open( "scan" ) == -ENOTSUP );
    check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
    check( !writewatch_backend() );
    check( !allocate() && GetLastError() == ERROR_NOT_SUPPORTED );
    check( VirtualAlloc( NULL, PART, MEM_COMMIT, PAGE_READWRITE ) != NULL );
}

static void test_denied_environment(void)
{
    deny_userfaultfd();
    setenv( "WRITEWATCH_BACKEND", "sigbus", 1 );
    check( !allocate() && GetLastError() == ERROR_NOT_SUPPORTED );
    check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
}

static const struct
{
    const char *name;
    void      (*func)(void);
} tests[] =
{
    { "unopened",            test_unopened },
    { "by_itself",           test_by_itself },
    { "chosen",              test_chosen },
    { "environment",         test_environment },
    { "unknown",             test_unknown },
    { "unknown_environment", test_unknown_environment },
    { "denied",              test_denied },
    { "denied_forced",       test_denied_forced },
    { "denied_environment",  test_denied_environment },
};

static int run( const char *name )
{
    size_t i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        if (!strcmp( tests[i].name, name )) tests[i].func();
    return unit_result();
}

int main( int argc, char **argv )
{
    int ret = PASS;
    size_t i;

    if (argc > 2 && !strcmp( argv[1], "probe" ))   /* for scripts: whether a backend works here */
    {
        if (!writewatch_open( argv[2] )) return PASS;
        printf( "%s\n", writewatch_reason() );
        return SKIP;
    }
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        ret = unit_both( ret, unit_in_child( tests[i].name, run ));
    return ret;
}
