/*
 * Serving missing pages of watched memory from a file on first touch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "writewatch.h"

#include "engine/watch.h"
#include "native/failure.h"
#include "native/process.h"
#include "sys/descriptor.h"
#include "sys/kernel_api.h"
#include "sys/lock_order.h"
#include "sys/page.h"
#include "sys/signals.h"
#include "sys/wait_turn.h"

/* How much is read from the file at once. A touch of one page also fills its neighbours, up to the
 * next one that is present; they do not count as written either. */
#define READ_SIZE ((size_t)65536)

/* how often in a row the touch of one page may come back to us */
#define MAX_REPEATS 10000

struct writewatch_restore
{
    uintptr_t                  start;
    uintptr_t                  end;
    int                        fd;
    struct descriptor_id       id;
    off_t                      offset;
    struct writewatch_restore *next;
};

/* One thread at a time changes what follows. The thread that serves pages takes no lock: a thread
 * that holds this one, or a lock that a fork() which holds this one waits for, may be waiting for a
 * page. */
static pthread_mutex_t restore_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct writewatch_restore *restores;

/* faults are not blocked: what lies on the heap or on this thread's stack may be watched */
static void lock_restores( sigset_t *sigset )
{
    block_all_but_faults( sigset );
    note_lock( LOCK_RESTORES );
    pthread_mutex_lock( &restore_mutex );
}

static void unlock_restores( const sigset_t *sigset )
{
    note_unlock( LOCK_RESTORES );
    pthread_mutex_unlock( &restore_mutex );
    restore_signals( sigset );
}

/* The thread that serves missing pages. It stays when there is nothing left to restore: memory
 * cannot be registered anew without missing pages and keep what was written, so their faults must
 * be answered. */
static sem_t server_ready;   /* posted once there is something to listen to */
static int server_started;
static int server_fd = -1;   /* what it listens to */
static struct descriptor_id server_id;
static char *server_buffer;
static size_t server_buffer_size;
static unsigned int serving; /* odd while it reads messages and serves them */

/***********************************************************************
 *           wait_for_server
 *
 * Waits until the server thread does not use what was taken out of its reach before the call.
 */
static void wait_for_server(void)
{
    unsigned int now = __atomic_load_n( &serving, __ATOMIC_SEQ_CST ), turns = 0;

    if (!(now & 1)) return;
    while (__atomic_load_n( &serving, __ATOMIC_SEQ_CST ) == now) wait_turn( &turns );
}

/* by the server thread, or with the lock */
static struct writewatch_restore *find_restore( uintptr_t start, uintptr_t end )
{
    struct writewatch_restore *restore = __atomic_load_n( &restores, __ATOMIC_SEQ_CST );

    for (; restore; restore = __atomic_load_n( &restore->next, __ATOMIC_SEQ_CST ))
        if (restore->start < end && restore->end > start) return restore;
    return NULL;
}

/***********************************************************************
 *           read_file
 *
 * Reads what the file has for a part of the memory; what is beyond its end becomes zeros. Returns 0
 * or -errno.
 */
