/*
 * What the backends share that write-protect pages with userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_USERFAULT_H
#define WRITEWATCH_USERFAULT_H

#include <stddef.h>
#include <stdint.h>

#include "sys/descriptor.h"

struct page_scan;
struct watch_region;

struct userfault
{
    int fd;
    int missing;   /* missing pages cannot be protected, so their first use is a fault too */
    struct descriptor_id id;
    int shared_id; /* other files have the same id, which alone proves nothing (before 5.12) */
    unsigned int flags;
    uint64_t feature;
    void *canary;  /* in that case: a page that this userfaultfd watches */
};

/* for tests: behave as on a kernel before 6.4 */
extern int userfault_old_kernel;

/* Opens a userfaultfd; flags and feature are what the backend needs besides write-protection.
 * Returns 0, or -errno and the reason. userfault_close() keeps what other backends use too. */
extern int userfault_open( struct userfault *uf, unsigned int flags, uint64_t feature, char *reason,
                           size_t len );
extern void userfault_close( struct userfault *uf );

/* Whether the descriptor is still the one that was opened. If the program has closed it, no fault
 * is delivered any more. Returns 0 or -errno. Any thread, no lock. */
extern int userfault_check( struct userfault *uf );

/* as in struct watch_backend */
extern int userfault_reopen( struct userfault *uf );
extern int userfault_reattach( struct userfault *uf, struct watch_region *region );
extern int userfault_attach( struct userfault *uf, struct watch_region *region );
extern void userfault_detach( struct userfault *uf, const struct watch_region *region,
                              uintptr_t start, uintptr_t end );
extern int userfault_arm( struct userfault *uf, uintptr_t start, uintptr_t end );
extern int userfault_look( struct watch_region *region, struct page_scan *scan );
extern int userfault_discard( struct userfault *uf, struct watch_region *region, uintptr_t start,
                              uintptr_t end );
extern int userfault_verify( struct userfault *uf, struct watch_region *region );
extern unsigned int userfault_capabilities( const struct userfault *uf,
                                            const struct watch_region *region, int anonymous );
extern int userfault_fault( struct userfault *uf, struct watch_region *region, uintptr_t start,
                            uintptr_t end, unsigned int flags );

/* Stops watching pages that cannot be opened, or whose waiting threads cannot be woken. Queries of
 * the region fail from now on. Returns 0 if the kernel refuses that too, and the access cannot go
 * on. In a step, or with the region held. */
extern int userfault_give_up( struct userfault *uf, struct watch_region *region, uintptr_t start,
                              uintptr_t end );

#endif /* WRITEWATCH_USERFAULT_H */
