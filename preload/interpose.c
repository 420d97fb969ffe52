/*
 * Interposes the libc functions with which Wine changes memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* mmap() and mmap64() are two functions here. */
#undef _FILE_OFFSET_BITS

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

/* Every new mapping over watched memory goes through here, including those that another process
 * requests and those that a native library makes: memory that lost its registration unseen would
 * read as "nothing written". Wine calls these functions with its own lock held. The engine's lock
 * nests inside that one, and no function of Wine is called while it is held. */

#define EXPORT __attribute__((visibility("default")))

__thread int decommitting;
__thread enum allocation allocating;

/* whether a range, rounded the way the kernel rounds it, contains watched pages */
static int is_watched( const void *addr, size_t size )
{
    return preload_active && size && watch_overlaps( (void *)round_down( (uintptr_t)addr ),
                                                     round_up( size ));
}

/***********************************************************************
 *           before_mmap
 *
 * A new mapping for a decommit would lose the registration, or leave a moment without it, so the
 * engine decommits instead; returns 1 if no mapping is needed. Any other mapping ends the watch.
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
 * Returns the flags for a mapping; adds some if we will watch the memory.
 *
 * Wine watches memory by write-protecting it, and the kernel charges a private mapping once it is
 * writable. So the kernel charges a page of stock Wine's watched memory at its first write, but all
 * of ours at once. MAP_NORESERVE avoids the charge where the kernel allows that
 * (vm.overcommit_memory 0 and 1; row 34d), so that programs that work under stock Wine work here.
 *
 * The memory may be accessible at once, and the kernel may merge it with an adjacent mapping. A
 * write there would fault in a huge page that spans both, and our part of it would count as
 * written. From 6.7 on, MAP_STACK rules out huge pages; madvise() would come too late.
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
 * Changes nothing that the engine knows, but must wait for queries. A placeholder that becomes
 * watched memory has a mapping without our flags: it has no contents yet and Wine holds its lock,
 * so we map it anew. Wine does not check whether the call succeeds there.
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
 * MEM_RESET drops the contents, not the written state (row 31). The engine drops watched pages
 * itself and at once; with MADV_FREE the kernel would drop them some time later, unseen.
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
    if (!(err = watch_mlock( addr, size ))) return 0;
    errno = -err;
    return -1;
}
