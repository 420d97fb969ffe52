/*
 * The native memory manager, by its NT and Win32 faces
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virtual.h"

static void test_query(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *base = VirtualAlloc( NULL, 16 * PAGE, MEM_RESERVE, PAGE_EXECUTE_READ ), *mapped;
    SIZE_T size;

    check_info( base + 3, base, 16 * PAGE, MEM_RESERVE, 0 );
    check( query( base ).AllocationProtect == PAGE_EXECUTE_READ && query( base ).Type ==
           MEM_PRIVATE );
    VirtualAlloc( base + 2 * PAGE, 8 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    check( !protect( base + 4 * PAGE, PAGE, PAGE_READWRITE | PAGE_GUARD ) );
    check( !protect( base + 5 * PAGE, PAGE, PAGE_READWRITE | PAGE_NOCACHE ) );
    check_info( base, base, 2 * PAGE, MEM_RESERVE, 0 );
    check_info( base + 3 * PAGE, base, PAGE, MEM_COMMIT, PAGE_READWRITE );
    check_info( base + 4 * PAGE, base, PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD );
    check_info( base + 5 * PAGE, base, PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_NOCACHE );
    check_info( base + 6 * PAGE, base, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    check( VirtualFree( base + 4 * PAGE, 6 * PAGE, MEM_DECOMMIT ) );
    check_info( base + 4 * PAGE, base, 12 * PAGE, MEM_RESERVE, 0 );

    check( !VirtualQuery( LIMIT, &info, sizeof(info) ) && GetLastError() ==
           ERROR_INVALID_PARAMETER );
    check( !VirtualQuery( base, &info, sizeof(info) - 1 ) && GetLastError() == ERROR_BAD_LENGTH );
    check( !VirtualQuery( base, NULL, sizeof(info) ) && GetLastError() == ERROR_NOACCESS );
    check( NtQueryVirtualMemory( NtCurrentProcess(), base, 1, &info, sizeof(info), &size ) ==
           STATUS_INVALID_INFO_CLASS );
    VirtualFree( base, 0, MEM_RELEASE );
    check( query( base ).State == MEM_FREE );

    /* memory of other origin is not free, and nothing is lost by saying so */
    mapped = mmap( NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    mprotect( mapped + PAGE, PAGE, PROT_NONE );
    mprotect( mapped + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE );
    check_info( mapped + PAGE, mapped + PAGE, PAGE, MEM_RESERVE, 0 );
    check_info( mapped + 2 * PAGE, mapped + 2 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE );
    check( !VirtualAlloc( mapped, PAGE, MEM_RESERVE, PAGE_NOACCESS ) && GetLastError() ==
           ERROR_INVALID_ADDRESS );
    munmap( mapped, 4 * PAGE );
    check( query( &info ).State == MEM_COMMIT );
    check( query( (void *)test_query ).Protect == PAGE_EXECUTE_READ );
    check( query( (void *)test_query ).Type == MEM_MAPPED );
    check( query( NULL ).State == MEM_FREE && query( NULL ).RegionSize >= PART );
}

