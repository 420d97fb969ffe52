/*
 * The record of what is asked and answered of write watches
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_RECORD_H
#define WRITEWATCH_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "nt_types.h"

/* One text line for each event; writewatch-replay(1) has the format. Each line is one write() to a
 * file that is opened for it alone: nothing is kept that the program could close, and processes and
 * threads share the file without a lock. All of that is uninterrupted code, so a thread that is
 * suspended or terminated has written its line as a whole or not begun it. */

enum record_event
{
    RECORD_ALLOC,
    RECORD_COMMIT,
    RECORD_DISCARD,     /* MEM_RESET */
    RECORD_DECOMMIT,
    RECORD_FREE,
};

/* the arguments of NtGetWriteWatch */
struct record_poll
{
    ULONG      flags;
    void      *base;
    SIZE_T     size;
    void     **addresses;
    ULONG_PTR *count;
    ULONG     *granularity;
};

/* set while events are recorded */
extern int recording;

static inline int is_recording(void)
{
    return __builtin_expect( __atomic_load_n( &recording, __ATOMIC_RELAXED ), 0 );
}

/* Reads the settings of the user, while the process has one thread. Nothing is written before the
 * first event, so that only processes that watch memory do so. */
extern void record_open(void);

/* Records what a call of Wine has done to watched memory; type: of an allocation only. These three
 * might not return, if the thread was to be terminated meanwhile. */
extern void record_change( enum record_event event, const void *base, size_t size,
                           unsigned long type );

/* Do what get_write_watch() and reset_write_watch() do, and record what succeeds. */
extern NTSTATUS record_get( const struct record_poll *poll );
extern NTSTATUS record_reset( void *base, SIZE_T size );

/* record_file.c: appends a line to the file; create: also makes the file. Returns 0 or -errno. */
extern int record_append( const char *line, size_t len, int create );
extern int record_open_file( const char *path );
extern const char *record_path(void);

#endif /* WRITEWATCH_RECORD_H */
