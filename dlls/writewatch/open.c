/*
 * Choosing a backend, and asking for it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "writewatch.h"

#include "engine/region.h"
#include "engine/watch.h"
#include "native/process.h"
#include "sys/page.h"

int writewatch_open( const char *name )
{
    process_init();
    return process_choose( name );
}

/***********************************************************************
 *           writewatch_backend
 *
 * NULL before a backend was opened, and when that failed.
 */
const char *writewatch_backend( void )
{
    return watch_backend_name();
}

const char *writewatch_mechanism( void )
{
    return watch_mechanism();
}

/***********************************************************************
 *           writewatch_backend_of
 *
 * Regions that the active backend could not take have another one.
 */
const char *writewatch_backend_of( const void *addr )
{
    uintptr_t page = round_down( (uintptr_t)addr );
    struct watch_region *region;
    const char *name;

    if (!(region = region_get( page, page + page_size() ))) return NULL;
    name = region->backend->name;
    region_put( region );
    return name;
}

const char *writewatch_reason( void )
{
    return process_reason();
}
