/*
 * Reads the status pages of other processes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "status_reader.h"

#define load( ptr ) __atomic_load_n( ptr, __ATOMIC_RELAXED )

static enum status_result open_in( const char *path, uint32_t pid, struct status_file *file )
{
    struct stat st;
    void *page;

    snprintf( file->path, sizeof(file->path), "%s%u/%u", path, (unsigned int)geteuid(), pid );
    /* a pipe of that name must not stop us */
    file->fd = open( file->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC );
    if (file->fd == -1)
    {
        if (errno == ENOENT || errno == ENOTDIR) return STATUS_NO_PAGE;
        return errno == EACCES ? STATUS_NOT_OURS : errno == ELOOP ? STATUS_DAMAGED : STATUS_FAILED;
    }
    if (fstat( file->fd, &st )) return STATUS_FAILED;
    if (st.st_uid != geteuid()) return STATUS_NOT_OURS;
    if (!S_ISREG( st.st_mode ) || st.st_size != STATUS_SIZE) return STATUS_DAMAGED;
    page = mmap( NULL, STATUS_SIZE, PROT_READ, MAP_SHARED, file->fd, 0 );
    if (page == MAP_FAILED) return STATUS_FAILED;
    file->page = page;
    if (memcmp( file->page->magic, STATUS_MAGIC, sizeof(file->page->magic) )) return STATUS_DAMAGED;
    __atomic_thread_fence( __ATOMIC_ACQUIRE );  /* it was written last */
    if (file->page->format != STATUS_FORMAT) return STATUS_OTHER_FORMAT;
    if (file->page->pid != pid || load( &file->page->counters.slot_count ) != STATUS_SLOTS ||
        (file->page->word_size != 4 && file->page->word_size != 8)) return STATUS_DAMAGED;
    file->process_start = load( &file->page->process_start );
    return STATUS_OK;
}

void status_close( struct status_file *file )
{
    int error = errno;

    if (file->page) munmap( (void *)file->page, STATUS_SIZE );
    if (file->fd != -1) close( file->fd );
    file->page = NULL;
    file->fd = -1;
    errno = error;
}

enum status_result status_open( uint32_t pid, struct status_file *file )
{
    static const char * const folders[] = STATUS_FOLDERS;
    enum status_result result, first = STATUS_NO_PAGE;
    struct status_file found = { .fd = -1 };
    unsigned int i;

    for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
    {
        *file = (struct status_file){ .pid = pid, .fd = -1 };
        result = open_in( folders[i], pid, file );
        if (result == STATUS_OK && status_is_alive( file ))
        {
            status_close( &found );
            return STATUS_OK;
        }
        if (first == STATUS_NO_PAGE || (first != STATUS_OK && result == STATUS_OK)) first = result;
        if (result == STATUS_OK && !found.page) found = *file;
        else status_close( file );
    }
    *file = found;
    return first;
}

static int compare_pids( const void *a, const void *b )
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

/* The id of a process, as /proc writes it. Returns 0 if it is something else. */
static uint32_t parse_pid( const char *text )
{
    unsigned long value;
    char *end;

    if (text[0] < '1' || text[0] > '9') return 0;
    value = strtoul( text, &end, 10 );
    return *end || value > INT32_MAX ? 0 : value;
}

int status_list( uint32_t **pids )
{
    static const char * const folders[] = STATUS_FOLDERS;
    unsigned int i, count = 0, room = 0, left = 0;
    struct dirent *entry;
    char path[64];
    void *grown;
    DIR *dir;

    *pids = NULL;
    for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
    {
        snprintf( path, sizeof(path), "%s%u", folders[i], (unsigned int)geteuid() );
        if (!(dir = opendir( path ))) continue;
        while ((entry = readdir( dir )))
        {
            if (!parse_pid( entry->d_name )) continue;
            if (count == room)
            {
                room = room ? room * 2 : 64;
                if (!(grown = realloc( *pids, room * sizeof(**pids) )))
                {
                    closedir( dir );
                    free( *pids );
                    return -ENOMEM;
                }
                *pids = grown;
            }
            (*pids)[count++] = parse_pid( entry->d_name );
        }
        closedir( dir );
    }
    if (count) qsort( *pids, count, sizeof(**pids), compare_pids );
    for (i = 0; i < count; i++)
        if (!left || (*pids)[left - 1] != (*pids)[i]) (*pids)[left++] = (*pids)[i];
    return left;
}

/***********************************************************************
 *           status_is_alive
 *
 * Field 22 of /proc/PID/stat is when the process began, field 3 its state, field 20 its number of
 * threads. A process whose first thread has ended is a zombie by its state, but lives while it has
 * others.
 */
int status_is_alive( const struct status_file *file )
{
    char buffer[1024], path[32], state, *p;
    unsigned long threads = 0;
    unsigned int field;
    ssize_t size;
    int fd;

    snprintf( path, sizeof(path), "/proc/%u/stat", file->pid );
    if ((fd = open( path, O_RDONLY | O_CLOEXEC )) == -1) return 0;
    size = read( fd, buffer, sizeof(buffer) - 1 );
    close( fd );
    if (size <= 0) return 0;
    buffer[size] = 0;
    if (!(p = strrchr( buffer, ')' )) || p[1] != ' ') return 0;
    state = p[2];
    for (field = 2; field < 22; field++)
    {
        if (!(p = strchr( p + 1, ' ' ))) return 0;
        if (field == 19) threads = strtoul( p, NULL, 10 );
    }
    if (strtoull( p, NULL, 10 ) != file->process_start) return 0;
    return (state != 'Z' && state != 'X') || threads > 1;
}