static int read_file( const struct writewatch_restore *restore, uintptr_t start, char *buffer,
                      size_t size )
{
    off_t offset = restore->offset + (start - restore->start);
    int ret = descriptor_check( restore->fd, &restore->id );
    ssize_t count;

    if (ret) return ret;
    while (size)
    {
        if ((count = pread( restore->fd, buffer, size, offset )) < 0)
        {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (!count) break;
        offset += count;
        buffer += count;
        size   -= count;
    }
    memset( buffer, 0, size );
    return 0;
}

/***********************************************************************
 *           poison_page
 *
 * Makes each access to a missing page fail with SIGBUS. The kernel does not replace the marker of a
 * protected page (6.18), so the protection goes first; the page is still missing, so no access gets
 * through in between.
 */
static void poison_page( uintptr_t start, size_t size )
{
    struct uffdio_writeprotect wp = { .range = { .start = start, .len = size },
                                      .mode = UFFDIO_WRITEPROTECT_MODE_DONTWAKE };
    struct uffdio_poison poison;

    ioctl( server_fd, UFFDIO_WRITEPROTECT, &wp );
    memset( &poison, 0, sizeof(poison) );
    poison.range.start = start;
    poison.range.len   = size;
    ioctl( server_fd, UFFDIO_POISON, &poison );
}

/***********************************************************************
 *           serve_page
 *
 * Answers the first touch of a page. The page is filled write-protected, so that a write faults
 * again and counts. If it cannot be read from the file, the access gets SIGBUS, as with a mapping
 * of the file. No lock.
 */
static void serve_page( uintptr_t addr )
{
    static uintptr_t last_addr;
    static unsigned int repeats;
    struct uffdio_range wake;
    struct writewatch_restore *restore;
    struct watch_region *region;
    uintptr_t start, end;
    size_t granule, filled = 0;
    char *buffer;
    int ret;

    addr = round_down( addr );
    /* no longer watched: detaching it has woken the threads that waited */
    if (!(region = region_get( addr, addr + page_size() ))) return;
    granule = (size_t)1 << region->shift;
    start = addr & -granule;
    end = start + granule;
    /* large enough since before the region's faults came to us */
    buffer = __atomic_load_n( &server_buffer, __ATOMIC_SEQ_CST );

    if (!(restore = find_restore( start, end )))
    {
        memset( buffer, 0, granule );
        ret = 0;
    }
    else
    {
        if (granule < READ_SIZE) end = start + READ_SIZE;
        if (end > restore->end) end = restore->end;
        if (end > region->end) end = region->end;
        ret = read_file( restore, start, buffer, end - start );
        /* the error may be one of the neighbours only */
        if (ret && end - start > granule)
        {
            end = start + granule;
            ret = read_file( restore, start, buffer, granule );
        }
    }
    if (!ret) ret = region->backend->fill( region, start, end, buffer, &filled );
    /* if the page is present, or the region is gone, the access is tried again, but not for ever */
    if (filled || addr != last_addr) repeats = 0;
    else if ((ret == -EEXIST || ret == -ENOENT) && ++repeats > MAX_REPEATS) ret = -EIO;
    last_addr = addr;
    if (ret && ret != -EEXIST && ret != -ENOENT && !filled) poison_page( start, granule );
    region_put( region );

    /* if the page was present already, filling it has failed and has not woken any thread */
    wake.start = start;
    wake.len   = granule;
    if (!filled) ioctl( server_fd, UFFDIO_WAKE, &wake );
}

/***********************************************************************
 *           serve_pages
 *
 * The thread. It never touches watched memory itself, and waits for no other thread. If the program
 * closes the userfaultfd, or reuses its number, the kernel ends all watches, and no thread waits
 * for us any more.
 */
static void *serve_pages( void *arg )
{
    struct pollfd poll_fd = { .events = POLLIN };
    struct uffd_msg messages[16];
    ssize_t i, size;

    (void)arg;
    while (sem_wait( &server_ready )) sched_yield();
    poll_fd.fd = server_fd;
    for (;;)
    {
        /* whatever fails, a thread that has touched a page still waits for us */
        if (poll( &poll_fd, 1, DESCRIPTOR_POLL_TIME ) < 0) sched_yield();
        if (descriptor_check( server_fd, &server_id )) return NULL;
        /* A message that is read is served before wait_for_server() returns: its thread may have
         * been woken meanwhile, and a page that is dropped later must stay missing. */
        __atomic_fetch_add( &serving, 1, __ATOMIC_SEQ_CST );
        size = read( server_fd, messages, sizeof(messages) );
        for (i = 0; i < size / (ssize_t)sizeof(messages[0]); i++)
            if (messages[i].event == UFFD_EVENT_PAGEFAULT)
                serve_page( messages[i].arg.pagefault.address );
        __atomic_fetch_add( &serving, 1, __ATOMIC_SEQ_CST );
    }
    return NULL;
}

/***********************************************************************
 *           start_server
 *
 * Starts the thread, with all signals blocked, and allocates a buffer for a page of some size. The
 * mutex is held.
 */
static int start_server( size_t granule )
{
    size_t size = granule > READ_SIZE ? granule : READ_SIZE;
    sigset_t sigset;
    pthread_t thread;
    char *buffer, *old = server_buffer;
    int ret;

    if (server_buffer_size < size)
    {
        buffer = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
        if (buffer == MAP_FAILED) return -errno;
        __atomic_store_n( &server_buffer, buffer, __ATOMIC_SEQ_CST );
        wait_for_server();
        if (old) munmap( old, server_buffer_size );
        server_buffer_size = size;
    }
    if (server_started) return 0;

    sem_init( &server_ready, 0, 0 );
    block_all_signals( &sigset );
    if (!(ret = pthread_create( &thread, NULL, serve_pages, NULL )))
    {
        pthread_detach( thread );
        server_started = 1;
    }
    restore_signals( &sigset );
    return -ret;
}

static void lock_restores_for_fork(void)
{
    note_lock( LOCK_RESTORES );
    pthread_mutex_lock( &restore_mutex );
}

/* The server thread is the parent's, and restores end in the child. */
static void unlock_restores_after_fork( int child )
{
    if (child)
    {
        restores = NULL;
        server_started = 0;
        server_fd = -1;
        serving = 0;
        last_failure.error = 0;   /* it was a call of the parent */
    }
    note_unlock( LOCK_RESTORES );
    pthread_mutex_unlock( &restore_mutex );
}

/* before any thread can be in a restore while another one forks */
__attribute__((constructor)) static void set_fork_functions(void)
{
    restore_before_fork = lock_restores_for_fork;
    restore_after_fork  = unlock_restores_after_fork;
}

static void link_restore( struct writewatch_restore *restore )
{
    restore->next = restores;
    __atomic_store_n( &restores, restore, __ATOMIC_SEQ_CST );
}

static void unlink_restore( struct writewatch_restore *restore )
{
    struct writewatch_restore **prev;

    for (prev = &restores; *prev && *prev != restore; prev = &(*prev)->next) /* nothing */;
    /* else it is the parent's */
    if (*prev) __atomic_store_n( prev, restore->next, __ATOMIC_SEQ_CST );
}

/* begins to serve; returns 0 or -errno */
static int add_restore( struct writewatch_restore *restore )
{
    size_t granule = writewatch_granularity( (void *)restore->start );
    sigset_t sigset;
    int ret;

    if (!granule) return -ENOENT;
    if ((restore->start | restore->end) & (granule - 1)) return -EINVAL;

    lock_restores( &sigset );
    if (find_restore( restore->start, restore->end )) ret = -EBUSY;
    else if (!(ret = start_server( granule )))
    {
        link_restore( restore );
        ret = watch_serve( (void *)restore->start, restore->end - restore->start );
        if (ret < 0) unlink_restore( restore );
        else if (server_fd == -1)
        {
            server_fd = ret;
            descriptor_identify( server_fd, &server_id );
            sem_post( &server_ready );
        }
    }
    unlock_restores( &sigset );
    if (ret >= 0) return 0;
    wait_for_server();   /* the memory may be served, after an earlier restore */
    return ret;
}

/***********************************************************************
 *           writewatch_restore_start
 *
 * Bytes; whole pages of the memory's granularity, in one watched region of private anonymous
 * memory, shared memory or huge pages. Missing pages are read from offset + (their address - addr)
 * when they are first touched; beyond the end of the file they are zeros. Pages that are present
 * are left alone. The descriptor may be closed afterwards; the file must not change. The touch of a
 * page that cannot be read gets SIGBUS, and the page counts as written.
 *
 * A system call that touches a missing page is served too if the process may handle the kernel's
 * faults (root, CAP_SYS_PTRACE or vm.unprivileged_userfaultfd=1). Otherwise it fails with EFAULT,
 * and its buffer must be touched before.
 *
 * By any thread. A child by fork() gets only the pages that are present, and may call this anew.
 * Errors: -EINVAL (not whole pages, a negative offset), -ENOENT (not watched), -EBUSY (part of it
 * is being restored), -EOPNOTSUPP (not with this backend, or memory of a file, which has no missing
 * pages), what reading says of the descriptor, -ENOMEM, -EAGAIN (no thread).
 */
static int start_restore( struct writewatch_restore **ret, void *addr, size_t size, int fd,
                          int64_t offset )
{
    uintptr_t start = (uintptr_t)addr, end = start + size;
    struct writewatch_restore *restore;
    char byte;
    int err;

    process_init();
    if (!size || end < start || (start | size) & (page_size() - 1) || offset < 0) return -EINVAL;
    if (pread( fd, &byte, 1, offset ) < 0) return -errno;
    if (!(restore = malloc( sizeof(*restore) ))) return -ENOMEM;

    restore->start  = start;
    restore->end    = end;
    restore->offset = offset;
    if ((restore->fd = descriptor_raise( fcntl( fd, F_DUPFD_CLOEXEC, 3 ))) == -1 ||
        descriptor_identify( restore->fd, &restore->id ))
    {
        err = -errno;
        free( restore );
        return err;
    }
    if ((err = add_restore( restore )))
    {
        descriptor_close( &restore->fd, &restore->id );
        free( restore );
        return err;
    }
    *ret = restore;
    return 0;
}

int writewatch_restore_start( struct writewatch_restore **restore, void *addr, size_t size, int fd,
                              int64_t offset )
{
    return returned( __func__, start_restore( restore, addr, size, fd, offset ) );
}

/***********************************************************************
 *           writewatch_restore_stop
 *
 * Waits until a page that is being read is served. Pages that were not touched yet are zeros from
 * now on. The watch continues, and so does the thread.
 */
void writewatch_restore_stop( struct writewatch_restore *restore )
{
    sigset_t sigset;

    if (!restore) return;
    lock_restores( &sigset );
    unlink_restore( restore );
    unlock_restores( &sigset );
    wait_for_server();
    descriptor_close( &restore->fd, &restore->id );
    free( restore );
}
