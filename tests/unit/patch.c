/*
 * Calls of a module lead to the hooks, or, whatever the kernel refuses, everything is as it was
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The module is made up: pages of a file with functions and calls of them, and pages with a table
 * of their addresses, some of it read-only.
 */

#include <errno.h>
#include <stdarg.h>

#include "../../preload/preload.h"
#include "unit.h"

#ifdef __i386__   /* what mmap() is with offsets of 64 bits */
#define __real_mmap __real_mmap64
#define __wrap_mmap __wrap_mmap64
#endif

#define PAGE       0x1000
#define TAIL_CALL  0x5400
#define CODE_PAGES 6
#define DATA_PAGES 2
#define SIZE       ((CODE_PAGES + DATA_PAGES) * PAGE)

typedef int (*function)(void);

/* where functions are, and code that calls one: in the first and the last page, across pages */
static const unsigned int function_offsets[HOOK_COUNT] = { 0x10, 0x2010, 0x5f00, 0x40, 0x50 };
static const struct
{
    unsigned int hook, offset;
} callers[] =
{
    { HOOK_ALLOCATE,    0x1100 },
    { HOOK_ALLOCATE,    0x2ffa },   /* the call is the last five bytes but one of the page */
    { HOOK_ALLOCATE_EX, 0x3ff8 },   /* and lies in two pages */
    { HOOK_ALLOCATE_EX, 0x1200 },
    { HOOK_FREE,        0x4ff0 },
    { HOOK_FREE,        TAIL_CALL },   /* the last code that is changed */
};
#define CALLERS (sizeof(callers) / sizeof(callers[0]))

/* of interest only to what reads ntdll.so */
const struct hook_table hooks_ms, hooks_sysv;

static unsigned char *module;
static unsigned char before[SIZE];
static struct ntdll_info info;
static void * const *originals;

/* which call of the kernel is refused; and whether all after it are, too */
static unsigned int calls, refused_call;
static int refuse_rest, moves;

void *__real_mmap( void *addr, size_t size, int prot, int flags, int fd, off_t offset );
int __real_mprotect( void *addr, size_t size, int prot );
void *__real_mremap( void *addr, size_t old_size, size_t size, int flags, ... );

static int is_refused(void)
{
    calls++;
    errno = ENOMEM;
    return refused_call && (refuse_rest ? calls >= refused_call : calls == refused_call);
}

void *__wrap_mmap( void *addr, size_t size, int prot, int flags, int fd, off_t offset )
{
    void *ret = __real_mmap( addr, size, prot, flags, fd, offset );

    /* places near the module that are not free do not count */
    if (ret == MAP_FAILED || !is_refused()) return ret;
    munmap( ret, size );
    errno = ENOMEM;
    return MAP_FAILED;
}

int __wrap_mprotect( void *addr, size_t size, int prot )
{
    return is_refused() ? -1 : __real_mprotect( addr, size, prot );
}

/* The kernel may refuse to move memory when what was in its place is gone already. Once the same
 * was done before, only what is checked before that is left. */
void *__wrap_mremap( void *addr, size_t old_size, size_t size, int flags, ... )
{
    va_list args;
    void *place;

    va_start( args, flags );
    place = va_arg( args, void * );
    va_end( args );
    check( flags == (MREMAP_MAYMOVE | MREMAP_FIXED) );
    moves++;
    if (!is_refused()) return __real_mremap( addr, old_size, size, flags, place );
    if (moves == 1) munmap( place, size );
    errno = ENOMEM;
    return MAP_FAILED;
}

static void set_originals( void * const *functions )
{
    originals = functions;
}

static int hook_0(void) { return 100; }
static int hook_1(void) { return 101; }
static int hook_2(void) { return 102; }
static int hook_3(void) { return 103; }
static int hook_4(void) { return 104; }

static const struct hook_table table =
{
    .set_originals = set_originals,
    .hooks         = { (void *)hook_0, (void *)hook_1, (void *)hook_2, (void *)hook_3,
                       (void *)hook_4 },
};

/***********************************************************************
 *           store_function
 *
 * mov $value,%eax; ret
 */
static void store_function( unsigned char *code, int value )
{
    code[0] = 0xb8;
    memcpy( code + 1, &value, sizeof(value) );
    code[5] = 0xc3;
}

/***********************************************************************
 *           store_caller
 *
 * Takes 8 bytes from the stack, calls the function, gives them back and returns. Or, with nothing
 * to be undone, a jump in the place of the call.
 */
static void store_caller( unsigned char *code, int tail, const unsigned char *target )
{
#ifdef __i386__
    static const unsigned char begin[] = { 0x90, 0x83, 0xec, 0x08 };
    static const unsigned char end[] = { 0x90, 0x83, 0xc4, 0x08, 0xc3 };
#else
    static const unsigned char begin[] = { 0x48, 0x83, 0xec, 0x08 };
    static const unsigned char end[] = { 0x48, 0x83, 0xc4, 0x08, 0xc3 };
#endif
    static const unsigned char none[] = { 0x66, 0x66, 0x66, 0x90 };
    unsigned char *call = code + sizeof(begin);
    int rel = (int)(target - (call + 5));

    memcpy( code, tail ? none : begin, sizeof(begin) );
    call[0] = tail ? 0xe9 : 0xe8;
    memcpy( call + 1, &rel, sizeof(rel) );
    memcpy( call + 5, end, sizeof(end) );
}

/***********************************************************************
 *           load_module
 *
 * As the loader does it: code is of a file, and data that may not be changed is made read-only.
 */
