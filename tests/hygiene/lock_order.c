/*
 * A mistake for check-hygiene: locks that are taken out of order
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <string.h>

#include "sys/lock_order.h"

int main( int argc, char *argv[] )
{
    note_lock( LOCK_CHANGES );
    note_lock( LOCK_STEP );
    note_unlock( LOCK_STEP );
    note_unlock( LOCK_CHANGES );
    if (argc < 2) return 0;

    if (!strcmp( argv[1], "order" ))
    {
        note_lock( LOCK_STEP );
        note_lock( LOCK_CHANGES );
    }
    if (!strcmp( argv[1], "twice" ))
    {
        note_lock( LOCK_CHANGES );
        note_lock( LOCK_CHANGES );
    }
    if (!strcmp( argv[1], "not-held" )) assert_locked( LOCK_CHANGES );
    return 0;
}
