/*
 * What the hooks tell Wine, and what they note while it works
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Functions of this program stand in the place of Wine's. They look at what they are given, and
 * some do as Wine does when a thread is suspended in the middle: it carries out what another
 * process asks for, by the same hooks.
 */

#include <errno.h>
#include <stdarg.h>

#include "engine/watch.h"
#include "fault/fault.h"
#include "sys/page.h"
#include "unit.h"
#include "write_watch.h"

#include "../../preload/hooks.h"
#include "../../preload/report.h"

#define SIZE 0x10000

typedef NTSTATUS allocate_func( HANDLE process, void **ret, ULONG_PTR zero_bits, SIZE_T *size_ptr,
                                ULONG type, ULONG protect );
typedef NTSTATUS allocate_ex_func( HANDLE process, void **ret, SIZE_T *size_ptr, ULONG type,
                                   ULONG protect, void *parameters, ULONG count );
typedef NTSTATUS free_func( HANDLE process, void **addr_ptr, SIZE_T *size_ptr, ULONG type );

int preload_active = 1;

int guard_signals(void)
{
    return 0;
}

void deliver_deferred_signals(void)
{
}

void log_line( const char *format, ... )
{
    (void)format;
}

int polls_are_timed;

void begin_watching(void)
{
}

uint64_t poll_clock(void)
{
    return 1;
}

void add_poll_time( uint64_t start )
{
    (void)start;
}

const char *program_name(void)
{
    return "unit";
}

static allocate_func *hook_allocate;
static allocate_ex_func *hook_allocate_ex;
static free_func *hook_free;

/* what the program's variables hold, which its other threads change when Wine is called */
static void *program_base, *changed_base;
static SIZE_T program_size, changed_size;

static NTSTATUS wanted_status;     /* what Wine answers */
static NTSTATUS nested_status;     /* and to those calls */
static int is_nested, nested;      /* whether, and how often, another process' calls came */
static int seen_decommitting;
static enum allocation seen_allocating;
static ULONG seen_type;
static int is_busy;                /* whether new memory cannot be watched */

int __real_watch_add( void *base, size_t size );

/* another userfaultfd may have the memory already */
int __wrap_watch_add( void *base, size_t size )
{
    return is_busy ? -EBUSY : __real_watch_add( base, size );
}

static void change_variables(void)
{
    if (is_nested) return;
    program_base = changed_base;
    program_size = changed_size;
}

/* another process frees and allocates; and the thread goes on as before */
static void serve_others(void)
{
    struct thread_state before = { decommitting, allocating };
    static const NTSTATUS statuses[] = { STATUS_SUCCESS, STATUS_INVALID_PARAMETER };
    void *base = NULL;
    SIZE_T size = SIZE;
    unsigned int i;

    if (is_nested) return;
    is_nested = 1;
    nested++;
    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
    {
        nested_status = statuses[i];
        check( hook_allocate( NtCurrentProcess(), &base, 0, &size, MEM_RESERVE, PAGE_READWRITE ) ==
               statuses[i] );
        check( !seen_decommitting && seen_allocating == ALLOCATION_NONE );
        check( decommitting == before.decommitting && allocating == before.allocating );
        check( hook_free( NtCurrentProcess(), &base, &size, MEM_RELEASE ) == statuses[i] );
        check( !seen_decommitting && seen_allocating == ALLOCATION_NONE );
        check( decommitting == before.decommitting && allocating == before.allocating );
    }
    is_nested = 0;
}

