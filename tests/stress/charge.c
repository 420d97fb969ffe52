/*
 * robustness: watched memory is charged as under stock Wine
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* Stock Wine keeps watched memory from being written, and the kernel charges such memory page by
 * page when it is: more of it than there is memory can be committed (row 34d). This runs under
 * stock Wine as well, which is the control, and with each value of vm.overcommit_memory in guests.
 * Plain memory, of which the kernel refuses as much unless that is 1, shows that it is really too
 * much. A 32-bit program has addresses for so much on small machines only: elsewhere it looks at
 * what is charged. */

#define PLACEHOLDER_RESERVE  0x00040000
#define PLACEHOLDER_REPLACE  0x00004000
#define GIBS                 (sizeof(void *) == 8 ? 3 : 1)
#define SMALL                ((SIZE_T)GIBS << 30)

typedef void *(WINAPI *virtual_alloc2)( HANDLE process, void *base, SIZE_T size, ULONG type,
                                        ULONG protect, void *parameters, ULONG count );

static virtual_alloc2 alloc2;

/***********************************************************************
 *           read_value
 *
 * The number behind a word in a short file of the Unix side, -1 if there is none.
 */
static LONG64 read_value( const char *path, const char *word )
{
    HANDLE file = CreateFileA( path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                               OPEN_EXISTING, 0, NULL );
    char text[4096], *pos;
    DWORD size = 0;

    if (file == INVALID_HANDLE_VALUE) return -1;
    if (!ReadFile( file, text, sizeof(text) - 1, &size, NULL )) size = 0;
    CloseHandle( file );
    text[size] = 0;
    if (!size || !(pos = strstr( text, word ))) return -1;
    return _strtoi64( pos + strlen( word ), NULL, 10 );
}

/* what the kernel has promised to all processes, in bytes */
static LONG64 committed(void)
{
    return read_value( "\\\\?\\unix\\proc\\meminfo", "Committed_AS:" ) * 1024;
}

/***********************************************************************
 *           use_region
 *
 * One page is written, and that one is reported.
 */
static void use_region( char *base, SIZE_T size, const char *how )
{
    ULONG_PTR count = 2;
    ULONG granularity;
    void *results[2] = { NULL, NULL };

    base[size / 2] = 1;
    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, size, results, &count, &granularity ),
           "%s: GetWriteWatch failed, error %lu", how, GetLastError() );
    check( count == 1 && results[0] == base + (size / 2 & ~(SIZE_T)(PAGE_SIZE - 1)),
           "%s: %u pages reported, the first ones %p and %p of %p", how, (unsigned int)count,
           results[0], results[1], base );
}

static char *commit_at_once( SIZE_T size )
{
    return VirtualAlloc( NULL, size, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH, PAGE_READWRITE );
}

static char *commit_later( SIZE_T size )
{
    char *base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );

    if (base && VirtualAlloc( base, size, MEM_COMMIT, PAGE_READWRITE )) return base;
    if (base) VirtualFree( base, 0, MEM_RELEASE );
    return NULL;
}

static char *replace( SIZE_T size, DWORD commit )
{
    char *base = alloc2( NULL, NULL, size, MEM_RESERVE | PLACEHOLDER_RESERVE, PAGE_NOACCESS, NULL,
                         0 );

    if (!base) return NULL;
    if (alloc2( NULL, base, size, MEM_RESERVE | commit | PLACEHOLDER_REPLACE | MEM_WRITE_WATCH,
                PAGE_READWRITE, NULL, 0 ) == base &&
        (commit || VirtualAlloc( base, size, MEM_COMMIT, PAGE_READWRITE ))) return base;
    VirtualFree( base, 0, MEM_RELEASE );
    return NULL;
}

static char *replace_and_commit( SIZE_T size )
{
    return replace( size, MEM_COMMIT );
}

static char *replace_then_commit( SIZE_T size )
{
    return replace( size, 0 );
}

static BOOL is_stock(void)
{
    const char *platform = getenv( "WINETEST_PLATFORM" );

    return platform && !strcmp( platform, "wine" );
}

/***********************************************************************
 *           try_charge
 */
static void try_charge( const char *how, char *(*allocate)( SIZE_T ), SIZE_T much )
{
    unsigned int tries;
    LONG64 charged;
    char *base;

    stage = how;
    base = much ? allocate( much ) : NULL;
    check( base || !much, "%s: %u MiB failed, error %lu", how, (unsigned int)(much >> 20),
           GetLastError() );
    if (base)
    {
        use_region( base, much, how );
        VirtualFree( base, 0, MEM_RELEASE );
    }
    if (read_value( "\\\\?\\unix\\proc\\sys\\vm\\overcommit_memory", "" ) == 2) return;

    /* other processes have some charged or given back as well, but hardly each time as much */
    for (tries = 0; tries < 5; tries++)
    {
        charged = -committed();
        if (!(base = allocate( SMALL )))
        {
            check( 0, "%s: %d GiB failed, error %lu", how, GIBS, GetLastError() );
            return;
        }
        charged += committed();
        VirtualFree( base, 0, MEM_RELEASE );
        if (charged < (LONG64)SMALL / 2) return;
    }
    /* it does so in new WoW64 */
    if (allocate == replace_and_commit && is_wine_wow64() && is_stock())
        say_todo( "stock Wine has a placeholder charged that is replaced and committed at once" );
    else check( 0, "%s: %d MiB charged", how, (int)(charged >> 20) );
}

/***********************************************************************
 *           main
 */
int main(void)
{
    HMODULE kernelbase = GetModuleHandleA( "kernelbase.dll" );
    MEMORYSTATUSEX memory = { sizeof(memory) };
    LONG64 mode = read_value( "\\\\?\\unix\\proc\\sys\\vm\\overcommit_memory", "" );
    ULONGLONG total;
    SIZE_T much;
    char *plain;

    start_watchdog();
    alloc2 = (virtual_alloc2)(void *)GetProcAddress( kernelbase, "VirtualAlloc2" );
    GlobalMemoryStatusEx( &memory );
    total = memory.ullTotalPageFile > memory.ullTotalPhys ? memory.ullTotalPageFile
                                                          : memory.ullTotalPhys;
    total = (total + total / 4) & ~(ULONGLONG)0xffff;
    much = sizeof(void *) == 8 || total <= SMALL ? total : 0;

    check( mode >= 0 && mode <= 2, "vm.overcommit_memory cannot be read" );
    check( committed() > 0, "Committed_AS cannot be read" );
    if (much)
    {
        plain = VirtualAlloc( NULL, much, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
        check( !plain == (mode != 1), "plain memory: %p, error %lu", plain, GetLastError() );
        if (plain) VirtualFree( plain, 0, MEM_RELEASE );
    }

    try_charge( "committed at once", commit_at_once, much );
    try_charge( "committed later", commit_later, much );
    plain = alloc2 ? alloc2( NULL, NULL, 0x10000, MEM_RESERVE | PLACEHOLDER_RESERVE, PAGE_NOACCESS,
                             NULL, 0 ) : NULL;
    if (plain)
    {
        VirtualFree( plain, 0, MEM_RELEASE );
        try_charge( "placeholder replaced and committed", replace_and_commit, much );
        try_charge( "placeholder replaced, then committed", replace_then_commit, much );
    }
    say( "charge: overcommit %d, %u MiB, placeholders %s, %ld failures\n", (int)mode,
         (unsigned int)(much >> 20), plain ? "too" : "not there", failures );
    finish();
}
