/*
 * Choosing a backend, and asking for it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>

#include "writewatch.h"

#include "engine/region.h"
#include "engine/watch.h"
#include "native/failure.h"
#include "native/process.h"
#include "sys/page.h"

int writewatch_open( const char *name )
{
    int ret;

    process_init();
    if (!(ret = process_choose( name ))) return returned( __func__, 0 );
    return failed( __func__, ret, process_open_reason() );
}

/***********************************************************************
 *           writewatch_backend
 *
 * NULL before a backend was opened, and when that failed.
 */
const char *writewatch_backend( void )
{
    const char *name = watch_backend_name();

    if (!name) failed( __func__, -ENOENT, process_reason() );
    return name;
}

const char *writewatch_mechanism( void )
{
    const char *mechanism = watch_mechanism();

    if (!mechanism) failed( __func__, -ENOENT, process_reason() );
    return mechanism;
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

    if (!(region = region_get( page, page + page_size() )))
    {
        failed( __func__, -ENOENT, NULL );
        return NULL;
    }
    name = region->backend->name;
    region_put( region );
    return name;
}

unsigned int writewatch_version( void )
{
    return WRITEWATCH_VERSION;
}
