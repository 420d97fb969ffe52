/*
 * Watched memory that grows, shrinks and moves: what was written stays so
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The arguments are backends, otherwise all have their turn.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "sys/page.h"
#include "unit.h"
#include "writewatch.h"

#define PAGES 64

static char *arena;    /* room to grow into, and to move to */
static struct writewatch_tracker *tracker;
static struct writewatch_tracker *dropped;   /* of wherever the kernel moves memory, with drops */

static uint64_t take( struct writewatch_tracker *who, char *base, size_t pages )
{
    struct writewatch_filter filter = { .required = WRITEWATCH_WRITTEN, .reset = 1 };
    struct writewatch_range ranges[PAGES];
    const void *pos = base;
    uint64_t ret = 0;
    ssize_t i, count;

    count = who ? writewatch_tracker_list( who, &pos, base + (pages << page_shift), &filter, ranges,
                                           PAGES )
                : writewatch_list( pos, pages << page_shift, &filter, ranges, PAGES, &pos );
    if (count < 0) printf( "list: %s\n", writewatch_reason() );
    check( count >= 0 );
    for (i = 0; i < count; i++)
        for (; ranges[i].start < ranges[i].end; ranges[i].start += page_size())
            ret |= (uint64_t)1 << ((ranges[i].start - (uintptr_t)base) >> page_shift);
    return ret;
}

