/*
 * Code shared by the hooks of both calling conventions
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_HOOKS_H
#define WRITEWATCH_HOOKS_H

#include "nt_types.h"
#include "preload.h"

/* set once Wine watches some memory itself, because we could not watch it */
extern int wine_has_watches;

/* Set if those would be kernel watches: such a Wine loses written pages where memory is
 * decommitted, reset or locked, and while other threads write. Memory that we cannot watch is
 * refused there. */
extern int wine_has_kernel_watches;

/* What watch_allocation() did with memory. */
enum watching
{
    WATCHED,
    LEFT_TO_WINE,
    REFUSED,
};

/* Why this thread runs Wine's code. A thread that Wine suspends there may execute a request of
 * another process by the same functions; begin_hook() clears the state for that request. */
struct thread_state
{
    int             decommitting;
    enum allocation allocating;
};

extern struct thread_state begin_hook(void);
extern void end_hook( struct thread_state outer );

extern int concerns_us( HANDLE process, ULONG type );
extern int begins_watch( ULONG type, void *base );
extern void touch_parameters( const void *parameters, ULONG count );
extern int could_be_charged( ULONG type, SIZE_T size );
extern void begin_allocation( ULONG type );
extern int end_allocation( NTSTATUS status, ULONG type );
extern int may_leave_to_wine(void);
extern NTSTATUS left_to_wine( NTSTATUS status );
extern enum watching watch_allocation( void *base, SIZE_T size );
extern int prepare_commit( ULONG type, void *base, SIZE_T size );
extern int is_watched_page( void *addr );
extern void record_allocation( ULONG type, int begins, void *base, SIZE_T size );

#endif /* WRITEWATCH_HOOKS_H */
