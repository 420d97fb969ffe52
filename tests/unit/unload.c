/*
 * A program that unloads the library keeps its own faults
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library's handlers stay installed, as others may have been put on top of them: so does the
 * library.
 */

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>

#include "sys/page.h"
#include "unit.h"

static sigjmp_buf back;
static volatile int handled;

static void handler( int sig )
{
    handled = sig;
    siglongjmp( back, 1 );
}

/***********************************************************************
 *           fault
 *
 * Whether the program's own handler is given a fault of its own memory.
 */
static int fault( volatile char *page )
{
    handled = 0;
    if (!sigsetjmp( back, 1 )) *page = 1;
    return handled;
}

/***********************************************************************
 *           use_library
 *
 * Loads it, opens a backend and unloads it. Returns whether there is such a backend.
 */
static int use_library( const char *backend )
{
    const char *dir = getenv( "top_builddir" );
    int (*open_library)( const char * );
    char path[4096];
    void *handle;
    int ret;

    snprintf( path, sizeof(path), "%s/libwritewatch.so.0", dir ? dir : "." );
    if (!(handle = dlopen( path, RTLD_NOW )))
    {
        fprintf( stderr, "%s\n", dlerror() );
        exit( FAIL );
    }
    open_library = (int (*)( const char * ))dlsym( handle, "writewatch_open" );
    check( open_library != NULL );
    ret = open_library && !open_library( backend );
    check( !dlclose( handle ));
    return ret;
}

int main(void)
{
    const struct unit_backend *backend;
    struct sigaction action = { .sa_handler = handler };
    char *page = mmap( NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    unsigned int opened = 0;
    int fd = unit_temp_file();
    char *hole;

    check( page != MAP_FAILED );
    check( fd != -1 );
    hole = mmap( NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( hole != MAP_FAILED );
    for (backend = unit_backends; backend->name; backend++)
    {
        if (backend->old_kernel) continue;
        check( !sigaction( SIGSEGV, &action, NULL ) && !sigaction( SIGBUS, &action, NULL ));
        opened += use_library( backend->backend );
        /* what came to the program before, and what is installed later */
        check( fault( page ) == SIGSEGV );
        check( fault( hole ) == SIGBUS );
        check( !sigaction( SIGSEGV, &action, NULL ) && !sigaction( SIGBUS, &action, NULL ));
        check( fault( page ) == SIGSEGV );
        check( fault( hole ) == SIGBUS );
    }
    check( opened );
    return unit_result();
}