/* large memory costs little until it is used */
static void test_large(void)
{
    SIZE_T size = LARGE( 64 ), far = LARGE( 5 ) + 7 * PAGE;
    char *base = VirtualAlloc( NULL, size, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    void *pages[4];
    ULONG_PTR count = 4;
    DWORD granularity;

    check( base != NULL );
    if (!base) return;
    check( VirtualAlloc( base + far - PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE ) != NULL );
    check_info( base, base, far - PAGE, MEM_RESERVE, 0 );
    check_info( base + far, base, 3 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    check_info( base + far + 3 * PAGE, base, size - far - 3 * PAGE, MEM_RESERVE, 0 );
    base[far] = 1;
    check( !GetWriteWatch( 1, base + far - PAGE, 4 * PAGE, pages, &count, &granularity ) );
    check( count == 1 && pages[0] == base + far );
    check( VirtualAlloc( base + LARGE( 6 ), LARGE( 3 ), MEM_COMMIT,
               PAGE_READONLY ) != NULL );
    check_info( base + LARGE( 6 ), base, LARGE( 3 ), MEM_COMMIT, PAGE_READONLY );
    check( VirtualFree( base, 0, MEM_DECOMMIT ) );
    check_info( base, base, size, MEM_RESERVE, 0 );
    check( VirtualFree( base, 0, MEM_RELEASE ) );
}

static void test_places(void)
{
    MEM_ADDRESS_REQUIREMENTS req;
    MEM_EXTENDED_PARAMETER param[2];
    const SIZE_T unit = 0x10000;   /* allocations begin at multiples of it */
    char *first, *second;
    void *addr = NULL;
    SIZE_T size = PART;

    memset( &req, 0, sizeof(req) );
    memset( param, 0, sizeof(param) );
    param[0].Type = MemExtendedParameterAddressRequirements;
    param[0].Pointer = &req;
    param[1] = param[0];

    /* between limits, from below and from above; below 2 GiB, where neither the loader nor the
     * tools that watch programs have anything */
    req.LowestStartingAddress = (void *)0x60000000;
    req.HighestEndingAddress = (void *)0x600fffff;
    first = VirtualAlloc2( NULL, NULL, unit + 1, MEM_RESERVE, PAGE_NOACCESS, param, 1 );
    check( first == (char *)0x60000000 );
    second = VirtualAlloc2( NULL, NULL, PAGE, MEM_RESERVE, PAGE_NOACCESS, param, 1 );
    check( second == first + 2 * unit );
    VirtualFree( second, 0, MEM_RELEASE );
    second = VirtualAlloc2( NULL, NULL, unit, MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS, param, 1 );
    check( second == (char *)0x600f0000 );
    VirtualFree( second, 0, MEM_RELEASE );
    req.Alignment = 0x80000;
    second = VirtualAlloc2( NULL, NULL, unit, MEM_RESERVE, PAGE_NOACCESS, param, 1 );
    check( second == (char *)0x60080000 );
    check( !VirtualAlloc2( NULL, NULL, 0x80001, MEM_RESERVE, PAGE_NOACCESS, param, 1 ) );
    check( GetLastError() == ERROR_NOT_ENOUGH_MEMORY );
    VirtualFree( second, 0, MEM_RELEASE );
    VirtualFree( first, 0, MEM_RELEASE );

    /* alignment alone */
    memset( &req, 0, sizeof(req) );
    req.Alignment = 1 << 30;
    first = VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, param, 1 );
    check( first && !((uintptr_t)first & 0x3fffffff) );
    check( query( first + PART ).AllocationBase != first );
    VirtualFree( first, 0, MEM_RELEASE );

    /* what is refused */
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, param, 2 ) );
    check( GetLastError() == ERROR_INVALID_PARAMETER );
    check( !VirtualAlloc2( NULL, first, PART, MEM_RESERVE, PAGE_NOACCESS, param, 1 ) );
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, NULL, 1 ) );
    req.Alignment = 0x8000;
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, param, 1 ) );
    req.Alignment = 0;
    req.LowestStartingAddress = (void *)0x1000;
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, param, 1 ) );
    req.LowestStartingAddress = NULL;
    req.HighestEndingAddress = (void *)0x60000000;
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, param, 1 ) );
    param[0].Type = MemExtendedParameterMax;
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE, PAGE_NOACCESS, param, 1 ) );
    check( GetLastError() == ERROR_INVALID_PARAMETER );

    /* below 4 GiB and below 2 */
    check( !NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 1, &size, MEM_RESERVE,
               PAGE_NOACCESS ) );
    check( (uintptr_t)addr + size <= 0x80000000 );
    VirtualFree( addr, 0, MEM_RELEASE );
    addr = NULL;
    check( !NtAllocateVirtualMemory( NtCurrentProcess(), &addr, 0xfffffff, &size,
               MEM_RESERVE | MEM_TOP_DOWN, PAGE_NOACCESS ) );
    check( (uintptr_t)addr + size <= 0x10000000 );
    VirtualFree( addr, 0, MEM_RELEASE );
}

