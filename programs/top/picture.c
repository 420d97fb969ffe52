/*
 * What a picture keeps, and where it goes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "picture.h"
#include "top.h"

#define CONVERTER "rsvg-convert"

static void keep_region( struct picture_region *region, const struct process_view *process,
                        const struct region_view *view )
{
    struct page_range all = { 0, view_pages( view, process ) };

    region->base = view->counters.base;
    region->size = view->counters.size;
    view_cells( view, all, PICTURE_CELLS, region->cells );
}

int picture_add( struct picture *picture, const struct process_view *process,
                 const struct snapshot *snapshot )
{
    struct picture_sample *grown, *sample;
    size_t i;

    grown = realloc( picture->samples, (picture->count + 1) * sizeof(*grown) );
    if (!grown) return -ENOMEM;
    picture->samples = grown;
    sample = &grown[picture->count];
    sample->time = snapshot->time;
    sample->count = snapshot->count;
    sample->regions = calloc( snapshot->count + 1, sizeof(*sample->regions) );
    if (!sample->regions) return -ENOMEM;
    for (i = 0; i < snapshot->count; i++)
        keep_region( &sample->regions[i], process, &snapshot->views[i] );
    picture->last = *snapshot;
    picture->last.views = NULL;
    if (!picture->count++) picture->first = picture->last;
    return 0;
}

void picture_free( struct picture *picture )
{
    size_t i;

    for (i = 0; i < picture->count; i++) free( picture->samples[i].regions );
    free( picture->samples );
    *picture = (struct picture){ 0 };
}

int write_svg( const struct picture *picture, const struct process_view *process, const char *path )
{
    FILE *file = fopen( path, "we" );
    int ret = file ? picture_draw( picture, process, file ) : -errno;

    if (file && fclose( file ) && !ret) ret = -errno;
    if (ret) complain( "cannot write %s: %s", path, strerror( -ret ) );
    return ret ? -1 : 0;
}

int png_check(void)
{
    const char *path = getenv( "PATH" );
    char *copy = strdup( path ? path : "/usr/bin:/bin" ), *dir, *next, file[4096];
    int found = 0;

    for (dir = copy ? strtok_r( copy, ":", &next ) : NULL; dir && !found;
         dir = strtok_r( NULL, ":", &next ))
    {
        snprintf( file, sizeof(file), "%s/%s", dir, CONVERTER );
        found = !access( file, X_OK );
    }
    free( copy );
    if (found) return 0;
    complain( "--png needs the program " CONVERTER " (Debian package librsvg2-bin); --svg does "
              "not" );
    return -1;
}

/* Through a file without a name: a pipe would end us if the program did not read it. */
int write_png( const struct picture *picture, const struct process_view *process, const char *path )
{
    char *arguments[] = { CONVERTER, "--format=png", "--output", (char *)path, NULL };
    FILE *file = tmpfile();
    posix_spawn_file_actions_t actions;
    int ret, status = 0;
    pid_t child;

    ret = file ? picture_draw( picture, process, file ) : -errno;
    if (!ret)
    {
        rewind( file );
        posix_spawn_file_actions_init( &actions );
        posix_spawn_file_actions_adddup2( &actions, fileno( file ), 0 );
        ret = -posix_spawnp( &child, CONVERTER, &actions, NULL, arguments, environ );
        posix_spawn_file_actions_destroy( &actions );
    }
    if (!ret)
    {
        while (waitpid( child, &status, 0 ) == -1 && errno == EINTR) ;
        if (status) complain( CONVERTER " could not write %s", path );
    }
    else complain( "cannot write %s: %s", path, strerror( -ret ) );
    if (file) fclose( file );
    return ret || status ? -1 : 0;
}
