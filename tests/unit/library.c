/*
 * Which backend the library takes, and what it says of it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A backend is chosen once in a process: each test is a process of its own. Some are run where
 * userfaultfd is refused (tests/tools/deny_userfaultfd).
 */

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "writewatch.h"

#include "unit.h"

#define PART ((SIZE_T)0x10000)

static char *allocate(void)
{
    return VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
}

/* whether a write is told */
static int works( char *base )
{
    void *pages[16];
    ULONG_PTR count = 16;
    DWORD granularity;

    base[0x3000] = 1;
    return !GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PART, pages, &count, &granularity ) &&
           count == 1 && pages[0] == base + 0x3000 && granularity == 0x1000;
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
    check( !writewatch_backend() && !writewatch_backend_of( pages ) && !writewatch_reason()[0] );
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
    check( writewatch_backend() && !strcmp( writewatch_backend(), writewatch_backend_of( base + 9 )));
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
    check( (base = allocate()) && works( base ) && !strcmp( writewatch_backend_of( base ), "mprotect" ));
}

static void test_environment(void)
{
    char *base;

    setenv( "WRITEWATCH_BACKEND", "mprotect", 1 );
    check( (base = allocate()) && works( base ) && !strcmp( writewatch_backend(), "mprotect" ));
}

static void test_unknown(void)
{
    static const char * const names[] = { "scan", "sigbus", "mprotect", "thread" };
    unsigned int i;
    char *base;

    check( writewatch_open( "magic" ) == -EINVAL );
    check( strstr( writewatch_reason(), "magic" ) != NULL );
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) check( strstr( writewatch_reason(), names[i] ) != NULL );
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

/* the next three where userfaultfd is refused */
static void test_denied(void)
{
    char *base;

    unsetenv( "WRITEWATCH_BACKEND" );
    check( !writewatch_open( NULL ) && !strcmp( writewatch_backend(), "mprotect" ));
    check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
    check( (base = allocate()) && works( base ));
}

static void test_denied_forced(void)
{
    check( writewatch_open( "scan" ) == -ENOTSUP );
    check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
    check( !writewatch_backend() );
    check( !allocate() && GetLastError() == ERROR_NOT_SUPPORTED );
    check( VirtualAlloc( NULL, PART, MEM_COMMIT, PAGE_READWRITE ) != NULL );
}

static void test_denied_environment(void)
{
    setenv( "WRITEWATCH_BACKEND", "sigbus", 1 );
    check( !allocate() && GetLastError() == ERROR_NOT_SUPPORTED );
    check( strstr( writewatch_reason(), "userfaultfd" ) != NULL );
}

static const struct
{
    const char *name;
    void      (*func)(void);
    int         denied;
} tests[] =
{
    { "unopened",            test_unopened, 0 },
    { "by_itself",           test_by_itself, 0 },
    { "chosen",              test_chosen, 0 },
    { "environment",         test_environment, 0 },
    { "unknown",             test_unknown, 0 },
    { "unknown_environment", test_unknown_environment, 0 },
    { "denied",              test_denied, 1 },
    { "denied_forced",       test_denied_forced, 1 },
    { "denied_environment",  test_denied_environment, 1 },
};

int main( int argc, char **argv )
{
    char self[PATH_MAX], deny[PATH_MAX + 64];
    ssize_t len = readlink( "/proc/self/exe", self, sizeof(self) - 1 );
    int status, ret = PASS;
    size_t i;
    pid_t pid;

    if (argc > 1)
    {
        for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
            if (!strcmp( tests[i].name, argv[1] )) tests[i].func();
        return unit_result();
    }

    self[len > 0 ? len : 0] = 0;
    strcpy( deny, self );
    strcat( dirname( deny ), "/../tools/deny_userfaultfd" );
    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
    {
        if (!(pid = fork()))
        {
            if (tests[i].denied) execl( deny, deny, self, tests[i].name, NULL );
            else execl( self, self, tests[i].name, NULL );
            _exit( FAIL );
        }
        if (waitpid( pid, &status, 0 ) != pid || status)
        {
            fprintf( stderr, "%s failed: status %#x\n", tests[i].name, status );
            ret = FAIL;
        }
    }
    return ret;
}
