/*
 * What the hooks of both calling conventions decide alike
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_HOOKS_H
#define WRITEWATCH_HOOKS_H

#include "nt_types.h"

/* whether some memory is watched by Wine itself, because we could not */
extern int wine_has_watches;

extern int begins_watch( HANDLE process, ULONG type, void **base );
extern int could_be_charged( ULONG type, SIZE_T size );
extern void begin_allocation( ULONG type );
extern int end_allocation( NTSTATUS status, ULONG type );
extern NTSTATUS left_to_wine( NTSTATUS status );
extern int watch_allocation( void *base, SIZE_T size );
extern int prepare_commit( HANDLE process, ULONG type, void **base, SIZE_T *size );
extern int decommits_watched( HANDLE process, ULONG type, void **addr );

#endif /* WRITEWATCH_HOOKS_H */
