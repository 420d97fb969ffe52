/*
 * What calls about trackers, places and other processes say of their failures
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "errors.h"

/* what a tracker cannot follow, list, save or put back */
static void test_trackers( const char *backend )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_tracker *tracker, *others[64];
    struct writewatch_range ranges[4];
    const void *pos;
    char *ptr, *other;
    int fds[2], fd, i;

    page_init();
    if (!(ptr = watched( backend ))) return;
    other = map_pages();
    fails( writewatch_tracker_open( &tracker, ptr, 0, 0 ), -EINVAL, "no page" );
    fails( writewatch_tracker_open( &tracker, ptr, SIZE, 0x100 ), -EINVAL, "flag" );
    check( !writewatch_tracker_open( &tracker, ptr, SIZE, 0 ));
    for (i = 0; i < 63; i++) check( !writewatch_tracker_open( &others[i], ptr, SIZE, 0 ));
    fails( writewatch_tracker_open( &others[63], ptr, SIZE, 0 ), -ENOSPC, "64 trackers" );
    for (i = 0; i < 63; i++) writewatch_tracker_close( others[i] );

    pos = ptr + SIZE;
    fails( writewatch_tracker_list( tracker, &pos, ptr, &filter, ranges, 4 ), -EINVAL, "no page" );
    fails( writewatch_tracker_list( tracker, &pos, ptr + 2 * SIZE, &filter, ranges, 4 ), -EINVAL,
           "tracker's" );
    pos = ptr;
    fails( writewatch_tracker_list( tracker, &pos, ptr + SIZE, &filter, ranges, 0 ), -EINVAL,
           "no room" );
    filter.reserved[0] = 1;
    fails( writewatch_tracker_list( tracker, &pos, ptr + SIZE, &filter, ranges, 4 ), -EINVAL,
           "reserved" );
    filter.reserved[0] = 0;
    filter.required = WRITEWATCH_ZERO;
    if (strncmp( backend, "scan", 4 ))
        fails( writewatch_tracker_list( tracker, &pos, ptr + SIZE, &filter, ranges, 4 ),
               -EOPNOTSUPP, "only scan" );
    filter.required = WRITEWATCH_WRITTEN;
    check( pos == ptr );

    fails( writewatch_tracker_add_view( tracker, ptr, SIZE, other + 1 ), -EINVAL, "whole pages" );
    fails( writewatch_tracker_add_view( tracker, other, SIZE, ptr ), -EINVAL, "tracker's" );
    fails( writewatch_tracker_save( tracker, ptr + 1, SIZE, other ), -EINVAL, "whole pages" );
    fails( writewatch_tracker_save_to( tracker, ptr, 2 * SIZE, 0, 0 ), -EINVAL, "tracker's" );
    fails( writewatch_tracker_restore( tracker, ptr, 2 * SIZE, other ), -EINVAL, "tracker's" );
    fd = unit_temp_file();
    check( !pipe( fds ) && fd != -1 );
    ptr[0] = 1;
    fails( writewatch_tracker_save_to( tracker, ptr, SIZE, -1, 0 ), -EBADF, "descriptor" );
    fails( writewatch_tracker_save_to( tracker, ptr, SIZE, fds[1], 0 ), -ESPIPE, "pipe" );
    fails( writewatch_tracker_save_to( tracker, ptr, SIZE, fd, -1 ), -EINVAL, "negative" );
    signal( SIGXFSZ, SIG_IGN );
    check( !setrlimit( RLIMIT_FSIZE, &(struct rlimit){ page_size(), RLIM_INFINITY } ));
    fails( writewatch_tracker_save_to( tracker, ptr, SIZE, fd, page_size() ), -EFBIG, "too large" );
    if ((i = open( "/dev/full", O_WRONLY )) != -1)
        fails( writewatch_tracker_save_to( tracker, ptr, SIZE, i, 0 ), -ENOSPC, "no room" );
    check( writewatch_tracker_save( tracker, ptr, SIZE, other ) == (ssize_t)page_size() );

    for (i = 0; i < 8; i++) check( !writewatch_tracker_add_view( tracker, ptr, SIZE, other ));
    fails( writewatch_tracker_add_view( tracker, ptr, SIZE, other ), -ENOSPC, "eight" );
    /* the views are not watched */
    fails( writewatch_tracker_list( tracker, &pos, ptr + SIZE, &filter, ranges, 4 ), -ENOENT,
           "not watched" );

    writewatch_tracker_close( tracker );
    check( !writewatch_tracker_open( &tracker, ptr, SIZE, 0 ));
    check( !munmap( ptr + SIZE / 2, page_size() ));
    fails( writewatch_tracker_list( tracker, &pos, ptr + SIZE, &filter, ranges, 4 ), -EFAULT,
           "not mapped" );
    fails( writewatch_tracker_save( tracker, ptr, SIZE, other ), -EFAULT, "not mapped" );
    fails( writewatch_tracker_save_to( tracker, ptr, SIZE, fd, 0 ), -EFAULT, "not mapped" );
    fails( writewatch_tracker_restore( tracker, ptr, SIZE, other ), -EFAULT, "not mapped" );
}

