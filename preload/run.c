/*
 * The run that this process belongs to
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "sys/raw_syscall.h"

/* The file must be ours, and as long as the page: a shorter one would be a fault. */
static struct run_page *map_run_page( const char *file )
{
    struct run_page *page;
    cpu_stat st;
    long ret = -1;
    int fd;

    fd = open( file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC );
    if (fd == -1) return NULL;
    if (!raw_syscall3( CPU_SYS_FSTAT, fd, (long)&st, 0 ) && S_ISREG( st.st_mode ) &&
        st.st_uid == geteuid() && st.st_size >= (off_t)sizeof(*page))
        ret = raw_syscall6( CPU_SYS_MMAP, 0, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            0 );
    close( fd );
    if (raw_failed( ret )) return NULL;
    page = (struct run_page *)ret;
    return page->magic == RUN_MAGIC ? page : NULL;
}

struct run_page *run_page(void)
{
    static struct run_page *page;
    static int done;
    const char *file;

    if (!done && (file = secure_getenv( "WRITEWATCH_RUN" )) && *file) page = map_run_page( file );
    done = 1;
    return page;
}
