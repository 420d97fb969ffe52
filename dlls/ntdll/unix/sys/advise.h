/*
 * Discarding and locking pages without losing their watch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef WRITEWATCH_ADVISE_H
#define WRITEWATCH_ADVISE_H

#include <stddef.h>
#include <stdint.h>

/* return 0 or -errno */
extern int advise( const void *base, size_t size, int advice );
extern int discard_pages( uintptr_t start, uintptr_t end );
extern int mlock_pages( const void *base, size_t size );

#endif /* WRITEWATCH_ADVISE_H */