/* memory that does not move or grow, and holes that cannot be made */
static void test_changes( const char *backend )
{
    char *place;
    void *moved;
    int fd;

    page_init();
    if (!watched( backend )) return;
    moved = VirtualAlloc( NULL, SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    fails( writewatch_remap( &moved, SIZE, 2 * SIZE, 0 ), -EOPNOTSUPP, "VirtualAlloc" );

    /* there is no room, and two mappings do not move */
    place = mmap( NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( place != MAP_FAILED && !writewatch_watch( place, SIZE ));
    moved = place;
    fails( writewatch_remap( &moved, SIZE, 2 * SIZE, 0 ), -ENOMEM, "cannot grow" );
    check( moved == place && !writewatch_unwatch( place, SIZE ));
    check( !mprotect( place, page_size(), PROT_READ ) && !writewatch_watch( place, SIZE ));
    fails( writewatch_remap( &moved, SIZE, 2 * SIZE, MREMAP_MAYMOVE ), -EFAULT, "one mapping" );
    check( moved == place );

    /* a hole needs a mapping that may be written */
    fd = open( "/proc/self/exe", O_RDONLY );
    place = mmap( NULL, page_size(), PROT_READ, MAP_SHARED, fd, 0 );
    check( fd != -1 && place != MAP_FAILED );
    fails( writewatch_drop( place, page_size(), MADV_REMOVE ), -EACCES, "may not be written" );
    close( fd );
}

/* another process, and what cannot be asked of it */
static void test_processes(void)
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN };
    struct writewatch_process *process;
    struct writewatch_range range;
    int pidfd, file = unit_temp_file();
    struct rlimit old, none;
    uint64_t next = 0;
    pid_t pid;

    page_init();
    if (!(pid = fork())) for (;;) pause();
    pidfd = syscall( SYS_pidfd_open, pid, 0 );
    check( pidfd != -1 && file != -1 );
    fails( writewatch_process_open( &process, -1 ), -EBADF, "not open" );
    fails( writewatch_process_open( &process, file ), -EBADF, "pidfd" );
    check( !getrlimit( RLIMIT_NOFILE, &old ));
    none = old;
    none.rlim_cur = 0;
    check( !setrlimit( RLIMIT_NOFILE, &none ));
    fails( writewatch_process_open( &process, pidfd ), -EMFILE, "too many open files" );
    check( !setrlimit( RLIMIT_NOFILE, &old ));
    check( !writewatch_process_open( &process, pidfd ) && !writewatch_reason()[0] );
    fails( writewatch_process_regions( process, &range, 0, &next ), -EINVAL, "no room" );
    fails( writewatch_process_list( process, page_size(), 0, &filter, &range, 1, NULL ), -EINVAL,
           "no page" );
    fails( writewatch_process_list( process, page_size(), 1, &filter, &range, 1, NULL ), -EFAULT,
           "not mapped" );
    filter.reset = 1;
    fails( writewatch_process_list( process, page_size(), 1, &filter, &range, 1, NULL ), -EINVAL,
           "reset" );
    filter.reset = 0;
    filter.flags = WRITEWATCH_ACROSS;
    fails( writewatch_process_list( process, page_size(), 1, &filter, &range, 1, NULL ), -EINVAL,
           "flag" );
    filter.flags = 0;
    check( !kill( pid, SIGKILL ) && waitpid( pid, NULL, 0 ) == pid );
    fails( writewatch_process_regions( process, &range, 1, &next ), -ESRCH, "ended" );
    fails( writewatch_process_list( process, page_size(), 1, &filter, &range, 1, NULL ), -ESRCH,
           "ended" );
    writewatch_process_close( process );
    check( strstr( writewatch_reason(), "ended" ) != NULL );
    fails( writewatch_process_open( &process, pidfd ), -ESRCH, "ended" );
}

static const struct error_test all_tests[] =
{
    { "processes", test_processes, NULL },
    { "trackers",  NULL,           test_trackers },
    { "changes",   NULL,           test_changes },
    { NULL,        NULL,           NULL },
};

int main(void)
{
    return run_tests( all_tests );
}
