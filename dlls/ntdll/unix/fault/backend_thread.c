/*
 * Write tracking by userfaultfd write-protection and a thread that serves it, Linux 5.7 and later
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/region.h"
#include "engine/selftest.h"
#include "fault/backends.h"
#include "fault/fault.h"
#include "fault/own_memory.h"
#include "fault/userfault.h"
#include "fault/userfault_calls.h"
#include "sys/advise.h"
#include "sys/kernel_api.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"
#include "sys/signals.h"
#include "sys/wait_turn.h"

/* Each first write waits for another thread, so this is slow. It exists for comparison, and because
 * it needs no signal. System calls that write to watched memory work where the process may serve
 * faults of the kernel. Elsewhere they fail with EFAULT. */
static struct userfault served = { .fd = -1 };

/* A byte sent into one end stops the thread. These are sockets because each end is a file of its
 * own, and because sending to an end whose peer is gone can do without a signal. */
static int stop_fds[2] = { -1, -1 };
static struct descriptor_id stop_ids[2];
static int started, stopping, given_up;
static unsigned int begun, done;   /* messages that the thread began to read, and has served */
static pthread_t server;

#define MAX_TRIES    100    /* to wake the waiting threads */
#define MAX_FAILURES 1000   /* to read, in a row, although poll() reports a message */

static void serve_message( const struct uffd_msg *msg )
{
    uintptr_t addr = round_down( msg->arg.pagefault.address );
    struct watch_region *region;
    unsigned int tries;

    /* the program unmaps watched memory, or maps over it, and waits until the message is read */
    if (msg->event == UFFD_EVENT_UNMAP) region_lose( msg->arg.remove.start, msg->arg.remove.end );
    if (msg->event != UFFD_EVENT_PAGEFAULT) return;
    /* a thread that could not be served raises the fault again; its page may have been detached */
    if (!fault_serve( addr, msg->arg.pagefault.flags
                      & (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP) ))
        sched_yield();
    for (tries = 0; tries < MAX_TRIES; tries++)
        if (!wake_threads( &served, addr, page_size() )) return;
    /* no thread may wait for the page for ever */
    if (!(region = region_get( addr, addr + page_size() ))) return;
    userfault_give_up( &served, region, addr, addr + page_size() );
    region_put( region );
}

/***********************************************************************
 *           wait_for_server
 *
 * Waits until the server thread has served the messages that it has begun to read. A thread that
 * unmaps watched memory goes on when its message is read, a moment before it is served. The caller
 * must hold no lock that the server needs for a fault.
 */
static void wait_for_server(void)
{
    unsigned int last = __atomic_load_n( &begun, __ATOMIC_SEQ_CST ), turns = 0;

    while ((int)(__atomic_load_n( &done, __ATOMIC_SEQ_CST ) - last) < 0 &&
           !__atomic_load_n( &given_up, __ATOMIC_SEQ_CST ))
        wait_turn( &turns );
}

/***********************************************************************
 *           give_up
 *
 * Closes the userfaultfd when it can no longer be read: the kernel ends all watches and wakes all
 * waiting threads. The number stays taken, since another thread may be about to use it. Queries
 * fail from now on.
 */
static void give_up(void)
{
    __atomic_store_n( &given_up, 1, __ATOMIC_SEQ_CST );
    if (userfault_check( &served ) || dup3( stop_fds[0], served.fd, O_CLOEXEC ) == -1) return;
    served.id = stop_ids[0];   /* for userfault_close() */
}

/***********************************************************************
 *           serve_faults
 *
 * All signals are blocked, since no handler of the program may run here: it could write to watched
 * memory.
 *
 * Reads one message at a time. UFFDIO_WAKE wakes every thread waiting for the page and discards
 * their unread messages. If two messages about one page were read together, the second would be
 * served long after its write was done and reported: the page would be reported again.
 *
 * If the program has closed or reused the number, nothing is read from it. No thread waits then.
 */
static void *serve_faults( void *arg )
{
    struct pollfd fds[2] = { { .fd = served.fd, .events = POLLIN },
                             { .fd = stop_fds[0], .events = POLLIN } };
    struct uffd_msg msg;
    unsigned int failures = 0;

    while (!__atomic_load_n( &stopping, __ATOMIC_SEQ_CST ))
    {
        ssize_t count;

        /* go on if it fails: a thread may be waiting to be served */
        if (poll( fds, 2, DESCRIPTOR_POLL_TIME ) < 0) sched_yield();
        if (__atomic_load_n( &stopping, __ATOMIC_SEQ_CST )) break;
        /* the socket can no longer stop this thread; poll() skips it from now on */
        if (fds[1].revents) fds[1].fd = -1;
        if (userfault_check( &served ))
        {
            __atomic_store_n( &given_up, 1, __ATOMIC_SEQ_CST );
            break;
        }
        __atomic_fetch_add( &begun, 1, __ATOMIC_SEQ_CST );
        if ((count = read( served.fd, &msg, sizeof(msg) )) > 0) failures = 0;
        else if (fds[0].revents && ++failures > MAX_FAILURES)
        {
            give_up();
            break;
        }
        if (count == sizeof(msg)) serve_message( &msg );
        __atomic_fetch_add( &done, 1, __ATOMIC_SEQ_CST );
    }
    return arg;
}

