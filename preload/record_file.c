/*
 * The file that a record is appended to
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "record.h"
#include "sys/raw_syscall.h"
#include "sys/uninterrupted.h"

/* As the log, it belongs to its owner only. A link is not followed, a pipe does not block. */
#define FLAGS (O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_LARGEFILE)

/* what the kernel takes for a set of signals */
struct signal_set
{
    uint32_t bits[2];
};

static char path[PATH_MAX];
static int limited;       /* whether the user has set a limit for the sizes of files */

/***********************************************************************
 *           record_open_file
 *
 * Notes the absolute path. Returns 0, or -errno if the file is there and is none that a line can be
 * appended to in one piece.
 */
int record_open_file( const char *file )
{
    struct rlimit limit;
    cpu_stat st;
    long fd, ret;

    if (strlen( file ) >= sizeof(path)) return -ENAMETOOLONG;
    if (file[0] != '/') return -EINVAL;   /* the current directory changes */
    if ((fd = raw_syscall4( SYS_openat, AT_FDCWD, (long)file, FLAGS, 0 )) >= 0)
    {
        ret = raw_syscall3( CPU_SYS_FSTAT, fd, (long)&st, 0 );
        raw_syscall3( SYS_close, fd, 0, 0 );
        if (ret) return ret;
        if (!S_ISREG( st.st_mode ) && !S_ISCHR( st.st_mode )) return -EINVAL;
    }
    else if (fd != -ENOENT) return fd;
    strcpy( path, file );
    limited = !getrlimit( RLIMIT_FSIZE, &limit ) && limit.rlim_cur != RLIM_INFINITY;
    return 0;
}

const char *record_path(void)
{
    return path;
}

/***********************************************************************
 *           block_limit_signal
 *
 * Where the limit for files is reached, the kernel sends SIGXFSZ, which would end the program.
 */
static UNINTERRUPTED_PART void block_limit_signal( struct signal_set *old )
{
    const struct signal_set set = { { 1u << (SIGXFSZ - 1) } };

    raw_syscall4( SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, (long)old, sizeof(set) );
}

/* takes the signal, if it came, and restores the mask */
static UNINTERRUPTED_PART void take_limit_signal( const struct signal_set *old, long written )
{
    const struct signal_set set = { { 1u << (SIGXFSZ - 1) } };
    const long no_time[2] = { 0, 0 };

    if (written == -EFBIG)
        raw_syscall4( SYS_rt_sigtimedwait, (long)&set, 0, (long)no_time, sizeof(set) );
    raw_syscall4( SYS_rt_sigprocmask, SIG_SETMASK, (long)old, 0, sizeof(set) );
}

static UNINTERRUPTED_PART long write_line( int fd, const char *line, size_t len )
{
    struct signal_set old;
    long ret;

    if (limited) block_limit_signal( &old );
    do ret = raw_syscall3( SYS_write, fd, (long)line, len );
    while (ret == -EINTR);
    if (limited) take_limit_signal( &old, ret );
    return ret;
}

/***********************************************************************
 *           record_append
 *
 * Writes a line by one system call, which other writers cannot get into: the kernel appends under
 * the lock of the file. A line of which only a part was written stays cut, which its reader says.
 */
UNINTERRUPTED int record_append( const char *line, size_t len, int create )
{
    long fd, ret;

    do fd = raw_syscall4( SYS_openat, AT_FDCWD, (long)path, FLAGS | (create ? O_CREAT : 0), 0600 );
    while (fd == -EINTR);
    if (fd < 0) return fd;
    ret = write_line( fd, line, len );
    raw_syscall3( SYS_close, fd, 0, 0 );
    if (ret < 0) return ret;
    return (size_t)ret == len ? 0 : -ENOSPC;
}
