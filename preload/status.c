/*
 * Makes the status page of this process
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/watch.h"
#include "hooks.h"
#include "preload.h"
#include "settings.h"
#include "status.h"
#include "sys/page.h"
#include "sys/raw_syscall.h"

/* All of it runs under the change lock, so it maps and unmaps by system calls of its own: mmap() of
 * this library takes that lock. */

static struct status_page *page;

struct status_page *status_page(void)
{
    return page;
}

/* Makes a folder, or takes one that its owner, this user, alone can enter. Returns its descriptor
 * or -1. */
static int open_folder( const char *path )
{
    cpu_stat st;
    int fd;

    if (mkdir( path, 0700 ) && errno != EEXIST) return -1;
    fd = open( path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC );
    if (fd == -1) return -1;
    /* fstat() is a symbol of its own only since glibc 2.33 */
    if (!raw_syscall3( CPU_SYS_FSTAT, fd, (long)&st, 0 ) && st.st_uid == geteuid() &&
        !(st.st_mode & 077))
        return fd;
    close( fd );
    return -1;
}

/***********************************************************************
 *           map_file
 *
 * Makes the file, with its blocks: a write to a mapping of a file system that is full would be a
 * fault. The name is that of an earlier process with this id, if there was one.
 */
static long map_file( int folder )
{
    char name[16], temporary[24];
    long ret = -ENOSPC;
    int fd;

    snprintf( name, sizeof(name), "%d", (int)getpid() );
    snprintf( temporary, sizeof(temporary), ".%s", name );
    unlinkat( folder, temporary, 0 );
    fd = openat( folder, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600 );
    if (fd == -1) return -errno;
    if (!posix_fallocate( fd, 0, STATUS_SIZE ))
        ret = raw_syscall6( CPU_SYS_MMAP, 0, round_up( STATUS_SIZE ), PROT_READ | PROT_WRITE,
                            MAP_SHARED, fd, 0 );
    close( fd );
    if (!raw_failed( ret ) && !renameat( folder, temporary, folder, name )) return ret;
    if (!raw_failed( ret )) raw_munmap( (void *)ret, round_up( STATUS_SIZE ));
    unlinkat( folder, temporary, 0 );
    return -ENOSPC;
}

static struct status_page *map_page(void)
{
    static const char * const folders[] = STATUS_FOLDERS;
    const char *value = setting( SETTING_STATUS );
    long ret = -1;
    unsigned int i;
    char path[64];
    int folder;

    for (i = 0; raw_failed( ret ) && i < sizeof(folders) / sizeof(folders[0]); i++)
    {
        if (value && !strcmp( value, "0" )) break;
        snprintf( path, sizeof(path), "%s%u", folders[i], (unsigned int)geteuid() );
        if ((folder = open_folder( path )) == -1) continue;
        ret = map_file( folder );
        close( folder );
    }
    if (raw_failed( ret )) ret = raw_mmap_anon( round_up( STATUS_SIZE ));
    return raw_failed( ret ) ? NULL : (struct status_page *)ret;
}

/***********************************************************************
 *           read_process_start
 *
 * When this process began, in the kernel's ticks: with its id, that tells it from any other. The
 * second field is a name in parentheses, which may contain anything.
 */
static uint64_t read_process_start(void)
{
    char buffer[1024], *p;
    ssize_t size = -1;
    unsigned int field;
    uint64_t value = 0;
    int fd;

    if ((fd = open( "/proc/self/stat", O_RDONLY | O_CLOEXEC )) != -1)
    {
        size = read( fd, buffer, sizeof(buffer) - 1 );
        close( fd );
    }
    if (size <= 0) return 0;
    buffer[size] = 0;
    if (!(p = strrchr( buffer, ')' ))) return 0;
    for (field = 2; field < 22; field++)
        if (!(p = strchr( p + 1, ' ' ))) return 0;
    /* strtoull() is a symbol of its own since glibc 2.38 */
    while (*++p >= '0' && *p <= '9') value = value * 10 + *p - '0';
    return value;
}

static void set_text( char *text, size_t size, const char *value )
{
    snprintf( text, size, "%s", value );
}

#define SET_TEXT( field, value ) set_text( page->field, sizeof(page->field), value )

struct status_page *status_open(void)
{
    struct timespec now;

    if (!(page = map_page())) return NULL;
    clock_gettime( CLOCK_REALTIME, &now );
    page->format           = STATUS_FORMAT;
    page->word_size        = sizeof(void *);
    page->pid              = getpid();
    page->in_place_of_wine = wine_has_kernel_watches;
    page->process_start    = read_process_start();
    page->start_time       = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    page->counters.slot_count = STATUS_SLOTS;
    SET_TEXT( program, program_name() );
    SET_TEXT( version, VERSION );
    SET_TEXT( wine, wine_version() );
    SET_TEXT( backend, watch_backend_name() );
    SET_TEXT( mechanism, watch_mechanism() );
    SET_TEXT( form_reason, watch_form_reason() );
    __atomic_thread_fence( __ATOMIC_RELEASE );
    memcpy( page->magic, STATUS_MAGIC, sizeof(page->magic) );
    count_in( &page->counters );
    return page;
}

void status_in_child(void)
{
    size_t size = round_up( STATUS_SIZE );
    long copy;

    if (!page) return;
    copy = raw_mmap_anon( size );
    if (raw_failed( copy ))
    {
        /* the parent's counts must not change: nothing is counted in regions made from now on */
        count_in( NULL );
        raw_syscall6( CPU_SYS_MMAP, (long)page, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0 );
        return;
    }
    memcpy( (void *)copy, page, STATUS_SIZE );
    raw_syscall6( SYS_mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (long)page, 0 );
}
