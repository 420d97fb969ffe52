/*
 * Memory that calls store to, taken away by another thread in the middle of them (row 34)
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A call either succeeds or says that it could not access the memory; the process goes on. The
 * calls look at their pointers before they begin, so only the end of a call meets this.
 */

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGE   page_size()
#define ROUNDS 2000    /* that failed, and as many that did not */

static char *buffer;
static int stop;

/* what is asked about: a mapping that is not ours, which takes long to find */
static char *mapping;

static void *toggle( void *arg )
{
    unsigned int i;

    for (i = 0; !__atomic_load_n( &stop, __ATOMIC_SEQ_CST ); i++)
    {
        volatile unsigned int spin;

        check( !mprotect( buffer, PAGE, PROT_READ | PROT_WRITE ));
        for (spin = 0; spin < i * 7919 % 5000; spin++) {}
        check( !mprotect( buffer, PAGE, PROT_NONE ));
        for (spin = 0; spin < i * 104729 % 1000; spin++) {}
    }
    return arg;
}

static NTSTATUS query_basic(void)
{
    return NtQueryVirtualMemory( NtCurrentProcess(), mapping, MemoryBasicInformation, buffer,
                                 sizeof(MEMORY_BASIC_INFORMATION), (SIZE_T *)(buffer + 64) );
}

static NTSTATUS query_working_set(void)
{
    return NtQueryVirtualMemory( NtCurrentProcess(), NULL, MemoryWorkingSetExInformation, buffer,
                                 4 * sizeof(MEMORY_WORKING_SET_EX_INFORMATION),
                                 (SIZE_T *)(buffer + 256) );
}

static NTSTATUS protect(void)
{
    void *addr = mapping;
    SIZE_T size = PAGE;

    return NtProtectVirtualMemory( NtCurrentProcess(), &addr, &size, PAGE_READWRITE,
                                   (ULONG *)buffer );
}

static void race( const char *what, NTSTATUS (*call)(void) )
{
    unsigned int failed = 0, succeeded = 0;
    pthread_t thread;

    stop = 0;
    pthread_create( &thread, NULL, toggle, NULL );
    while (failed < ROUNDS || succeeded < ROUNDS)
    {
        NTSTATUS status = call();

        if (status == STATUS_ACCESS_VIOLATION) failed++;
        else if (!status) succeeded++;
        else
        {
            printf( "%s: status %08x\n", what, (unsigned int)status );
            check( !status );
            break;
        }
    }
    __atomic_store_n( &stop, 1, __ATOMIC_SEQ_CST );
    pthread_join( thread, NULL );
    printf( "%s: %u calls failed, %u succeeded\n", what, failed, succeeded );
}

int main(void)
{
    char *view = VirtualAlloc( NULL, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );

    alarm( UNIT_HANGS );
    buffer = mmap( NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    check( view && buffer != MAP_FAILED );
    mapping = (char *)((uintptr_t)main & -page_size());
    race( "VirtualQuery", query_basic );
    race( "working set", query_working_set );
    mapping = view;
    race( "VirtualProtect", protect );
    return unit_result();
}
