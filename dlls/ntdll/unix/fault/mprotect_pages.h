/*
 * Pages of the mprotect backend: their flags, their protection, the mappings that they split
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MPROTECT_PAGES_H
#define WRITEWATCH_MPROTECT_PAGES_H

#include <stdint.h>
#include <sys/mman.h>

#include "fault/page_flags.h"

struct watch_region;

/* An armed page has the protection that the program wants, minus write access. The flags keep what
 * the program wants for each page. */
#define WANTED 0x07   /* PROT_READ, PROT_WRITE, PROT_EXEC */
#define ARMED  0x08
#define KNOWN  0x10   /* watched by this backend */

/* The lock protects the flags and the count of splits. It is held with all signals blocked, and
 * across some system calls, which the kernel serialises anyway. */
extern void pages_lock(void);
extern void pages_unlock(void);

/* In a child by fork(): frees the lock and forgets all splits. */
extern void pages_free_lock(void);

/* the flags of all pages; under the lock */
extern struct page_flags mprotect_flags;

static inline uint8_t *flags_at( uintptr_t addr )
{
    return page_flags_at( &mprotect_flags, addr );
}

static inline unsigned int get_flags( uintptr_t addr )
{
    return page_flags_get( &mprotect_flags, addr );
}

static inline int real_protection( unsigned int flags )
{
    int prot = flags & WANTED;

    /* writing includes reading on most processors, and the program may rely on it */
    if ((flags & ARMED) && (prot & PROT_WRITE)) prot = (prot & ~PROT_WRITE) | PROT_READ;
    return prot;
}

/* Any change of flags stands between these two, which keep the count of splits right. The lock
 * is held. */
extern void pages_begin_change( uintptr_t start, uintptr_t end );
extern void pages_end_change( uintptr_t start, uintptr_t end );

/* How many splits there may be before pages_set_armed() works on larger groups of pages. */
extern void pages_limit_splits( long max );

/* mprotect() of any range, which may be empty. Returns 0 or -errno. */
extern int pages_protect( uintptr_t start, uintptr_t end, int prot );

/* Gives pages the protection that they have if all of them are armed (ARMED), or none (0), in as
 * few calls as possible. Changes no flag. Returns 0 or -errno. The lock is held. */
extern int pages_apply( uintptr_t start, uintptr_t end, unsigned int armed );

/* Arms pages (ARMED), or opens them for a write and marks them (0). Returns 0 or -errno. The lock
 * is held. */
extern int pages_set_armed( struct watch_region *region, uintptr_t start, uintptr_t end,
                            unsigned int armed );

#endif /* WRITEWATCH_MPROTECT_PAGES_H */