static NTSTATUS allocate( void **ret, SIZE_T *size_ptr, ULONG type )
{
    serve_others();
    seen_decommitting = decommitting;
    seen_allocating = allocating;
    seen_type = type;
    if (is_nested) return nested_status;
    check( ret != &program_base && size_ptr != &program_size );
    if (wanted_status) return wanted_status;
    if (!*ret)
    {
        *ret = mmap( NULL, *size_ptr, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
        check( *ret != MAP_FAILED );
    }
    if (type & MEM_COMMIT) check( !mprotect( *ret, *size_ptr, PROT_READ | PROT_WRITE ));
    return STATUS_SUCCESS;
}

static NTSTATUS wine_allocate( HANDLE process, void **ret, ULONG_PTR zero_bits, SIZE_T *size_ptr,
                               ULONG type, ULONG protect )
{
    (void)process, (void)zero_bits, (void)protect;
    change_variables();
    return allocate( ret, size_ptr, type );
}

static NTSTATUS wine_allocate_ex( HANDLE process, void **ret, SIZE_T *size_ptr, ULONG type,
                                  ULONG protect, void *parameters, ULONG count )
{
    (void)process, (void)protect, (void)parameters, (void)count;
    change_variables();
    return allocate( ret, size_ptr, type );
}

static NTSTATUS wine_free( HANDLE process, void **addr_ptr, SIZE_T *size_ptr, ULONG type )
{
    (void)process, (void)size_ptr;
    serve_others();
    if (!is_nested && type == MEM_DECOMMIT) check( addr_ptr != &program_base );
    seen_decommitting = decommitting;
    seen_allocating = allocating;
    return is_nested ? nested_status : wanted_status;
}

/* the same by both functions */
static NTSTATUS call_allocate( int ex, ULONG type )
{
    uint64_t requirements[3] = { 0 };
    uint64_t parameter[2] = { 1, (uintptr_t)requirements };
    NTSTATUS status;

    if (ex) status = hook_allocate_ex( NtCurrentProcess(), &program_base, &program_size, type,
                                       PAGE_READWRITE, parameter, 1 );
    else status = hook_allocate( NtCurrentProcess(), &program_base, 0, &program_size, type,
                                 PAGE_READWRITE );
    check( !decommitting && allocating == ALLOCATION_NONE );
    return status;
}

static int is_watched( void *base )
{
    void *addresses[SIZE / 4096];
    ULONG_PTR count = SIZE / 4096;
    ULONG granularity;

    return !get_write_watch( 0, base, SIZE, addresses, &count, &granularity ) && !count;
}

/***********************************************************************
 *           test_allocate
 *
 * The program's variables are read once and written once. Meanwhile they hold the address of other
 * memory, which must not be taken for what was asked for.
 */
static void test_allocate( int ex )
{
    void *base;

    changed_base = (void *)0x12340000;
    changed_size = 0x7000;
    program_base = NULL;
    program_size = SIZE;
    check( !call_allocate( ex, MEM_RESERVE | MEM_WRITE_WATCH ));
    check( !(seen_type & MEM_WRITE_WATCH) && seen_allocating == ALLOCATION_NEW );
    check( program_base && program_base != changed_base && program_size == SIZE );
    base = program_base;
    check( is_watched( base ));

    /* a commit, prepared or not, is of the pages that Wine commits */
    program_size = SIZE;
    check( !call_allocate( ex, MEM_COMMIT | MEM_WRITE_WATCH ));
    check( program_base == base && program_size == SIZE && seen_allocating == ALLOCATION_NONE );
    *(volatile char *)base;
    check( is_watched( base ));

    /* what fails changes nothing but what other threads have changed */
    wanted_status = STATUS_INVALID_PARAMETER;
    program_base = NULL;
    program_size = SIZE;
    check( call_allocate( ex, MEM_RESERVE | MEM_WRITE_WATCH ) == STATUS_INVALID_PARAMETER );
    check( program_base == changed_base && program_size == changed_size );
    wanted_status = STATUS_SUCCESS;

    watch_remove( base, SIZE );
    munmap( base, SIZE );
}

/***********************************************************************
 *           test_free
 *
 * That memory is being decommitted is known only meanwhile, whatever comes of it.
 */
static void test_free(void)
{
    static const NTSTATUS statuses[] = { STATUS_SUCCESS, STATUS_INVALID_PARAMETER };
    unsigned int i;

    program_base = NULL;
    program_size = SIZE;
    check( !call_allocate( 0, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH ));
    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
    {
        wanted_status = statuses[i];
        check( hook_free( NtCurrentProcess(), &program_base, &program_size, MEM_DECOMMIT ) ==
               statuses[i] );
        check( seen_decommitting && !decommitting );
        check( hook_free( NtCurrentProcess(), &program_base, &program_size, MEM_RELEASE ) ==
               statuses[i] );
        check( !seen_decommitting && !decommitting );
    }
    wanted_status = STATUS_SUCCESS;
    watch_remove( program_base, SIZE );
    check( !hook_free( NtCurrentProcess(), &program_base, &program_size, MEM_DECOMMIT ));
    check( !seen_decommitting );
    munmap( program_base, SIZE );
}

/***********************************************************************
 *           test_refused
 *
 * What we cannot watch is left to Wine, or, if Wine's watches are inexact, refused.
 */
static void test_refused( int ex, int kernel_watches )
{
    const ULONG types[] = { MEM_RESERVE, MEM_RESERVE | MEM_COMMIT };
    const NTSTATUS expected = kernel_watches ? STATUS_NO_MEMORY : STATUS_SUCCESS;
    unsigned int i;

    wine_has_kernel_watches = kernel_watches;
    wine_has_watches = 0;
    check( could_be_charged( MEM_RESERVE, ~(SIZE_T)0xffff ) == kernel_watches );

    is_busy = 1;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    {
        program_base = NULL;
        program_size = SIZE;
        check( call_allocate( ex, types[i] | MEM_WRITE_WATCH ) == expected );
        check( (seen_type & MEM_WRITE_WATCH ? 0 : 1) == kernel_watches );
        check( (program_base == changed_base) == kernel_watches );
        check( wine_has_watches == !kernel_watches );
        if (!kernel_watches) munmap( program_base, SIZE );
    }
    is_busy = 0;

    /* as where the kernel does not charge it all */
    wine_has_watches = 0;
    wanted_status = STATUS_NO_MEMORY;
    check( call_allocate( ex, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH ) == STATUS_NO_MEMORY );
    check( (seen_type & MEM_WRITE_WATCH ? 0 : 1) == kernel_watches && !wine_has_watches );
    wanted_status = STATUS_SUCCESS;
    wine_has_kernel_watches = 0;
}

int main(void)
{
    unsigned int i;
    void *originals[HOOK_COUNT] = { (void *)wine_allocate, (void *)wine_allocate_ex,
                                    (void *)wine_free };
    char reason[160];

    hook_allocate    = (allocate_func *)hooks_sysv.hooks[HOOK_ALLOCATE];
    hook_allocate_ex = (allocate_ex_func *)hooks_sysv.hooks[HOOK_ALLOCATE_EX];
    hook_free        = (free_func *)hooks_sysv.hooks[HOOK_FREE];
    hooks_sysv.set_originals( originals );

    check( !fault_handler_install() );
    /* in the marked form commits are prepared */
    if (watch_open( "scan:marked", reason, sizeof(reason) ))
    {
        printf( "%s\n", reason );
        return SKIP;
    }
    test_allocate( 0 );
    test_allocate( 1 );
    test_free();
    for (i = 0; i < 4; i++) test_refused( i & 1, i >> 1 );
    check( nested );
    watch_close();
    return unit_result();
}
