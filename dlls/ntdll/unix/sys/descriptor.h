/*
 * Descriptors of the library, in a process whose program may close or reuse any number
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_DESCRIPTOR_H
#define WRITEWATCH_DESCRIPTOR_H

#include <stdint.h>

/* what a descriptor was when it was opened */
struct descriptor_id
{
    uint64_t device;
    uint64_t inode;
};

/* Gives a descriptor a high number, where programs that close all they do not know rarely get to;
 * the old number is free then. Where that is not allowed it keeps the old one. */
extern int descriptor_raise( int fd );

/* Notes what a descriptor is, and tells whether its number still stands for that. Both return 0 or
 * -errno. Any thread, no lock, signals as they are; 200 ns. */
extern int descriptor_identify( int fd, struct descriptor_id *id );
extern int descriptor_check( int fd, const struct descriptor_id *id );

/* Closes a descriptor, unless its number is taken by something else, and makes it -1. */
extern void descriptor_close( int *fd, const struct descriptor_id *id );

/* How long poll() may wait for a descriptor that the program may reuse, in ms. It keeps the file
 * from being closed, but each time it is woken it looks at what has the number now: if that is
 * silent it sleeps on, and whoever waits for the file would do so for ever. */
#define DESCRIPTOR_POLL_TIME 1000

#endif /* WRITEWATCH_DESCRIPTOR_H */
