/*
 * Calls that fail, and what they say: what these tests share
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_UNIT_ERRORS_H
#define WRITEWATCH_UNIT_ERRORS_H

#include <string.h>
#include <sys/mman.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGES 16
#define SIZE  (PAGES * page_size())

static int skipped;

/* the call fails with the error, and the reason has the words */
#define fails( call, error, words ) \
    do \
    { \
        check( (call) == (error) ); \
        check( strstr( writewatch_reason(), words ) != NULL ); \
        if (!strstr( writewatch_reason(), words )) \
            fprintf( stderr, "the reason is \"%s\"\n", writewatch_reason() ); \
    } while (0)

static inline char *map_pages(void)
{
    char *ptr = mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );

    check( ptr != MAP_FAILED );
    return ptr;
}

/* watched memory, or NULL where the backend does not work here */
static inline char *watched( const char *backend )
{
    char *ptr;

    if (writewatch_open( backend ))
    {
        check( writewatch_reason()[0] );
        skipped = unit_skip( backend, writewatch_reason() );
        return NULL;
    }
    ptr = map_pages();
    check( !writewatch_watch( ptr, SIZE ) );
    check( !writewatch_reason()[0] || strstr( writewatch_reason(), "not used" ) );
    return ptr;
}

/* A test is a process of its own, or one for each backend; the last has no name. */
struct error_test
{
    const char *name;
    void      (*func)(void);
    void      (*backend_func)( const char *backend );
};

static const struct error_test *tests;

/* "TEST" or "TEST BACKEND" */
static inline int run_test( const char *name )
{
    const char *backend = strchr( name, ' ' );
    size_t i, len = backend ? (size_t)(backend - name) : strlen( name );

    for (i = 0; tests[i].name; i++)
    {
        if (strlen( tests[i].name ) != len || strncmp( tests[i].name, name, len )) continue;
        if (backend) tests[i].backend_func( backend + 1 );
        else tests[i].func();
        return unit_failures ? FAIL : skipped ? skipped : PASS;
    }
    return FAIL;
}

static inline int run_tests( const struct error_test *all )
{
    const struct unit_backend *backend;
    char name[64];
    int ret = PASS;
    size_t i;

    tests = all;
    unsetenv( "WRITEWATCH_BACKEND" );
    for (i = 0; tests[i].name; i++)
    {
        if (tests[i].func)
        {
            ret = unit_both( ret, unit_in_child( tests[i].name, run_test ));
            continue;
        }
        for (backend = unit_backends; backend->name; backend++)
        {
            snprintf( name, sizeof(name), "%s %s", tests[i].name, backend->backend );
            ret = unit_both( ret, unit_in_child( name, run_test ));
        }
    }
    return ret;
}

#endif /* WRITEWATCH_UNIT_ERRORS_H */
