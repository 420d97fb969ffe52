/*
 * Where snapshots come from: a living process or a recording
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_TOP_SOURCE_H
#define WRITEWATCH_TOP_SOURCE_H

#include "snapshot.h"

enum source_result
{
    SOURCE_NONE,      /* no sample yet */
    SOURCE_SAMPLE,    /* a new one */
    SOURCE_ENDED,     /* there will be no more */
    SOURCE_FAILED,    /* problem is a sentence that says why */
};

struct source
{
    struct process_view process;
    char                problem[256];
    int                 is_recording;
    int                 has_ended;   /* the process, in a recording as well */

    /* Does a little of the work, and says in how many seconds it wants to be called again. A new
     * sample replaces *snapshot. */
    enum source_result (*work)( struct source *source, struct snapshot *snapshot, double *wait );
    void               (*close)( struct source *source );
};

/* Each returns NULL, with a sentence in problem (of 256 bytes), if it cannot. */
extern struct source *live_open( uint32_t pid, double interval, char *problem );
extern struct source *replay_open( const char *path, char *problem );

/* Lets a recording play at its own speed; else it gives one sample after the other. */
extern void replay_in_time( struct source *source );
/* Nothing was shown for so many seconds. */
extern void replay_paused( struct source *source, double seconds );

extern double clock_seconds(void);

#endif /* WRITEWATCH_TOP_SOURCE_H */
