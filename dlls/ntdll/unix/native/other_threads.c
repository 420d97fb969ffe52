/*
 * What the C library keeps about other threads
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native/other_threads.h"

/* The kernel itself writes to what the C library keeps about a thread: to its restartable sequence
 * when it is preempted, to its id when it ends. If it may not, it kills the process, or leaves a
 * pthread_join() waiting for ever. It says of another thread only where its list of robust mutexes
 * is. In glibc the three lie in one structure, at the same places for each thread; musl names the
 * list to the kernel only when it is used. */

#define SEQUENCE_SIZE 32
#define FAR           16384

/* a statically linked program may have none */
extern __typeof__(dlsym) dlsym __attribute__((weak));

/* where it is from the thread pointer; NULL before glibc 2.35, and with musl */
static const ptrdiff_t *sequence_offset;

/* A look-up takes the loader's lock, which is held while the constructors of a library run that is
 * being loaded: one of them may be waiting for a thread that watches memory. */
__attribute__((constructor)) static void find_sequence(void)
{
    if (dlsym) sequence_offset = dlsym( RTLD_DEFAULT, "__rseq_offset" );
}

struct extent
{
    uintptr_t first;
    uintptr_t last;
};

static uintptr_t thread_pointer(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return (uintptr_t)pthread_self();
#else
    return (uintptr_t)__builtin_thread_pointer();
#endif
}

/* what lies elsewhere was not put there by the C library */
static void include( struct extent *extent, uintptr_t addr, size_t size )
{
    if (addr < extent->last - FAR || addr > extent->first + FAR) return;
    if (addr < extent->first) extent->first = addr;
    if (addr + size > extent->last) extent->last = addr + size;
}

/* from the first to the last of the three, for this thread */
static struct extent own_extent( uintptr_t list )
{
    struct extent extent = { list, list + sizeof(void *) };
    uint64_t id = 0;   /* a 64-bit kernel stores as many bytes for a 32-bit program */

    /* since Linux 3.5 */
    if (!prctl( PR_GET_TID_ADDRESS, &id, 0, 0, 0 ) && id) include( &extent, id, sizeof(pid_t) );
    if (sequence_offset) include( &extent, thread_pointer() + *sequence_offset, SEQUENCE_SIZE );
    return extent;
}

static uintptr_t robust_list( int tid )
{
    uintptr_t head = 0;
    size_t size;

    return syscall( SYS_get_robust_list, tid, &head, &size ) ? 0 : head;
}

/***********************************************************************
 *           threads_hold
 */
int threads_hold( uintptr_t start, uintptr_t end )
{
    uintptr_t list, own = robust_list( 0 );
    struct dirent *entry;
    struct extent extent;
    int tid, ret = 0;
    DIR *dir;

    if (!own || !(dir = opendir( "/proc/self/task" ))) return 0;
    extent = own_extent( own );
    while (!ret && (entry = readdir( dir )))
    {
        if ((tid = atoi( entry->d_name )) <= 0 || !(list = robust_list( tid ))) continue;
        ret = start < extent.last + (list - own) && extent.first + (list - own) < end;
    }
    closedir( dir );
    return ret;
}
