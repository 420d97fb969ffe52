/*
 * What the backends share that write-protect pages by userfaultfd
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_USERFAULT_H
#define WRITEWATCH_USERFAULT_H

#include <stddef.h>
#include <stdint.h>

#include "sys/descriptor.h"

struct watch_region;

struct userfault
{
    int fd;
    int missing;   /* pages that are not there cannot be protected: their first use is a fault
                    * as well */
    struct descriptor_id id;
    int shared_id; /* other files have it too, so more must be looked at (before 5.12) */
    unsigned int flags;
    uint64_t feature;
    void *canary;  /* a page that is watched by it then */
};

/* for tests: do as on a kernel before 6.4 */
extern int userfault_old_kernel;

/* flags and feature: what the backend needs beside write-protection. Returns 0,
 * or -errno and why. */
extern int userfault_open( struct userfault *uf, unsigned int flags, uint64_t feature, char *reason,
                           size_t len );
extern void userfault_close( struct userfault *uf );

/* Whether the descriptor is the one that was opened: if the program has closed it no fault comes
 * to us any more. Returns 0 or -errno. Any thread, no lock. */
extern int userfault_check( struct userfault *uf );

/* as in struct watch_backend */
extern int userfault_reopen( struct userfault *uf );
extern int userfault_reattach( struct userfault *uf, struct watch_region *region );
extern int userfault_attach( struct userfault *uf, struct watch_region *region );
extern void userfault_detach( struct userfault *uf, const struct watch_region *region,
                              uintptr_t start, uintptr_t end );
extern int userfault_give_up( struct userfault *uf, struct watch_region *region, uintptr_t start,
                              uintptr_t end );
extern int userfault_arm( struct userfault *uf, uintptr_t start, uintptr_t end );
extern int userfault_discard( struct userfault *uf, struct watch_region *region, uintptr_t start,
                              uintptr_t end );
extern int userfault_verify( struct userfault *uf, struct watch_region *region );
extern int userfault_fault( struct userfault *uf, struct watch_region *region, uintptr_t start,
                            uintptr_t end, unsigned int flags );

#endif /* WRITEWATCH_USERFAULT_H */
