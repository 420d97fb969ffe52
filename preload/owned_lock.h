/*
 * A lock of which a signal handler can tell that the thread holds it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_OWNED_LOCK_H
#define WRITEWATCH_OWNED_LOCK_H

/* One for the process. Blocking signals while a lock is held takes two system calls, as long as all
 * of a small change; so the handlers of those by which Wine suspends and ends threads look at the
 * lock instead, and put the signal off. Taking it and letting it go stand in uninterrupted code,
 * for which they do the same: there is no moment at which a thread has the lock and is not known
 * to, nor one at which it has let go of it and not woken who waits. Not recursive. */
extern void owned_lock_acquire(void);
extern void owned_lock_release(void);

/* in a child by fork(), if the forking thread held it */
extern void owned_lock_release_in_child(void);

/* Whether the calling thread holds it. Safe in handlers, on any stack and with any segment
 * registers. */
extern int owned_lock_is_held(void);

#endif /* WRITEWATCH_OWNED_LOCK_H */
