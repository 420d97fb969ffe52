/*
 * The files of /proc/self that the library reads, also for a program that gives up /proc
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_PROC_FILES_H
#define WRITEWATCH_PROC_FILES_H

enum proc_file
{
    PROC_MAPS,
    PROC_SMAPS,
    PROC_PAGEMAP,
    PROC_FILE_COUNT
};

/* A program may call chroot(), or change its user, after it has begun to watch memory. So each file
 * is opened once and kept. A directory is not: by a descriptor of /proc, code that has taken over
 * such a program would get out of its root. Therefore a child, for which the parent's files are
 * those of other memory, has only what it can open itself. */
extern void proc_keep(void);

/* In a child by fork(), which has one thread: closes the parent's, and opens its own if it can. */
extern void proc_keep_in_child(void);

/* Open a file anew or, where that is not possible, fall back on the kept one, from its beginning.
 * Returns a descriptor or -errno. *kept is what proc_close() needs: until then the caller alone has
 * the file, and no other file may be opened by that thread. By any thread. */
extern int proc_open( enum proc_file file, int *kept );
extern void proc_close( int fd, int kept );

/* The same for a file that is read at offsets: a descriptor of its own. */
extern int proc_open_own( enum proc_file file );

#endif /* WRITEWATCH_PROC_FILES_H */
