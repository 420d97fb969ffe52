/*
 * A lock that some share and one has alone, in turns
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_FAIR_LOCK_H
#define WRITEWATCH_FAIR_LOCK_H

/* Phase-fair, by tickets (Brandenburg and Anderson, 2010). Who shares waits for one holder at most:
 * when that one releases, all who wait go on before the next holder. Holders wait in the order in
 * which they came, and for those who shared before them. No call may be made by a thread that has
 * the lock already. All zero is free. May be used in signal handlers. */
struct fair_lock
{
    unsigned int entered;    /* counts who shares, in steps of FAIR_SHARER; below is the holder */
    unsigned int left;       /* the same for those who are through */
    unsigned int tickets;    /* of holders */
    unsigned int serving;
    unsigned int sleepers;
};

#define FAIR_HOLDER  3u      /* the bits of a holder: there is one, and whether its ticket is odd */
#define FAIR_SHARER  0x100u

extern void fair_lock_share( struct fair_lock *lock );
extern void fair_lock_unshare( struct fair_lock *lock );
extern void fair_lock_hold( struct fair_lock *lock );
extern void fair_lock_release( struct fair_lock *lock );

#endif /* WRITEWATCH_FAIR_LOCK_H */
