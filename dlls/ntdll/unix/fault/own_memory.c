/*
 * Memory that serving a fault needs, and that no fault backend can watch
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "engine/region.h"
#include "fault/fault.h"
#include "fault/own_memory.h"
#include "sys/address_space.h"
#include "sys/page.h"

/* A fault that is raised while another one is served, or while a query keeps faults waiting, ends
 * the program or is never served. So does one for which the kernel cannot write the signal frame.
 * It is better to refuse such memory. The library can recognise this thread's stack and
 * thread-local data, the first thread's stack, and its own data; of other threads, what the C
 * library keeps about them. The rest of their stacks looks like any other memory. */

static __thread const char *found;

static const char *notice = "";

static const char has_stack[] = "memory was refused because it holds a stack in use";
static const char has_local[] = "memory was refused because it holds data of this thread";
static const char has_other[] =
    "memory was refused because it holds what the C library keeps about a thread";
static const char new_stack[] =
    "a thread was refused because its stack is watched, and could not take the signals for that";
static const char has_data[]  = "memory was refused because it holds the library's own data";

/***********************************************************************
 *           holds_this_stack
 *
 * The stack of this thread, or its alternate signal stack. A coroutine may have switched to a stack
 * of its own. Of that one only the page in use is known.
 */
static int holds_this_stack( uintptr_t start, uintptr_t end )
{
    uintptr_t here = (uintptr_t)__builtin_frame_address( 0 );
    stack_t alternate;
    pthread_attr_t attr;
    size_t size;
    void *base;
    int ret = 0;

    if (overlaps( start, end, (void *)round_down( here ), page_size() )) return 1;
    if (!sigaltstack( NULL, &alternate ) && !(alternate.ss_flags & SS_DISABLE) &&
        overlaps( start, end, alternate.ss_sp, alternate.ss_size )) return 1;

    if (pthread_getattr_np( pthread_self(), &attr )) return 0;
    if (!pthread_attr_getstack( &attr, &base, &size ) && here - (uintptr_t)base < size)
        ret = overlaps( start, end, base, size );
    pthread_attr_destroy( &attr );
    return ret;
}

static int holds_first_stack( uintptr_t start, uintptr_t end )
{
    uintptr_t addr = getauxval( AT_RANDOM );   /* lies on it */
    struct mapping mapping;

    if (!addr || find_mapping( addr, &mapping ) <= 0) return start <= addr && addr < end;
    return start < mapping.end && mapping.start < end;
}

struct data_search
{
    uintptr_t start;
    uintptr_t end;
    int       found;
};

/***********************************************************************
 *           look_at_object
 *
 * Looks for writable segments of the shared object that holds this code. Where the library is
 * linked into the program itself, its data cannot be distinguished from the program's.
 */
static int look_at_object( struct dl_phdr_info *info, size_t size, void *arg )
{
    struct data_search *search = arg;
    int i, ours = 0, held = 0;

    (void)size;
    for (i = 0; i < info->dlpi_phnum; i++)
    {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const void *base = (const void *)(info->dlpi_addr + segment->p_vaddr);

        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W)) continue;
        ours |= overlaps( (uintptr_t)&notice, (uintptr_t)(&notice + 1), base, segment->p_memsz );
        held |= overlaps( search->start, search->end, base, segment->p_memsz );
    }
    if (!ours) return 0;
    /* glibc gives the program no name; musl does */
    search->found = held && info->dlpi_name && *info->dlpi_name &&
                    (uintptr_t)info->dlpi_phdr != getauxval( AT_PHDR );
    return 1;
}

void own_memory_look( uintptr_t start, uintptr_t end, enum own_memory holds )
{
    struct data_search search = { start, end, 0 };

    found = NULL;
    dl_iterate_phdr( look_at_object, &search );
    if (search.found || overlaps( start, end, &notice, sizeof(notice) )) found = has_data;
    else if (holds_this_stack( start, end ) || holds_first_stack( start, end )) found = has_stack;
    else if (overlaps( start, end, &found, sizeof(found) ) ||
             overlaps( start, end, &errno, sizeof(errno) )) found = has_local;
    else if (fault_uses_memory( start, end ) || holds == OWN_DATA) found = has_data;
    else if (holds == OWN_THREAD) found = has_other;
}

void own_memory_forget(void)
{
    found = NULL;
}

/***********************************************************************
 *           own_memory_check
 *
 * Memory that was just mapped holds none of it.
 */
int own_memory_check( const struct watch_region *region )
{
    if (region->kind == REGION_FRESH) return 0;
    if (!found && region_uses_memory( region->base, region->end )) found = has_data;
    if (!found) return 0;
    notice = found;
    return -EDEADLK;
}

/* adds up what the objects of the program have in thread-local data, of which each thread has its
 * own at the top of its stack */
static int add_local_data( struct dl_phdr_info *info, size_t size, void *arg )
{
    size_t *sum = arg;
    int i;

    (void)size;
    for (i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            *sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
    return 0;
}

/***********************************************************************
 *           own_memory_refuses_stack
 *
 * The part that counts is the smallest stack there can be: it holds what the C library keeps about
 * the thread, its thread-local data, and its first frames. Before the thread uses the rest, it can
 * name an alternate signal stack.
 */
int own_memory_refuses_stack( const void *base, size_t size )
{
    uintptr_t start = (uintptr_t)base, end = start + size, stop;
    long minimum = sysconf( _SC_THREAD_STACK_MIN );
    size_t least = minimum > 0 ? minimum : 0;
    struct watch_region *region;
    int ret = 0;

    /* no stack was named */
    if (!base || end <= start) return 0;
    dl_iterate_phdr( add_local_data, &least );
    if (least < size) start = round_down( end - least );
    for (stop = end; !ret && start < end && region_next( &start, &stop ); start = stop, stop = end)
    {
        if (!(region = region_get( start, stop ))) continue;
        ret = original_backend( region->backend )->signal != 0;
        region_put( region );
    }
    if (ret) notice = new_stack;
    return ret;
}

const char *own_memory_notice(void)
{
    return notice;
}
