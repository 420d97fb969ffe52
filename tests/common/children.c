/*
 * Parts of a test that run in processes of their own, and once with each backend
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "fault/userfault.h"
#include "sys/page.h"

/* tests ask for the size of a page before they call anything that finds it out */
__attribute__((constructor)) static void find_page_size(void)
{
    page_init();
}

const struct unit_backend unit_backends[] =
{
    { "scan",          "scan",          0 },
    { "scan:unmarked", "scan:unmarked", 0 },
    { "scan:marked",   "scan:marked",   0 },
    { "sigbus",        "sigbus",        0 },
    { "sigbus-old",    "sigbus",        1 },
    { "mprotect",      "mprotect",      0 },
    { "thread",        "thread",        0 },
    { "thread-old",    "thread",        1 },
    { "softdirty",     "softdirty",     0 },
    { NULL, NULL, 0 }
};

/* what wait() says of a child that runs a function; -1 if there is no child */
static int status_of( int (*run)( const char *name ), const char *name )
{
    int status;
    pid_t pid;

    fflush( NULL );
    if (!(pid = fork()))
    {
        alarm( UNIT_HANGS );
        exit( run( name ));
    }
    if (pid == -1 || waitpid( pid, &status, 0 ) != pid) return -1;
    return status;
}

/* PASS, FAIL or SKIP, and a line about it */
static int verdict( const char *name, int status )
{
    if (status == PASS << 8) printf( "%s: passed\n", name );
    else if (status == -1) printf( "%s: there is no child\n", name );
    else if (WIFSIGNALED( status )) printf( "%s: ended by signal %d\n", name, WTERMSIG( status ));
    else if (status == SKIP << 8) return SKIP;
    else printf( "%s: failed, exit status %d\n", name, WEXITSTATUS( status ));
    return status == PASS << 8 ? PASS : FAIL;
}

int unit_in_child( const char *name, int (*run)( const char *name ))
{
    return verdict( name, status_of( run, name ));
}

int unit_both( int first, int second )
{
    if (first == SKIP) return second;
    return second == SKIP ? first : first == PASS ? second : first;
}

/* whether the command line names it, or none at all */
static int is_wanted( int argc, char *argv[], const char *name )
{
    int i;

    for (i = 1; i < argc; i++) if (!strcmp( argv[i], name )) return 1;
    return argc <= 1;
}

int unit_each_backend( int argc, char *argv[], unsigned int backends,
                       int (*run)( const char *backend ))
{
    const struct unit_backend *backend;
    int ret = SKIP, status;

    for (backend = unit_backends; backend->name; backend++)
    {
        if (!(backends & (1u << (backend - unit_backends)))) continue;
        if (!is_wanted( argc, argv, backend->name )) continue;
        userfault_old_kernel = backend->old_kernel;
        status = status_of( run, backend->backend );
        ret = unit_both( ret, verdict( backend->name, status ));
        if (status == -1 || WIFSIGNALED( status )) break;
    }
    userfault_old_kernel = 0;
    return ret;
}

unsigned int unit_backend_bit( const char *backend )
{
    unsigned int i;

    for (i = 0; unit_backends[i].name; i++)
        if (!strcmp( unit_backends[i].backend, backend )) return 1u << i;
    return 0;
}
