/*
 * fault injection: looks at the process that makes a system call
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef CALLER_H
#define CALLER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Only calls of processes with this in their command line are meant; NULL: of all. */
extern const char *program;
/* The beginning of the file name of the library whose calls are meant. */
extern const char *library;
/* It stands before functions of the C library, and makes system calls in the place of others. */
extern int forwards;

extern int is_mapped_from( pid_t pid, uint64_t addr, const char *path );
extern int is_meant( pid_t pid );
extern int is_ours( pid_t tid, int nr, uint64_t pc );

/* Return how many bytes they got, or -1; a string counts as read if there was anything of it. */
extern long read_memory( pid_t pid, uint64_t addr, void *buffer, size_t size );
extern long read_proc( pid_t pid, const char *name, char *buffer, size_t size );
extern int read_string( pid_t pid, uint64_t addr, char *buffer, size_t size );

#endif /* CALLER_H */