static void test_placeholders(void)
{
    const DWORD keep = MEM_RELEASE | MEM_PRESERVE_PLACEHOLDER;
    const DWORD join = MEM_RELEASE | MEM_COALESCE_PLACEHOLDERS;
    const ULONG replace = MEM_RESERVE | MEM_REPLACE_PLACEHOLDER;
    char *base = VirtualAlloc2( NULL, NULL, 4 * PART, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
                                PAGE_NOACCESS, NULL, 0 );

    check( base != NULL );
    check( !VirtualAlloc2( NULL, NULL, PART, MEM_RESERVE | MEM_RESERVE_PLACEHOLDER,
               PAGE_READWRITE, NULL, 0 ) );
    check( allocate( base, PAGE, MEM_COMMIT, PAGE_READWRITE ) == STATUS_CONFLICTING_ADDRESSES );
    check( release( base, 4 * PART, keep ) == STATUS_CONFLICTING_ADDRESSES );
    check( !release( base + PART, PART, keep ) );   /* three now */
    check_info( base, base, PART, MEM_RESERVE, 0 );
    check_info( base + PART, base + PART, PART, MEM_RESERVE, 0 );
    check_info( base + 2 * PART, base + 2 * PART, 2 * PART, MEM_RESERVE, 0 );

    check( !VirtualAlloc2( NULL, base, 2 * PART, replace, PAGE_READWRITE, NULL, 0 ) );
    check( GetLastError() == ERROR_INVALID_ADDRESS );
    check( !VirtualAlloc2( NULL, NULL, 2 * PART, replace, PAGE_READWRITE, NULL, 0 ) );
    check( !VirtualAlloc2( NULL, base, PART, MEM_COMMIT | MEM_REPLACE_PLACEHOLDER,
               PAGE_READWRITE, NULL, 0 ) );
    check( VirtualAlloc2( NULL, base + PART, PART, replace | MEM_COMMIT, PAGE_READWRITE, NULL,
               0 ) == base + PART );
    check( !VirtualAlloc2( NULL, base + PART, PART, replace, PAGE_READWRITE, NULL, 0 ) );
    check( GetLastError() == ERROR_INVALID_PARAMETER );
    check_info( base + PART, base + PART, PART, MEM_COMMIT, PAGE_READWRITE );
    base[PART + 5] = 5;

    /* only placeholders can be joined, two or more, and exactly */
    check( release( base, 4 * PART, join ) == STATUS_CONFLICTING_ADDRESSES );
    check( release( base, 0, join ) == STATUS_INVALID_PARAMETER_3 );
    check( !release( base + PART + 4 * PAGE, PAGE, keep ) );   /* a part of the replaced memory */
    check( base[PART + 5] == 5 );
    check_info( base + PART + 4 * PAGE, base + PART + 4 * PAGE, PAGE, MEM_RESERVE, 0 );
    check( !release( base + PART, 4 * PAGE, keep ) );
    check( !release( base + PART + 5 * PAGE, PART - 5 * PAGE, keep ) );
    check( release( base, 3 * PART, join ) == STATUS_CONFLICTING_ADDRESSES );
    check( release( base, PART, join ) == STATUS_CONFLICTING_ADDRESSES );
    check( release( base + PAGE, 4 * PART - PAGE, join ) == STATUS_CONFLICTING_ADDRESSES );
    check( !release( base, 2 * PART, join ) );
    check( !release( base, 4 * PART, join ) );
    check_info( base, base, 4 * PART, MEM_RESERVE, 0 );

    check( VirtualAlloc2( NULL, base, 4 * PART, replace | MEM_COMMIT, PAGE_READWRITE, NULL, 0 ) ==
           base );
    check( !base[PART + 5] );
    check( VirtualFree( base, 0, MEM_RELEASE ) );
}

