/*
 * Mistakes that the tools of make check-hygiene must find: a tool that finds none is not on
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: mistakes NAME, built as the tool wants it. No part of any other program.
 */

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static volatile int counter;

static void *count( void *arg )
{
    int i;

    for (i = 0; i < 1000; i++) counter++;
    return arg;
}

/* for those that read the source */
int mistake_null( int *ptr )
{
    if (!ptr) counter = 1;
    return *ptr;
}

int main( int argc, char *argv[] )
{
    const char *name = argc > 1 ? argv[1] : "";
    int unused;   /* for the compilers */
    volatile int value = INT_MAX;
    pthread_t thread;

    if (!strcmp( name, "address" ))
    {
        volatile char *memory = malloc( argc );

        memory[argc] = 1;
    }
    else if (!strcmp( name, "leak" ))
    {
        void *volatile memory = malloc( 1000 );

        memory = NULL;
        (void)memory;
    }
    else if (!strcmp( name, "undefined" )) value += argc;
    else if (!strcmp( name, "race" ))
    {
        pthread_create( &thread, NULL, count, NULL );
        count( NULL );
        pthread_join( thread, NULL );
    }
    return 0;
}
