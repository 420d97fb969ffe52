/*
 * Which processes are meant
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/status/status_reader.h"
#include "top.h"

static int is_number( const char *text )
{
    return *text && strspn( text, "0123456789" ) == strlen( text );
}

/* Says why a process that was named by its id is not shown. */
static void complain_of( const char *what )
{
    struct status_info *info = malloc( sizeof(*info) );
    struct status_file file;
    enum status_result result;
    struct stat st;
    char path[32];

    if (!is_number( what ) || strlen( what ) > 9)
    {
        complain( "no process of yours that watches memory is called %s", what );
        free( info );
        return;
    }
    result = status_open( strtoul( what, NULL, 10 ), &file );
    if (result == STATUS_OK && info) result = status_read( &file, info );
    snprintf( path, sizeof(path), "/proc/%lu", strtoul( what, NULL, 10 ) );
    if (result == STATUS_OK && info && !status_is_alive( &file ))
        complain( "process %s (%s) has ended", what, info->program );
    else if (stat( path, &st )) complain( "there is no process %s", what );
    else if (st.st_uid != geteuid())
        complain( "process %s is of another user: only its owner can look at it", what );
    else if (result == STATUS_NO_PAGE)
        complain( "process %s watches no memory with writewatch", what );
    else complain( "process %s: %s", what, status_reason( result ) );
    status_close( &file );
    free( info );
}

/* Returns whether the process of a page lives and is meant. */
static int examine( uint32_t pid, const char *what, struct status_info *info )
{
    struct status_file file;
    int ret = 0;

    if (!status_open( pid, &file ))
        ret = status_is_alive( &file ) && !status_read( &file, info ) &&
              (!what || status_is_meant( info, what ));
    status_close( &file );
    return ret;
}

unsigned int find_processes( const char *what, struct candidate *candidates )
{
    struct status_info *info = malloc( sizeof(*info) );
    unsigned int found = 0;
    uint32_t *pids = NULL;
    int i, count = info ? status_list( &pids ) : -1;

    if (count < 0) complain( "out of memory" );
    for (i = 0; i < count && found < MAX_PROCESSES; i++)
    {
        if (!examine( pids[i], what, info )) continue;
        candidates[found].pid     = info->pid;
        candidates[found].regions = info->regions;
        candidates[found].bytes   = info->bytes;
        memcpy( candidates[found].program, info->program, sizeof(info->program) );
        found++;
    }
    if (!found && count >= 0)
    {
        if (what) complain_of( what );
        else complain( "no process of yours watches memory with writewatch" );
    }
    free( pids );
    free( info );
    return found;
}