static void load_module(void)
{
    int fd = unit_temp_file();
    void **slots;
    unsigned int i;

    check( fd != -1 && !ftruncate( fd, SIZE ));
    module = __real_mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    check( module != MAP_FAILED );
    memset( module, 0xcc, CODE_PAGES * PAGE );
    for (i = 0; i < HOOK_COUNT; i++) store_function( module + function_offsets[i], i );
    for (i = 0; i < CALLERS; i++)
        store_caller( module + callers[i].offset, callers[i].offset == TAIL_CALL,
                      module + function_offsets[callers[i].hook] );
    munmap( module, SIZE );

    module = __real_mmap( NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0 );
    check( module != MAP_FAILED );
    close( fd );
    check( !__real_mprotect( module, CODE_PAGES * PAGE, PROT_READ | PROT_EXEC ));

    memset( &info, 0, sizeof(info) );
    info.convention = &table;
    for (i = 0; i < CALLERS; i++)
        info.calls[callers[i].hook][info.call_count[callers[i].hook]++] =
            module + callers[i].offset + 4;
    /* two of the slots in the first page, which is read-only */
    slots = (void **)(module + (CODE_PAGES + 1) * PAGE) - 2;
    for (i = 0; i < HOOK_COUNT; i++)
    {
        info.functions[i] = module + function_offsets[i];
        info.slots[i]     = slots + i;
        info.slot_prot[i] = i < 2 ? PROT_READ : PROT_READ | PROT_WRITE;
        slots[i]          = info.functions[i];
    }
    check( !__real_mprotect( module + CODE_PAGES * PAGE, PAGE, PROT_READ ));
    memcpy( before, module, SIZE );
}

/***********************************************************************
 *           get_maps
 *
 * How many mappings there are, and how the module's pages are protected ("r-x...").
 */
static unsigned int get_maps( char prots[CODE_PAGES + DATA_PAGES][5] )
{
    FILE *file = fopen( "/proc/self/maps", "re" );
    unsigned long start, end, addr;
    char line[512], prot[5];
    unsigned int count = 0, i;

    memset( prots, 0, (CODE_PAGES + DATA_PAGES) * 5 );
    while (file && fgets( line, sizeof(line), file ))
    {
        if (sscanf( line, "%lx-%lx %4s", &start, &end, prot ) != 3) continue;
        count++;
        /* by the module's pages, as a sanitizer's mappings have billions */
        for (i = 0; i < CODE_PAGES + DATA_PAGES; i++)
        {
            addr = (unsigned long)module + i * PAGE;
            if (addr >= start && addr < end) memcpy( prots[i], prot, sizeof(prot) );
        }
    }
    if (file) fclose( file );
    return count;
}

static int run_caller( unsigned int i )
{
    return ((function)(module + callers[i].offset))();
}

/***********************************************************************
 *           check_unchanged
 */
static void check_unchanged(void)
{
    unsigned int i;

    check( !memcmp( before, module, SIZE ));
    for (i = 0; i < CALLERS; i++) check( run_caller( i ) == (int)callers[i].hook );
}

/***********************************************************************
 *           check_patched
 *
 * The calls and the slots lead to the hooks, and nothing else is different.
 */
static void check_patched(void)
{
    unsigned int i;

    for (i = 0; i < CALLERS; i++) check( run_caller( i ) == 100 + (int)callers[i].hook );
    for (i = 0; i < HOOK_COUNT; i++)
    {
        check( *info.slots[i] == table.hooks[i] );
        check( ((function)info.functions[i])() == (int)i );
        memcpy( before + ((unsigned char *)info.slots[i] - module), info.slots[i], sizeof(void *) );
    }
    for (i = 0; i < CALLERS; i++)
        memcpy( before + callers[i].offset + 5, module + callers[i].offset + 5, 4 );
    check( !memcmp( before, module, SIZE ));
    check( originals && originals[HOOK_GET] == info.functions[HOOK_GET] );
}

/***********************************************************************
 *           try_patch
 *
 * With the given call of the kernel refused, unless 0, and all after it, too, if rest is set.
 * Returns what patch_ntdll() does.
 */
static int try_patch( unsigned int refused, int rest )
{
    char old_prots[CODE_PAGES + DATA_PAGES][5], prots[CODE_PAGES + DATA_PAGES][5];
    unsigned int old_count, count;
    char reason[200] = "";
    int ret;

    load_module();
    old_count    = get_maps( old_prots );
    calls        = 0;
    moves        = 0;
    refused_call = refused;
    refuse_rest  = rest;
    ret          = patch_ntdll( &info, reason, sizeof(reason) );
    refused_call = 0;
    count        = get_maps( prots );

    if (ret)
    {
        check( ret == -1 && reason[0] );
        check_unchanged();
        check( !memcmp( prots, old_prots, CODE_PAGES * 5 ));
    }
    else check_patched();
    if (ret && !rest) check( count == old_count && !memcmp( prots, old_prots, sizeof(prots) ));
    if (!refused) check( moves == 2 && !memcmp( prots, old_prots, sizeof(prots) ));
    munmap( module, SIZE );
    return ret;
}

int main(void)
{
    unsigned int count, i;

    check( !try_patch( 0, 0 ));
    count = calls;
    for (i = 1; i <= count; i++)
    {
        /* another address is tried; and what is left writable at the end does no harm */
        check( !try_patch( i, 0 ) == (i == 1 || i > count - HOOK_COUNT) );
        check( !try_patch( i, 1 ) == (i > count - HOOK_COUNT) );
    }
    return unit_result();
}
