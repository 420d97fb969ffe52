/*
 * Queries give way to threads that change the address space
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <time.h>
#include <sys/syscall.h>

#include "engine/give_way.h"
#include "sys/cpu.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

/* A thread that waits in the kernel wakes up within about 50 us. A pause of twice that, after a
 * scan of 0.7 ms, takes an eighth of the time at most, and is made only while a thread waits. */
#define LONGEST_PAUSE 100000   /* ns */

/* A thread that is terminated on its way out of mmap() stays counted forever, and one may be busy
 * there for long. After this many fruitless pauses, threads still counted are ignored. */
#define PAUSES_IN_VAIN 16

unsigned int address_space_users;
unsigned int address_space_changes;

static unsigned int ignored;   /* users that are not waited for */
static unsigned int in_vain;   /* fruitless pauses since the last useful one */

static UNINTERRUPTED_PART long long nanoseconds(void)
{
    struct timespec now;

    raw_syscall3( SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0 );
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* whether a thread waits, and none has come through since; a thread that changes the address space
 * in a loop returns at once, and could be waited for forever */
static UNINTERRUPTED_PART int is_awaited( unsigned int changes )
{
    unsigned int users = __atomic_load_n( &address_space_users, __ATOMIC_RELAXED );
    unsigned int limit = __atomic_load_n( &ignored, __ATOMIC_RELAXED );

    if (users < limit) __atomic_store_n( &ignored, users, __ATOMIC_RELAXED );
    return users > limit && __atomic_load_n( &address_space_changes, __ATOMIC_RELAXED ) == changes;
}

/***********************************************************************
 *           give_way
 *
 * Pauses until one of the threads that wait to change the address space has done so, but not for
 * long. No lock.
 */
UNINTERRUPTED void give_way(void)
{
    unsigned int changes = __atomic_load_n( &address_space_changes, __ATOMIC_RELAXED );
    long long end;
    int i;

    if (!is_awaited( changes )) return;
    end = nanoseconds() + LONGEST_PAUSE;
    do
    {
        for (i = 0; i < 16; i++)
        {
            if (!is_awaited( changes ))
            {
                __atomic_store_n( &in_vain, 0, __ATOMIC_RELAXED );
                return;
            }
            cpu_pause();
        }
    }
    while (nanoseconds() < end);

    if (__atomic_add_fetch( &in_vain, 1, __ATOMIC_RELAXED ) < PAUSES_IN_VAIN) return;
    __atomic_store_n( &in_vain, 0, __ATOMIC_RELAXED );
    __atomic_store_n( &ignored, __atomic_load_n( &address_space_users, __ATOMIC_RELAXED ),
                      __ATOMIC_RELAXED );
}

void give_way_to_none(void)
{
    address_space_users = ignored = in_vain = 0;
}
