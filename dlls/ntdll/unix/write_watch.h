/*
 * NtGetWriteWatch and NtResetWriteWatch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_WRITE_WATCH_H
#define WRITEWATCH_WRITE_WATCH_H

#include "nt_types.h"

/* The process handle of the Nt calls is not passed: it is ignored (row 9). */
extern NTSTATUS get_write_watch( ULONG flags, void *base, SIZE_T size, void **addresses,
                                 ULONG_PTR *count, ULONG *granularity );
extern NTSTATUS reset_write_watch( void *base, SIZE_T size );

#endif /* WRITEWATCH_WRITE_WATCH_H */