static int open_stop_fds(void)
{
    int i;

    if (socketpair( AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stop_fds )) return -errno;
    for (i = 0; i < 2; i++)
    {
        stop_fds[i] = descriptor_raise( stop_fds[i] );
        descriptor_identify( stop_fds[i], &stop_ids[i] );
    }
    return 0;
}

/* the change lock is held */
static int start_server(void)
{
    sigset_t sigset;
    int ret;

    if (started) return 0;
    if (stop_fds[0] == -1 && (ret = open_stop_fds())) return ret;
    stopping = given_up = 0;
    done = begun;
    block_all_signals( &sigset );
    ret = pthread_create( &server, NULL, serve_faults, NULL );
    restore_signals( &sigset );
    if (ret) return -ret;
    started = 1;
    return 0;
}

static void thread_close(void)
{
    if (started)
    {
        __atomic_store_n( &stopping, 1, __ATOMIC_SEQ_CST );
        if (descriptor_check( stop_fds[1], &stop_ids[1] ) ||
            send( stop_fds[1], "", 1, MSG_NOSIGNAL ) != 1) return;
        pthread_join( server, NULL );
        started = 0;
    }
    descriptor_close( &stop_fds[0], &stop_ids[0] );
    descriptor_close( &stop_fds[1], &stop_ids[1] );
    userfault_close( &served );
}

static int thread_open( char *reason, size_t len )
{
    int ret;

    /* the second form is for processes that may not serve faults of the kernel */
    if (userfault_open( &served, 0, UFFD_FEATURE_EVENT_UNMAP, reason, len ) &&
        (ret = userfault_open( &served, UFFD_USER_MODE_ONLY, UFFD_FEATURE_EVENT_UNMAP, reason,
                               len ))) return ret;
    if ((ret = selftest_faults( &thread_backend, reason, len ))) thread_close();
    return ret;
}

/***********************************************************************
 *           thread_reopen
 *
 * The server thread does not exist in the child.
 */
static int thread_reopen(void)
{
    started = 0;
    done = begun;
    descriptor_close( &stop_fds[0], &stop_ids[0] );
    descriptor_close( &stop_fds[1], &stop_ids[1] );
    return userfault_reopen( &served );
}

static int thread_reattach( struct watch_region *region )
{
    int ret = start_server();

    return ret ? ret : userfault_reattach( &served, region );
}

static int thread_attach( struct watch_region *region )
{
    int ret = own_memory_check( region );

    if (!ret) ret = start_server();
    if (ret) return ret;
    /* messages until now are about memory that was here before */
    wait_for_server();
    __atomic_fetch_and( &region->lost, ~LOST_MEMORY, __ATOMIC_SEQ_CST );
    return userfault_attach( &served, region );
}

static void thread_detach( struct watch_region *region, uintptr_t start, uintptr_t end,
                       enum detach_reason reason )
{
    (void)reason;
    userfault_detach( &served, region, start, end );
}

static int thread_arm( struct watch_region *region, uintptr_t start, uintptr_t end )
{
    (void)region;
    return userfault_arm( &served, start, end );
}

static int thread_discard( struct watch_region *region, uintptr_t start, uintptr_t end,
                           enum discard_reason reason )
{
    (void)reason;
    return userfault_discard( &served, region, start, end );
}

static int thread_verify( struct watch_region *region )
{
    wait_for_server();
    return userfault_verify( &served, region );
}

static int thread_fault( struct watch_region *region, uintptr_t start, uintptr_t end,
                         unsigned int flags )
{
    return userfault_fault( &served, region, start, end, flags );
}

/* the kernel's own faults are served where the process may do that */
static unsigned int thread_capabilities( const struct watch_region *region, int anonymous )
{
    return userfault_capabilities( &served, region, anonymous ) | CAN_SEE_REPLACED |
           (served.flags & UFFD_USER_MODE_ONLY ? 0 : CAN_SYSCALLS);
}

static int thread_check(void)
{
    wait_for_server();
    return __atomic_load_n( &given_up, __ATOMIC_SEQ_CST ) ? -EIO : userfault_check( &served );
}

const struct watch_backend thread_backend =
{
    .name             = "thread",
    .mechanism        = "userfaultfd write-protection with a thread that serves it",
    .automatic        = 0,
    .open             = thread_open,
    .reopen           = thread_reopen,
    .reattach         = thread_reattach,
    .close            = thread_close,
    .attach           = thread_attach,
    .detach           = thread_detach,
    .free_locks       = fault_free_locks,
    .collect_written  = fault_collect_nothing,
    .arm              = thread_arm,
    .max_marked_pages = MAX_ARMED_PAGES,
    .discard          = thread_discard,
    .mlock_pages      = mlock_pages,
    .verify           = thread_verify,
    .capabilities     = thread_capabilities,
    .fault            = thread_fault,
    .hold             = fault_hold,
    .release          = fault_release,
    .look             = userfault_look,
    .check            = thread_check,
};
