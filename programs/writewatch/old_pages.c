/*
 * Removes status pages of processes that have ended
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/status/status_reader.h"
#include "runner.h"

#define KEPT 16   /* pages of processes that have ended */

struct ended
{
    uint64_t start_time;
    char     path[sizeof(((struct status_file *)0)->path)];
};

static int compare( const void *left, const void *right )
{
    const struct ended *a = left, *b = right;

    return (a->start_time < b->start_time) - (a->start_time > b->start_time);
}

/* Keeps the newest. What cannot be read is left alone: another version may have made it. */
void remove_old_pages(void)
{
    struct status_info info;
    struct status_file file;
    struct ended *ended;
    uint32_t *pids;
    int i, count = status_list( &pids ), found = 0;

    if (count <= KEPT) return;
    if (!(ended = calloc( count, sizeof(*ended) ))) fail( EXIT_USAGE, "out of memory" );
    for (i = 0; i < count; i++)
    {
        if (status_open( pids[i], &file ) != STATUS_OK) continue;
        if (!status_is_alive( &file ) && status_read( &file, &info ) == STATUS_OK)
        {
            ended[found].start_time = info.start_time;
            memcpy( ended[found++].path, file.path, sizeof(file.path) );
        }
        status_close( &file );
    }
    qsort( ended, found, sizeof(*ended), compare );
    for (i = KEPT; i < found; i++) unlink( ended[i].path );
    free( ended );
    free( pids );
}