static volatile sig_atomic_t faults, guards;
static void *fault_addr;

static void count_fault( int sig, siginfo_t *info, void *context )
{
    (void)sig, (void)context;
    fault_addr = info->si_addr;
    if (info->si_code == STATUS_GUARD_PAGE_VIOLATION) guards++;
    else
    {
        DWORD old;

        faults++;
        /* the memory manager may be used here, as the fault was met in the program */
        VirtualProtect( info->si_addr, 1, PAGE_READWRITE, &old );
    }
}

static void *touch( void *arg )
{
    ++*(volatile char *)arg;
    return NULL;
}

/* Row 22, and protections that hold. The page is watched, then not. */
static void test_guard( DWORD flags )
{
    volatile char *base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | flags,
                                        PAGE_READWRITE );
    struct sigaction action, old_action;
    pthread_t threads[4];
    int i, round, status;
    pid_t pid;

    memset( &action, 0, sizeof(action) );
    action.sa_sigaction = count_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction( SIGSEGV, &action, &old_action );
    /* setting a guard puts the library's handler before the one above */
    faults = guards = 0;
    check( !protect( (void *)(base + 3 * PAGE), PAGE, PAGE_READWRITE | PAGE_GUARD ) );
    base[3 * PAGE + 9] = 2;
    check( guards == 1 && !faults && fault_addr == (void *)(base + 3 * PAGE + 9) );
    check( !base[3 * PAGE] && base[3 * PAGE + 9] == 2 && guards == 1 );
    check( query( (void *)(base + 3 * PAGE) ).Protect == PAGE_READWRITE );

    /* a guard on a page that may only be read: once for the guard, then for the protection */
    check( !protect( (void *)base, PAGE, PAGE_READONLY | PAGE_GUARD ) );
    base[0] = 3;
    check( guards == 2 && faults == 1 && base[0] == 3 );

    /* many threads, one guard */
    for (round = 0; round < 50; round++)
    {
        guards = faults = 0;
        check( !protect( (void *)base, PAGE, PAGE_READWRITE | PAGE_GUARD ) );
        for (i = 0; i < 4; i++) pthread_create( &threads[i], NULL, touch, (void *)(base + i) );
        for (i = 0; i < 4; i++) pthread_join( threads[i], NULL );
        check( guards == 1 && !faults );
    }

    /* no handler: the program ends, though the page could be used now */
    check( !protect( (void *)base, PAGE, PAGE_READWRITE | PAGE_GUARD ) );
    if (!(pid = fork()))
    {
        signal( SIGSEGV, SIG_DFL );
        protect( (void *)base, PAGE, PAGE_READWRITE | PAGE_GUARD );
        base[0] = 1;
        _exit( 0 );
    }
    check( waitpid( pid, &status, 0 ) == pid && WIFSIGNALED( status ) && WTERMSIG( status ) ==
           SIGSEGV );

    sigaction( SIGSEGV, &old_action, NULL );
    VirtualFree( (void *)base, 0, MEM_RELEASE );
}

static void test_lock(void)
{
    char *base = VirtualAlloc( NULL, PART, MEM_RESERVE, PAGE_READWRITE );

    check( !VirtualLock( base, PAGE ) && GetLastError() == ERROR_ACCESS_DENIED );
    VirtualAlloc( base, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE );
    check( VirtualLock( base + 1, 3 * PAGE ) );
    check( VirtualUnlock( base + 1, 3 * PAGE ) );
    check( !VirtualLock( base + PAGE, 4 * PAGE ) );
    check( VirtualFree( base, 0, MEM_RELEASE ) );
    check( !VirtualLock( base, PAGE ) );
}

