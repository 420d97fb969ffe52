/*
 * A fair lock that many threads share or one holds
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_FAIR_LOCK_H
#define WRITEWATCH_FAIR_LOCK_H

/* Phase-fair, by tickets (Brandenburg and Anderson, 2010). A sharer waits for one holder at most:
 * when that one releases the lock, all waiting sharers go on before the next holder. Holders wait
 * in the order of their arrival, and for the sharers that came before them. A thread that has the
 * lock must not take it again. All zero is free. Signal handlers may use it. */
struct fair_lock
{
    unsigned int entered;    /* counts sharers, in steps of FAIR_SHARER; below that is the holder */
    unsigned int left;       /* the same for sharers that are through */
    unsigned int tickets;    /* of holders */
    unsigned int serving;
    unsigned int sleepers;
};

#define FAIR_HOLDER  3u      /* of the holder: that there is one, and whether its ticket is odd */
#define FAIR_SHARER  0x100u

extern void fair_lock_share( struct fair_lock *lock );
extern void fair_lock_unshare( struct fair_lock *lock );
extern void fair_lock_hold( struct fair_lock *lock );
extern void fair_lock_release( struct fair_lock *lock );

#endif /* WRITEWATCH_FAIR_LOCK_H */
