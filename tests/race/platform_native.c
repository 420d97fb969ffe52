/*
 * What the race test needs of Linux
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "platform.h"
#include "scan/blocks.h"

static int pipe_fds[2];

const char *platform_open( const char **name )
{
    if (writewatch_open( NULL )) return writewatch_reason();
    *name = writewatch_backend();
    return pipe( pipe_fds ) ? "no pipe" : NULL;
}

int claim_sparse(void)
{
    block_limits.min_size = ~(size_t)0;
    return 1;
}

/***********************************************************************
 *           write_by_read
 *
 * With the backends that must prepare pages before a system call writes, a poll may close the page
 * again before it does: then it failed and has written nothing, and the word is still in the pipe.
 */
int write_by_read( void *addr, uint32_t value )
{
    ssize_t ret;

    if (write( pipe_fds[1], &value, sizeof(value) ) != sizeof(value)) return 0;
    do
    {
        if (writewatch_prepare( addr, sizeof(value) )) return 0;
        ret = read( pipe_fds[0], addr, sizeof(value) );
    } while (ret == -1 && errno == EFAULT);
    return ret == sizeof(value);
}

/***********************************************************************
 *           write_to_process
 *
 * No poll is made meanwhile, but softdirty closes all pages also when other memory is watched anew.
 */
int write_to_process( void *addr, uint32_t value )
{
    struct iovec local = { &value, sizeof(value) }, remote = { addr, sizeof(value) };
    ssize_t ret;

    do
    {
        if (writewatch_prepare( addr, sizeof(value) )) return 0;
        ret = process_vm_writev( getpid(), &local, 1, &remote, 1, 0 );
    } while (ret == -1 && errno == EFAULT);
    return ret == sizeof(value);
}
