/*
 * The mappings of a process, as /proc/PID/maps lists them
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_MAPS_H
#define WRITEWATCH_MAPS_H

#include <stddef.h>
#include <stdint.h>

/* Enough for the names of special mappings, such as [stack] and [vvar_vclock]. */
#define MAPS_NAME_SIZE 16

struct mapping
{
    uint64_t  start;                  /* of another process, maybe beyond our own addresses */
    uint64_t  end;
    int       prot;
    int       shared;
    int       file;                   /* it has an inode */
    char      name[MAPS_NAME_SIZE];   /* the first characters; "" without a name */

    /* these with details only */
    size_t    page_size;              /* KernelPageSize, in bytes */
    int       device;                 /* VmFlags pf or io: no pages that the kernel could watch */
    int       registered;             /* VmFlags uw: with userfaultfd, for write-protection */
};

/* Reads mappings in ascending order. Uses neither malloc(), whose lock may be held by a thread that
 * waits for ours, nor stdio. The kernel returns whole lines and no more than a page at a time, so a
 * larger buffer saves nothing. */
struct maps_reader
{
    int    fd;
    int    kept;      /* see proc_files.h */
    int    details;
    int    error;
    size_t pos;
    size_t len;
    char   buffer[4096];
};

/* With details it reads smaps, which is slow: the kernel counts the pages of each mapping. Returns
 * 0 or -errno. A thread reads one at a time. */
extern int maps_open( struct maps_reader *reader, int details );

/* The same from an open file, which becomes the reader's. */
extern void maps_open_fd( struct maps_reader *reader, int fd, int details );

/* Returns 1 and a mapping, 0 at the end, or -errno; -EPROTO for a line that is not understood. */
extern int maps_next( struct maps_reader *reader, struct mapping *mapping );

extern void maps_close( struct maps_reader *reader );

/* Calls back for each mapping or part of one in [start, end), ascending. Returns 0, -errno, or what
 * the callback returned if that was not 0. -ENOMEM: a part of the range is not mapped. One thread
 * at a time: the change lock is held. */
extern int maps_for_each( uintptr_t start, uintptr_t end,
                          int (*callback)( uintptr_t start, uintptr_t end, int prot ) );

/* The same for every mapping of the process. */
extern int maps_for_all( int (*callback)( uintptr_t start, uintptr_t end, int prot ) );

#endif /* WRITEWATCH_MAPS_H */
