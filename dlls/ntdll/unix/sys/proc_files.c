/*
 * The files of /proc/self that the library reads, also for a program that gives up /proc
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/descriptor.h"
#include "sys/lock_order.h"
#include "sys/proc_files.h"
#include "sys/wait_turn.h"

static const char * const names[PROC_FILE_COUNT] =
{
    [PROC_MAPS]    = "/proc/self/maps",
    [PROC_SMAPS]   = "/proc/self/smaps",
    [PROC_PAGEMAP] = "/proc/self/pagemap",
};

/* They change when the backend is opened and in a child alone. */
static struct
{
    int                  fd;
    struct descriptor_id id;
} kept_files[PROC_FILE_COUNT] = { { -1, { 0, 0 } }, { -1, { 0, 0 } }, { -1, { 0, 0 } } };

/* A kept file has one position, so one thread at a time reads it. */
static unsigned int lock_word;

static void lock_kept(void)
{
    unsigned int turns = 0;

    note_lock( LOCK_PROC_FILES );
    while (__atomic_exchange_n( &lock_word, 1, __ATOMIC_ACQUIRE )) wait_turn( &turns );
}

static void unlock_kept(void)
{
    note_unlock( LOCK_PROC_FILES );
    __atomic_store_n( &lock_word, 0, __ATOMIC_RELEASE );
}

void proc_keep(void)
{
    unsigned int i;
    int fd;

    for (i = 0; i < PROC_FILE_COUNT; i++)
    {
        if (kept_files[i].fd != -1) continue;
        if ((fd = descriptor_raise( open( names[i], O_RDONLY | O_CLOEXEC ))) == -1) continue;
        if (descriptor_identify( fd, &kept_files[i].id )) close( fd );
        else __atomic_store_n( &kept_files[i].fd, fd, __ATOMIC_RELEASE );
    }
}

void proc_keep_in_child(void)
{
    unsigned int i;
    int any = 0;

    lock_word = 0;   /* of a thread that the child does not have */
    for (i = 0; i < PROC_FILE_COUNT; i++)
    {
        any |= kept_files[i].fd != -1;
        descriptor_close( &kept_files[i].fd, &kept_files[i].id );
    }
    if (any) proc_keep();
}

/* the number of a kept file, or -1 if the program has closed or reused it */
static int kept_number( enum proc_file file )
{
    int fd = __atomic_load_n( &kept_files[file].fd, __ATOMIC_ACQUIRE );

    return fd == -1 || descriptor_check( fd, &kept_files[file].id ) ? -1 : fd;
}

int proc_open( enum proc_file file, int *kept )
{
    int fd = open( names[file], O_RDONLY | O_CLOEXEC ), err = errno;

    *kept = 0;
    if (fd != -1) return fd;
    if (kept_number( file ) == -1) return -err;
    lock_kept();
    if ((fd = kept_number( file )) != -1 && !lseek( fd, 0, SEEK_SET ))
    {
        *kept = 1;
        return fd;
    }
    unlock_kept();
    return -err;
}

void proc_close( int fd, int kept )
{
    if (kept) unlock_kept();
    else close( fd );
}

int proc_open_own( enum proc_file file )
{
    int fd = open( names[file], O_RDONLY | O_CLOEXEC ), err = errno;

    if (fd != -1) return fd;
    if ((fd = kept_number( file )) == -1) return -err;
    return (fd = fcntl( fd, F_DUPFD_CLOEXEC, 3 )) == -1 ? -errno : fd;
}
