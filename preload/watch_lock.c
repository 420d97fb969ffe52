/*
 * The change lock, in a Wine process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "defer.h"
#include "engine/give_way.h"
#include "engine/host.h"
#include "owned_lock.h"
#include "sys/lock_order.h"
#include "watch_lock.h"

/* A thread that holds it is not suspended or terminated: see defer.h. Wine's other handlers do
 * not call back here. */
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

/* might not return, if the thread was to be terminated meanwhile */
void change_unlock(void)
{
    note_unlock( LOCK_CHANGES );
    owned_lock_release();
    end_address_space_change();
    deliver_deferred_signals();
}

/* there is no other lock */
void lock_for_fork(void)
{
    note_lock( LOCK_CHANGES );
    owned_lock_acquire();
}

/* signals that were deferred meanwhile are meant for the thread of the parent */
void unlock_after_fork( int child )
{
    if (child)
    {
        begin_child();
        note_unlock( LOCK_CHANGES );
        owned_lock_release_in_child();
        forget_deferred_signals();
        return;
    }
    note_unlock( LOCK_CHANGES );
    owned_lock_release();
    deliver_deferred_signals();
}