static void copy_text( char *to, const char *from, size_t size )
{
    size_t i;

    for (i = 0; i < size - 1 && from[i]; i++)
        to[i] = (unsigned char)from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
    to[i] = 0;
}

static void copy_counters( struct region_counters *to, const struct region_counters *from )
{
    to->size        = load( &from->size );
    to->shift       = load( &from->shift );
    to->polls       = load( &from->polls );
    to->reset_polls = load( &from->reset_polls );
    to->resets      = load( &from->resets );
    to->pages       = load( &from->pages );
    to->reset_pages = load( &from->reset_pages );
}

static void add_counters( struct region_counters *total, const struct region_counters *counters )
{
    total->polls       += counters->polls;
    total->reset_polls += counters->reset_polls;
    total->resets      += counters->resets;
    total->pages       += counters->pages;
    total->reset_pages += counters->reset_pages;
}

/* Whether a slot has a region, and the same one before and after. */
static int copy_slot( struct region_counters *to, const struct region_counters *from )
{
    unsigned int tries;

    for (tries = 0; tries < 8; tries++)
    {
        to->base = __atomic_load_n( &from->base, __ATOMIC_ACQUIRE );
        copy_counters( to, from );
        __atomic_thread_fence( __ATOMIC_ACQUIRE );
        if (load( &from->base ) == to->base) return to->base != 0;
    }
    return 0;  /* it changes hands all the time */
}

static int is_region( const struct region_counters *slot, uint32_t word_size )
{
    uint64_t last = word_size == 4 ? UINT32_MAX : (uint64_t)1 << 56, unit;

    if (slot->shift < 12 || slot->shift > 30) return 0;
    unit = (uint64_t)1 << slot->shift;
    return slot->size && !((slot->base | slot->size) & (unit - 1)) && slot->base <= last &&
           slot->size - 1 <= last - slot->base;
}

static int compare_bases( const void *a, const void *b )
{
    const struct region_counters *left = a, *right = b;

    return left->base < right->base ? -1 : left->base > right->base;
}

enum status_result status_read( const struct status_file *file, struct status_info *info )
{
    const struct status_page *page = file->page;
    struct region_counters none = { 0 }, slot;
    struct stat st;
    unsigned int i;

    /* reading what was cut off would be a fault */
    if (fstat( file->fd, &st )) return STATUS_FAILED;
    if (st.st_size != STATUS_SIZE) return STATUS_DAMAGED;

    info->pid              = file->pid;
    info->word_size        = page->word_size;
    info->in_place_of_wine = page->in_place_of_wine;
    info->process_start    = file->process_start;
    info->start_time       = load( &page->start_time );
    info->exit_time        = load( &page->exit_time );
    info->poll_time        = load( &page->poll_time );
    info->fault_cost       = load( &page->fault_cost );
    copy_text( info->program, page->program, sizeof(info->program) );
    copy_text( info->version, page->version, sizeof(info->version) );
    copy_text( info->wine, page->wine, sizeof(info->wine) );
    copy_text( info->backend, page->backend, sizeof(info->backend) );
    copy_text( info->mechanism, page->mechanism, sizeof(info->mechanism) );
    copy_text( info->form_reason, page->form_reason, sizeof(info->form_reason) );
    info->regions_ever = load( &page->counters.regions_ever );
    info->regions      = load( &page->counters.regions );
    info->bytes        = load( &page->counters.bytes );
    info->most_bytes   = load( &page->counters.most_bytes );
    info->others       = none;
    copy_counters( &info->others, &page->counters.others );
    info->total = none;
    add_counters( &info->total, &info->others );
    info->count = 0;
    for (i = 0; i < STATUS_SLOTS; i++)
    {
        if (!copy_slot( &slot, &page->counters.slots[i] )) continue;
        if (!is_region( &slot, info->word_size )) return STATUS_DAMAGED;
        add_counters( &info->total, &slot );
        info->slots[info->count++] = slot;
    }
    qsort( info->slots, info->count, sizeof(info->slots[0]), compare_bases );
    return STATUS_OK;
}

/* the length of a name without .exe */
static size_t bare_length( const char *name )
{
    size_t length = strlen( name );

    return length > 4 && !strcasecmp( name + length - 4, ".exe" ) ? length - 4 : length;
}

int status_is_meant( const struct status_info *info, const char *what )
{
    size_t length = bare_length( what );
    uint32_t pid = parse_pid( what );

    if (pid && pid == info->pid) return 1;
    return length && length == bare_length( info->program ) &&
           !strncasecmp( info->program, what, length );
}

const char *status_reason( enum status_result result )
{
    switch (result)
    {
    case STATUS_OK:           return "nothing is wrong with its status page";
    case STATUS_NO_PAGE:      return "it has no status page";
    case STATUS_NOT_OURS:     return "its status page belongs to another user";
    case STATUS_DAMAGED:      return "its status page is damaged";
    case STATUS_OTHER_FORMAT: return "its status page is of another version of writewatch";
    case STATUS_FAILED:       break;
    }
    return strerror( errno );
}
