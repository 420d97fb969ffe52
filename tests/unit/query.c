/*
 * Queries of the scan backend against a model
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model.h"

/* memory that lost its registration behind our back is never called clean */
static void test_foreign_mapping(void)
{
    char *memory = mmap( NULL, bytes( 8 ), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0 );
    void *addresses[8];
    ULONG_PTR count = 8;
    ULONG granularity;

    check( !watch_add( memory, bytes( 8 )) && !watch_commit( memory, bytes( 8 )));
    check( mmap( memory + bytes( 4 ), bytes( 1 ), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) != MAP_FAILED );
    memory[bytes( 4 )] = 1;
    check( get_write_watch( 0, memory, bytes( 8 ), addresses, &count, &granularity )
           == STATUS_UNSUCCESSFUL );
    check( get_write_watch( 1, memory, bytes( 8 ), addresses, &count, &granularity )
           == STATUS_UNSUCCESSFUL );
    check( reset_write_watch( memory, bytes( 8 )) == STATUS_UNSUCCESSFUL );
    check( count == 8 );
    watch_remove( memory, bytes( 8 ));
    munmap( memory, bytes( 8 ));
}

int main(void)
{
    char reason[160];
    unsigned int seed, seeds = unit_share( 40 );

    if (watch_open( unit_scan(), reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    open_model();
    test_arguments();
    for (seed = 1; seed <= seeds; seed++) test_random_steps( seed, 2000 );
    test_large();
    test_foreign_mapping();
    return unit_result();
}
