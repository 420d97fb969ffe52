/*
 * How Wine's mappings are made when they are to be watched (preload/interpose.c)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The interposed functions are this program's own here, called as Wine calls them.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/page.h"
#include "unit.h"

#include "../../preload/preload.h"

int preload_active = 1;

static int overcommit;

/* Whether the mapping at an address has a flag, of two letters, in smaps. */
static int has_flag( const void *addr, const char *flag )
{
    FILE *file = fopen( "/proc/self/smaps", "r" );
    unsigned long start, end;
    int inside = 0, ret = -1;
    char line[512], word[8];

    snprintf( word, sizeof(word), " %s", flag );
    while (file && ret == -1 && fgets( line, sizeof(line), file ))
    {
        if (sscanf( line, "%lx-%lx ", &start, &end ) == 2)
            inside = (uintptr_t)addr >= start && (uintptr_t)addr < end;
        else if (inside && !strncmp( line, "VmFlags:", 8 ))
            ret = strstr( line, word ) != NULL;
    }
    if (file) fclose( file );
    return ret;
}

/* whether a mapping is as what is to be watched should be: not charged, without huge pages */
static int is_special( const void *addr )
{
    int huge = !access( "/sys/kernel/mm/transparent_hugepage", F_OK );

    if (overcommit != 2 && (has_flag( addr, "ac" ) || has_flag( addr, "nr" ) != 1)) return 0;
    return !huge || has_flag( addr, "nh" ) == 1;
}

static char *map( int prot, int flags )
{
    void *ptr = mmap( NULL, (size_t)8 << page_shift, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
                      0 );

    check( ptr != MAP_FAILED );
    return ptr;
}

static void test_new(void)
{
    char *ptr = map( PROT_READ | PROT_WRITE, 0 );

    check( has_flag( ptr, "ac" ) == 1 && !is_special( ptr ));

    allocating = ALLOCATION_NEW;
    ptr = map( PROT_READ | PROT_WRITE, 0 );
    check( is_special( ptr ));
    check( mmap( ptr, (size_t)8 << page_shift, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                 -1, 0 ) == ptr );
    allocating = ALLOCATION_NONE;

    /* committed later */
    check( !mprotect( ptr, (size_t)8 << page_shift, PROT_READ | PROT_WRITE ));
    check( is_special( ptr ));
    *ptr = 1;
    check( !munmap( ptr, (size_t)8 << page_shift ));

    allocating = ALLOCATION_NEW;
    ptr = mmap64( NULL, (size_t)8 << page_shift, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    allocating = ALLOCATION_NONE;
    check( ptr != MAP_FAILED && is_special( ptr ));
}

/* a placeholder, which was mapped as any other memory */
static void test_placeholder(void)
{
    size_t size = (size_t)8 << page_shift;
    char *ptr = map( PROT_NONE, 0 );

    allocating = ALLOCATION_IN_PLACEHOLDER;
    check( !mprotect( ptr, size, PROT_READ | PROT_WRITE ));
    check( allocating == ALLOCATION_IN_PLACEHOLDER && is_special( ptr ));

    /* what Wine does not look at */
    check( mprotect( ptr, size, 0x4000 ) == -1 && allocating == ALLOCATION_REFUSED );
    /* it tries again without execution */
    check( !mprotect( ptr, size, PROT_READ ) && allocating == ALLOCATION_IN_PLACEHOLDER );

    allocating = ALLOCATION_NONE;
    check( !mprotect( ptr, size, PROT_READ | PROT_WRITE ));
    check( is_special( ptr ));
    *ptr = 1;
    check( !mprotect( ptr, size, PROT_READ ) && *ptr == 1 );
}

int main(void)
{
    FILE *file = fopen( "/proc/sys/vm/overcommit_memory", "r" );

    alarm( UNIT_HANGS );
    page_init();
    check( file && fscanf( file, "%d", &overcommit ) == 1 );
    test_new();
    test_placeholder();
    return unit_result();
}
