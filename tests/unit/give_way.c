/*
 * Queries beside threads that are counted as changing the address space
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>

#include "model.h"

#include "engine/give_way.h"

static int stopping;

static void *map_and_unmap( void *arg )
{
    (void)arg;
    while (!__atomic_load_n( &stopping, __ATOMIC_RELAXED ))
    {
        void *memory;

        begin_address_space_change();
        memory = mmap( NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
        check( memory != MAP_FAILED && !munmap( memory, 65536 ));
        end_address_space_change();
    }
    return NULL;
}

int main(void)
{
    char reason[160];
    pthread_t thread;
    unsigned int i;

    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    open_model();
    test_arguments();

    check( !pthread_create( &thread, NULL, map_and_unmap, NULL ));
    for (i = 0; i < 4; i++) test_large();
    __atomic_store_n( &stopping, 1, __ATOMIC_RELAXED );
    pthread_join( thread, NULL );
    check( !address_space_users );

    /* a thread that was ended in the middle is counted for ever, and waited for only so often */
    begin_address_space_change();
    begin_address_space_change();
    for (i = 0; i < 8; i++) test_large();
    for (i = 0; i < 1000; i++) give_way();
    end_address_space_change();
    for (i = 0; i < 1000; i++) give_way();
    test_random_steps( 1, 500 );
    end_address_space_change();
    check( !address_space_users );
    test_random_steps( 2, 500 );
    return unit_result();
}