/* a program may watch a part of what it has allocated, and cease to */
static void test_part_watched(void)
{
    char *base = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE ), *watched;
    void *pages[16];
    ULONG_PTR count = 16;
    DWORD granularity;

    memset( base, 1, PART );
    check( !writewatch_watch( base + 4 * PAGE, 4 * PAGE ) );
    check( !writewatch_watch( base + 8 * PAGE, 2 * PAGE ) );
    base[5 * PAGE] = 2;
    check( !protect( base, PART, PAGE_READONLY ) && !protect( base, PART, PAGE_READWRITE ) );
    base[6 * PAGE] = 2;
    check( VirtualFree( base, 6 * PAGE, MEM_DECOMMIT ) );
    check( VirtualAlloc( base, PART, MEM_COMMIT, PAGE_READWRITE ) == base );
    check( !base[0] && !base[3 * PAGE] && !base[5 * PAGE] && base[6 * PAGE] == 2 &&
           base[10 * PAGE] == 1 );
    check( VirtualAlloc( base, PART, MEM_RESET, PAGE_READWRITE ) == base );
    check( !base[6 * PAGE] && !base[9 * PAGE] && !base[15 * PAGE] );
    base[9 * PAGE] = 1;
    check( !GetWriteWatch( 0, base + 4 * PAGE, 4 * PAGE, pages, &count, &granularity ) );
    check( count == 2 && pages[0] == base + 5 * PAGE && pages[1] == base + 6 * PAGE );
    count = 16;
    check( !GetWriteWatch( 0, base + 8 * PAGE, 2 * PAGE, pages, &count, &granularity ) );
    check( count == 1 && pages[0] == base + 9 * PAGE );
    check( VirtualFree( base, 0, MEM_RELEASE ) );
    check( !writewatch_backend_of( base + 4 * PAGE ) );

    watched = VirtualAlloc( NULL, PART, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                            PAGE_READWRITE );
    check( !strcmp( writewatch_backend_of( watched + 5 ), writewatch_backend() ) );
    memset( watched, 1, PART );
    check( !writewatch_unwatch( watched, PART ) );
    check( ResetWriteWatch( watched, PART ) == ~0u );
    check( VirtualFree( watched, PART, MEM_DECOMMIT ) );
    VirtualAlloc( watched, PART, MEM_COMMIT, PAGE_READWRITE );
    check( !watched[0] );
    check( VirtualFree( watched, 0, MEM_RELEASE ) );
}

static void *allocate_much( void *arg )
{
    unsigned int seed = (uintptr_t)arg, i, failed = 0;
    char *part[32] = { NULL };

    for (i = 0; i < 20000; i++)
    {
        char **p = &part[rand_r( &seed ) % 32];

        if (*p)
        {
            failed += **p != (char)(uintptr_t)*p >> 4;
            failed += !VirtualFree( *p, 0, MEM_RELEASE );
            *p = NULL;
        }
        else if ((*p = VirtualAlloc( NULL, 1 + rand_r( &seed ) % (4 * PART), MEM_COMMIT,
                                     PAGE_READWRITE )))
            **p = (char)(uintptr_t)*p >> 4;
        else failed++;
    }
    for (i = 0; i < 32; i++) if (part[i]) VirtualFree( part[i], 0, MEM_RELEASE );
    return (void *)(uintptr_t)failed;
}

static void test_threads(void)
{
    pthread_t threads[3];
    void *failed;
    uintptr_t i;

    for (i = 0; i < 3; i++) pthread_create( &threads[i], NULL, allocate_much, (void *)(i + 1) );
    for (i = 0; i < 3; i++)
    {
        pthread_join( threads[i], &failed );
        check( !failed );
    }
}

int main(void)
{
    test_query();
    test_places();
    test_placeholders();
    test_lock();
    test_threads();
    test_guard( 0 );

    if (writewatch_open( NULL ))
    {
        fprintf( stderr, "no watched memory: %s\n", writewatch_reason() );
        return unit_failures ? FAIL : SKIP;
    }
    test_large();
    test_guard( MEM_WRITE_WATCH );
    test_part_watched();
    return unit_result();
}