/* maps memory with room behind it, or without */
static char *map_memory( int fd, size_t pages, int room )
{
    char *base = arena;

    check( !munmap( base, 2 * PAGES << page_shift ));
    check( mmap( base, pages << page_shift, PROT_READ | PROT_WRITE,
                 (fd == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_FIXED, fd, 0 ) == base );
    if (!room)
        check( mmap( base + (pages << page_shift), page_size(), PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) != MAP_FAILED );
    return base;
}

static void unmap_memory( char *base, size_t pages )
{
    check( !writewatch_unwatch( base, pages << page_shift ));
    munmap( base, pages << page_shift );
    check( mmap( arena, 2 * PAGES << page_shift, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) == arena );
}

static void test_grow( int fd, int room )
{
    char *base = map_memory( fd, 16, room ), *old = base;
    void *addr = base;

    check( !writewatch_watch( base, 16 << page_shift ));
    base[1 << page_shift] = base[5 << page_shift] = 1;
    check( take( NULL, base, 16 ) == 0x22 && take( tracker, base, 16 ) == 0x22 );
    base[5 << page_shift] = 2;
    check( take( tracker, base, 16 ) == 0x20 );
    base[9 << page_shift] = 3;

    if (!room)
    {
        check( writewatch_remap( &addr, 16 << page_shift, 24 << page_shift, 0 ) == -ENOMEM );
        check( addr == base );
    }
    check( !writewatch_remap( &addr, 16 << page_shift, 24 << page_shift,
                              room ? 0 : MREMAP_MAYMOVE ));
    check( room ? addr == old : addr != old );
    base = addr;
    check( base[5 << page_shift] == 2 && base[9 << page_shift] == 3 );
    base[20 << page_shift] = 1;
    check( take( NULL, base, 24 ) == 0x100220 );
    if (room) check( take( tracker, base, 24 ) == 0x100200 );
    base[1 << page_shift] = base[23 << page_shift] = 4;
    check( take( NULL, base, 24 ) == 0x800002 );
    check( !take( NULL, base, 24 ));

    /* and smaller again: a part of the added region goes, then all of it and more would be two */
    check( writewatch_remap( &addr, 24 << page_shift, 8 << page_shift, 0 ) == -ENOENT );
    addr = base + (16 << page_shift);
    check( !writewatch_remap( &addr, 8 << page_shift, 4 << page_shift, 0 ));
    base[2 << page_shift] = base[19 << page_shift] = 5;
    check( take( NULL, base, 20 ) == 0x80004 );
    unmap_memory( base, 20 );
}

/* Memory without room behind it, where the kernel puts what is mapped without an address: what
 * moves goes nearby. A tracker follows both places. */
static char *map_near(void)
{
    const uint64_t around = (uint64_t)64 << 30;
    char *base = mmap( NULL, PAGES << page_shift, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    int all = sizeof(void *) < 8;

    check( base != MAP_FAILED && !mprotect( base, 16 << page_shift, PROT_READ | PROT_WRITE ));
    check( !writewatch_tracker_open( &dropped, all ? (char *)page_size() : base - around / 2,
                                     all ? (size_t)0 - 2 * page_size() : (size_t)around,
                                     WRITEWATCH_TRACK_DROPS ));
    return base;
}

/* Pages dropped before a move are found after it, once, by a tracker that follows drops. filled:
 * the memory has contents when its watch begins. refused: the kernel does not move it. */
static void test_drops( int filled, int refused )
{
    char *base = map_near();
    void *addr = base;

    if (filled) memset( base, 1, 16 << page_shift );
    check( !writewatch_watch( base, 16 << page_shift ));
    if (!filled) memset( base, 1, 16 << page_shift );
    check( take( dropped, base, 16 ) == (filled ? 0 : 0xffff) );
    base[2 << page_shift] = base[4 << page_shift] = 2;
    check( take( dropped, base, 16 ) == 0x14 && !take( dropped, base, 16 ));
    /* one that was listed last, one that was not, one that is written again */
    check( !madvise( base + (4 << page_shift), page_size(), MADV_DONTNEED ));
    check( !madvise( base + (6 << page_shift), 2 << page_shift, MADV_DONTNEED ));
    base[7 << page_shift] = 3;
    if (refused)
    {
        /* it is two mappings then */
        check( !madvise( base + (12 << page_shift), page_size(), MADV_DONTFORK ));
        check( writewatch_remap( &addr, 16 << page_shift, 24 << page_shift, MREMAP_MAYMOVE ) ==
               -EFAULT );
        check( addr == base );
        check( !madvise( base + (12 << page_shift), page_size(), MADV_DOFORK ));
    }
    else check( !writewatch_remap( &addr, 16 << page_shift, 24 << page_shift, MREMAP_MAYMOVE ));
    base = addr;
    check( take( dropped, base, refused ? 16 : 24 ) == 0xd0 );
    check( !take( dropped, base, refused ? 16 : 24 ));
    /* and what is dropped after the move */
    check( !madvise( base + (2 << page_shift), page_size(), MADV_DONTNEED ));
    base[9 << page_shift] = 4;
    check( take( dropped, base, refused ? 16 : 24 ) == 0x204 );
    check( base[2 << page_shift] == 0 && base[4 << page_shift] == 0 && base[7 << page_shift] == 3 );
    check( !writewatch_unwatch( base, (refused ? 16 : 24) << page_shift ));
    munmap( base, (refused ? 16 : 24) << page_shift );
    writewatch_tracker_close( dropped );
}

/* A part of a region that the kernel does not move: it is a region of its own then, and all is
 * known that was. */
static void test_refused_part(void)
{
    char *base = map_memory( -1, 16, 0 ), *part = base + (8 << page_shift);
    void *addr = part;

    check( !writewatch_watch( base, 16 << page_shift ));
    base[1 << page_shift] = base[9 << page_shift] = base[10 << page_shift] = 1;
    check( take( tracker, base, 16 ) == 0x602 );
    base[2 << page_shift] = base[10 << page_shift] = 2;
    check( !madvise( base + (12 << page_shift), page_size(), MADV_DONTFORK ));
    check( writewatch_remap( &addr, 8 << page_shift, 12 << page_shift, MREMAP_MAYMOVE ) ==
           -EFAULT );
    check( addr == part );
    check( take( NULL, base, 16 ) == 0x606 && take( tracker, base, 16 ) == 0x404 );
    base[15 << page_shift] = 3;
    check( take( NULL, base, 16 ) == 0x8000 && take( tracker, base, 16 ) == 0x8000 );
    addr = base;
    check( writewatch_remap( &addr, 16 << page_shift, 24 << page_shift, 0 ) == -ENOENT );
    unmap_memory( base, 16 );
}

static void test_errors(void)
{
    void *addr = VirtualAlloc( NULL, 65536, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                               PAGE_READWRITE );

    check( writewatch_remap( &addr, 65536, 131072, MREMAP_MAYMOVE ) == -EOPNOTSUPP );
    check( writewatch_remap( &addr, 65535, 131072, MREMAP_MAYMOVE ) == -EINVAL );
    check( writewatch_remap( &addr, 65536, 131072, MREMAP_FIXED ) == -EINVAL );
    check( writewatch_remap( &addr, 0, 131072, 0 ) == -EINVAL );
    VirtualFree( addr, 0, MEM_RELEASE );
    check( writewatch_remap( &addr, 65536, 131072, 0 ) == -ENOENT );
}

static int run( const char *name )
{
    int i, fd = memfd_create( "remap", MFD_CLOEXEC );

    if (writewatch_open( unit_form( name )))
        return unit_skip( name, writewatch_reason() );
    check( fd != -1 && !ftruncate( fd, PAGES << page_shift ));
    /* far from where the kernel puts what is mapped without an address */
    arena = mmap( (void *)0x30000000, 2 * PAGES << page_shift, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0 );
    check( arena == (void *)0x30000000 );
    check( !writewatch_tracker_open( &tracker, arena, 2 * PAGES << page_shift, 0 ));
    test_grow( -1, 1 );
    test_grow( -1, 0 );
    test_grow( fd, 1 );
    test_grow( fd, 0 );
    for (i = 0; i < 4; i++) test_drops( i & 1, i >> 1 );
    test_refused_part();
    test_errors();
    writewatch_tracker_close( tracker );
    return unit_result();
}

int main( int argc, char *argv[] )
{
    page_init();
    return unit_each_backend( argc, argv, UNIT_MAPPED, run );
}
