/*
 * Another process that is looked at: opening and closing it
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "writewatch.h"

#include "native/failure.h"
#include "native/other_pages.h"
#include "process_object.h"
#include "sys/maps.h"
#include "sys/page.h"

int process_old_kernel;

/* a process has ended when its pidfd can be read, even if its parent has not waited for it yet */
static int has_ended( int pidfd )
{
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
    int ret;

    do ret = poll( &poll_fd, 1, 0 );
    while (ret == -1 && errno == EINTR);
    return ret != 0;
}

/***********************************************************************
 *           find_pid
 *
 * The number of the process, as /proc has it. Returns 0 or -errno and sets the reason, where
 * errors.c has no better one.
 */
static int find_pid( int pidfd, uint32_t *pid, const char **reason )
{
    char path[64], line[128];
    int number = 0, found = 0, ret;
    FILE *file;

    snprintf( path, sizeof(path), "/proc/thread-self/fdinfo/%d", pidfd );
    if (!(file = fopen( path, "re" )))
    {
        ret = -errno;
        if (ret == -EMFILE || ret == -ENFILE || ret == -ENOMEM) return ret;
        if (fcntl( pidfd, F_GETFD ) == -1)
        {
            *reason = "the descriptor is not open";
            return -EBADF;
        }
        *reason = "the descriptors of this process are not to be seen in /proc";
        return ret;
    }
    while (!found && fgets( line, sizeof(line), file ))
        found = sscanf( line, "Pid: %d", &number ) == 1;
    fclose( file );
    if (!found) return -EBADF;
    if (number < 0)
    {
        *reason = "the process has ended";
        return -ESRCH;
    }
    if (!number)
    {
        *reason = "the process is not in the name space of this /proc";
        return -EACCES;
    }
    *pid = number;
    return 0;
}

/* keeps a descriptor, which becomes the process's even on failure */
static int keep( struct writewatch_process *process, enum process_file file, int fd )
{
    if (fd == -1) return -errno;
    process->fds[file] = descriptor_raise( fd );
    return descriptor_identify( process->fds[file], &process->ids[file] );
}

static int open_files( struct writewatch_process *process, int pidfd )
{
    char path[OTHER_PATH_SIZE], name[OTHER_PATH_SIZE + sizeof("/smaps")];
    struct other_pages pages = { .pagemap = -1 };
    int ret;

    if ((ret = keep( process, PROCESS_PIDFD, fcntl( pidfd, F_DUPFD_CLOEXEC, 3 )))) return ret;
    if ((ret = other_pages_open( &pages, process->pid, path ))) return ret;
    process->can_scan = !process_old_kernel && !other_pages_can_scan( &pages );
    if ((ret = keep( process, PROCESS_PAGEMAP, pages.pagemap ))) return ret;
    snprintf( name, sizeof(name), "%s/maps", path );
    if ((ret = keep( process, PROCESS_MAPS, open( name, O_RDONLY | O_CLOEXEC )))) return ret;
    snprintf( name, sizeof(name), "%s/smaps", path );
    return keep( process, PROCESS_SMAPS, open( name, O_RDONLY | O_CLOEXEC ));
}

/* Why a process cannot be opened: /proc has no word for one that it hides. */
static int refuse( int pidfd, int err, const char **reason )
{
    if (has_ended( pidfd ))
    {
        *reason = "the process has ended";
        return -ESRCH;
    }
    switch (err)
    {
    case -EACCES:
    case -EPERM:
        return -EACCES;
    case -ENOENT:
        *reason = "/proc does not show the process (hidepid)";
        return -EACCES;
    case -ESRCH:
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
        return err;
    default:
        *reason = "the memory of the process cannot be opened";
        return err;
    }
}

/***********************************************************************
 *           writewatch_process_open
 *
 * The number of a process is not taken before it is waited for. So what was opened by that number
 * is of this process if the pidfd says afterwards that it still runs.
 *
 * By any thread, no lock; the pidfd may be closed afterwards. Errors: -EBADF (not a pidfd), -ESRCH
 * (it has ended), -EACCES (it may not be looked at), -ENOENT (no /proc), -EMFILE, -ENFILE, -ENOMEM.
 */
int writewatch_process_open( struct writewatch_process **ret_process, int pidfd )
{
    struct writewatch_process *process;
    const char *reason = NULL;
    unsigned int i;
    uint32_t pid = 0;
    int ret;

    page_init();
    if ((ret = find_pid( pidfd, &pid, &reason ))) return failed( __func__, ret, reason );
    if (!(process = calloc( 1, sizeof(*process) )))
    {
        ret = refuse( pidfd, -ENOMEM, &reason );
        return failed( __func__, ret, reason );
    }
    process->pid = pid;
    for (i = 0; i < PROCESS_FILES; i++) process->fds[i] = -1;
    if ((ret = open_files( process, pidfd )) || has_ended( pidfd ))
    {
        writewatch_process_close( process );
        ret = refuse( pidfd, ret, &reason );
        return failed( __func__, ret, reason );
    }
    *ret_process = process;
    return returned( __func__, 0 );
}

/***********************************************************************
 *           writewatch_process_close
 *
 * NULL is fine. No other thread may be in a call about the process.
 */
void writewatch_process_close( struct writewatch_process *process )
{
    unsigned int i;

    if (!process) return;
    for (i = 0; i < PROCESS_FILES; i++) descriptor_close( &process->fds[i], &process->ids[i] );
    free( process );
}

/***********************************************************************
 *           process_check
 *
 * A process without the memory that it had is ending, unless other memory can be opened.
 */
int process_check( const struct writewatch_process *process )
{
    struct other_pages pages = { .pagemap = process->fds[PROCESS_PAGEMAP] };
    char path[OTHER_PATH_SIZE];
    unsigned int i;
    int ret;

    for (i = 0; i < PROCESS_FILES; i++)
        if ((ret = descriptor_check( process->fds[i], &process->ids[i] ))) return ret;
    if (has_ended( process->fds[PROCESS_PIDFD] )) return -ESRCH;
    if (other_pages_exist( &pages )) return 0;
    ret = other_pages_open( &pages, process->pid, path );
    if (!ret) close( pages.pagemap );
    if (ret == -ESRCH || ret == -ENOENT || has_ended( process->fds[PROCESS_PIDFD] )) return -ESRCH;
    return -ESTALE;
}

int process_read_maps( const struct writewatch_process *process, enum process_file file,
                       struct maps_reader *reader )
{
    if (lseek( process->fds[file], 0, SEEK_SET ) == -1) return -errno;
    maps_open_fd( reader, process->fds[file], file == PROCESS_SMAPS );
    return 0;
}
