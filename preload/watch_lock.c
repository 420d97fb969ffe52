/*
 * The lock for changes to the watched regions, in a Wine process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "engine/give_way.h"
#include "engine/host.h"
#include "owned_lock.h"
#include "preload.h"
#include "sys/lock_order.h"

/***********************************************************************
 *           change_lock
 *
 * signals.c keeps Wine from suspending or ending a thread that holds the lock. Wine's other
 * handlers never take it.
 */
void change_lock(void)
{
    begin_address_space_change();
    note_lock( LOCK_CHANGES );
    owned_lock_acquire();
}

void leave_uninterrupted_code(void)
{
    deliver_deferred_signals();
}

/***********************************************************************
 *           change_unlock
 *
 * Does not return if Wine asked in the meantime to end the thread.
 */
void change_unlock(void)
{
    note_unlock( LOCK_CHANGES );
    owned_lock_release();
    end_address_space_change();
    deliver_deferred_signals();
}

/***********************************************************************
 *           lock_for_fork
 *
 * The preload library has no other lock.
 */
void lock_for_fork(void)
{
    note_lock( LOCK_CHANGES );
    owned_lock_acquire();
}

/***********************************************************************
 *           unlock_after_fork
 *
 * Signals deferred in the meantime are meant for the parent's thread; the child discards them.
 */
void unlock_after_fork( int child )
{
    if (child)
    {
        note_unlock( LOCK_CHANGES );
        owned_lock_release_in_child();
        forget_deferred_signals();
        return;
    }
    note_unlock( LOCK_CHANGES );
    owned_lock_release();
    deliver_deferred_signals();
}
