/*
 * Queries give way to threads that change the address space
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_GIVE_WAY_H
#define WRITEWATCH_GIVE_WAY_H

/* The kernel holds mmap_lock during a scan. A long query consists of many scans, but a thread that
 * waits for the lock (in mmap(), say) takes a while to wake up when it is released, and the next
 * scan takes it first. So a thread that is about to need the lock counts itself here. While any
 * thread is counted, a query pauses between two scans until one has come through. Any thread, no
 * lock. */
extern unsigned int address_space_users;
extern unsigned int address_space_changes;   /* how many have come through */

static inline void begin_address_space_change(void)
{
    __atomic_fetch_add( &address_space_users, 1, __ATOMIC_RELAXED );
}

static inline void end_address_space_change(void)
{
    __atomic_fetch_add( &address_space_changes, 1, __ATOMIC_RELAXED );
    __atomic_fetch_sub( &address_space_users, 1, __ATOMIC_RELAXED );
}

/* in a child by fork(): the threads that were counted do not exist */
extern void give_way_to_none(void);

/* between two steps of a query */
extern void give_way(void);

#endif /* WRITEWATCH_GIVE_WAY_H */
