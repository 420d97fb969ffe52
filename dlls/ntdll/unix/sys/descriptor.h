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

/* Moves a descriptor to a high number, which programs that close unknown descriptors rarely reach,
 * and frees the old one. Where a limit forbids that it keeps its number. Returns the number. */
extern int descriptor_raise( int fd );

/* Record which file a descriptor is, and check that its number is still that file. Both return 0 or
 * -errno, -EBADF for another file. Any thread, no lock, signals need not be blocked; 200 ns. */
extern int descriptor_identify( int fd, struct descriptor_id *id );
extern int descriptor_check( int fd, const struct descriptor_id *id );

/* Closes a descriptor, unless its number is another file by now, and sets it to -1. */
extern void descriptor_close( int *fd, const struct descriptor_id *id );

/* How long poll() may wait for a descriptor that the program may reuse, in ms. poll() keeps the
 * file open, but each time it wakes it looks up the number again. If that is another file by now, a
 * silent one, it sleeps on, and a thread that waits to be served would wait for ever. */
#define DESCRIPTOR_POLL_TIME 1000

#endif /* WRITEWATCH_DESCRIPTOR_H */
