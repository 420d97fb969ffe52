/*
 * Descriptors of the library, in a process whose program may close or reuse any number
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/descriptor.h"
#include "sys/raw_syscall.h"

/* A daemon closes all descriptors that it does not know, and the next files that it opens get their
 * numbers. Reading /dev/zero in place of the pagemap would report that nothing was written. */

/* Loops that close descriptors begin at 3 and often end at 255 or 511; a process has 1024 unless it
 * asks for more. */
#define FIRST_NUMBER 600

int descriptor_raise( int fd )
{
    int raised;

    if (fd < 0 || (raised = fcntl( fd, F_DUPFD_CLOEXEC, FIRST_NUMBER )) == -1) return fd;
    close( fd );
    return raised;
}

/***********************************************************************
 *           descriptor_identify
 *
 * A raw system call: fstat() is a symbol of its own only since glibc 2.33.
 */
int descriptor_identify( int fd, struct descriptor_id *id )
{
    cpu_stat st;
    long ret = raw_syscall3( CPU_SYS_FSTAT, fd, (uintptr_t)&st, 0 );

    if (ret) return ret;
    id->device = st.st_dev;
    id->inode  = st.st_ino;
    return 0;
}

int descriptor_check( int fd, const struct descriptor_id *id )
{
    struct descriptor_id now = { 0, 0 };
    int ret = descriptor_identify( fd, &now );

    if (ret) return ret;
    return now.device == id->device && now.inode == id->inode ? 0 : -EBADF;
}

void descriptor_close( int *fd, const struct descriptor_id *id )
{
    if (*fd != -1 && !descriptor_check( *fd, id )) close( *fd );
    *fd = -1;
}
