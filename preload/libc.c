/*
 * The functions of libc by which Wine changes memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/give_way.h"
#include "engine/watch.h"
#include "next.h"
#include "preload.h"
#include "sys/kernel_api.h"
#include "sys/page.h"

/* Every new mapping over watched memory goes through here, also when another process asked for it
 * or a native library makes it: memory that loses its registration unseen would read as "nothing
 * written". Wine calls these with its own lock held; the engine's lock comes after that one, and no
 * function of Wine is called while it is held. */

#define EXPORT __attribute__((visibility("default")))

__thread int decommitting;
__thread enum allocation allocating;

/* whether a range, given as the kernel takes it, has watched pages */
static int is_watched( const void *addr, size_t size )
{
    return preload_active && size && watch_overlaps( (void *)round_down( (uintptr_t)addr ),
                                                     round_up( size ));
}

/***********************************************************************
 *           before_mmap
 *
 * Decommitting must not lose the registration, nor open a moment without it, so it is done in
 * another way: returns 1 if that was all. Any other mapping ends the watch.
 */
static int before_mmap( void *addr, size_t size, int prot, int flags, void **ret )
{
    int err;

    if (!(flags & MAP_FIXED) || (flags & MAP_FIXED_NOREPLACE)) return 0;
    if (!is_watched( addr, size )) return 0;

    if (decommitting && prot == PROT_NONE && (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE) &&
        watch_contains( addr, round_up( size )))
    {
        if ((err = watch_decommit( addr, round_up( size ))))
        {
            errno = -err;
            *ret = MAP_FAILED;
        }
        else *ret = addr;
        return 1;
    }
    watch_remove( addr, round_up( size ));
    return 0;
}

/***********************************************************************
 *           watched_flags
 *
 * Flags for a mapping, which may be of memory that is to be watched.
 *
 * Wine watches memory by keeping it from being written, and the kernel charges a private mapping
 * when it may be written: of stock Wine's watched memory it charges a page when that is first
 * written, of ours all of it at once. So that what works there works here, ours is not charged at
 * all, where the kernel allows that (vm.overcommit_memory 0 and 1; row 34d).
 *
 * The memory may be accessible at once, and the kernel may make it one with a mapping beside it: a
 * write there would bring in a huge page for both, of which ours would count as written. From 6.7
 * on MAP_STACK rules huge pages out, where madvise() would come too late.
 */
static int watched_flags( int flags )
{
    if (allocating == ALLOCATION_NEW && (flags & MAP_ANONYMOUS) && (flags & MAP_PRIVATE))
        flags |= MAP_NORESERVE | MAP_STACK;
    return flags;
}

EXPORT void *mmap( void *addr, size_t size, int prot, int flags, int fd, off_t offset )
{
    void *ret;

    begin_address_space_change();
    if (!before_mmap( addr, size, prot, flags, &ret ))
        ret = NEXT( mmap )( addr, size, prot, watched_flags( flags ), fd, offset );
    end_address_space_change();
    return ret;
}

EXPORT void *mmap64( void *addr, size_t size, int prot, int flags, int fd, off64_t offset )
{
    void *ret;

    begin_address_space_change();
    if (!before_mmap( addr, size, prot, flags, &ret ))
        ret = NEXT( mmap64 )( addr, size, prot, watched_flags( flags ), fd, offset );
    end_address_space_change();
    return ret;
}

EXPORT int munmap( void *addr, size_t size )
{
    int ret;

    begin_address_space_change();
    if (is_watched( addr, size )) watch_remove( addr, round_up( size ));
    ret = NEXT( munmap )( addr, size );
    end_address_space_change();
    return ret;
}

/***********************************************************************
 *           mprotect
 *
 * Keeps all that is known; only that it waits for queries matters. A placeholder that becomes
 * watched memory was mapped as any other memory is: as it has no contents yet, and Wine holds its
 * lock, it is mapped anew. Wine does not look whether the call succeeds there.
 */
EXPORT int mprotect( void *addr, size_t size, int prot )
{
    int ret;

    begin_address_space_change();
    if (allocating >= ALLOCATION_IN_PLACEHOLDER)
        NEXT( mmap )( addr, size, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE | MAP_STACK, -1, 0 );
    ret = NEXT( mprotect )( addr, size, prot );
    if (allocating >= ALLOCATION_IN_PLACEHOLDER)
        allocating = ret ? ALLOCATION_REFUSED : ALLOCATION_IN_PLACEHOLDER;
    end_address_space_change();
    return ret;
}

EXPORT void *mremap( void *addr, size_t old_size, size_t new_size, int flags, ... )
{
    void *new_addr = NULL;
    va_list args;

    va_start( args, flags );
    if (flags & MREMAP_FIXED) new_addr = va_arg( args, void * );
    va_end( args );

    if (is_watched( addr, old_size )) watch_remove( addr, round_up( old_size ));
    if (new_addr && is_watched( new_addr, new_size )) watch_remove( new_addr, round_up( new_size ));
    return NEXT( mremap )( addr, old_size, new_size, flags, new_addr );
}

/***********************************************************************
 *           madvise
 *
 * MEM_RESET drops the contents, not the written state (row 31). The engine drops watched pages, and
 * at once, where MADV_FREE would let the kernel do so some time later, unseen.
 */
EXPORT int madvise( void *addr, size_t size, int advice )
{
    int err;

    if ((advice == MADV_DONTNEED || advice == MADV_FREE) && is_watched( addr, size ))
    {
        if ((uintptr_t)addr & (page_size() - 1)) err = -EINVAL;
        else err = watch_discard( addr, round_up( size ));
        if (!err) return 0;
        errno = -err;
        return -1;
    }
    return NEXT( madvise )( addr, size, advice );
}

/***********************************************************************
 *           mlock
 *
 * VirtualLock must not mark pages (row 23).
 */
EXPORT int mlock( const void *addr, size_t size )
{
    int err;

    if (!is_watched( addr, size )) return NEXT( mlock )( addr, size );
    if (!(err = watch_lock_pages( addr, size ))) return 0;
    errno = -err;
    return -1;
}
