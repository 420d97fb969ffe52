/*
 * Data breakpoints on what a query stores: system calls do not meet them, and nothing is lost
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stock Wine does not come back from the query. It also hangs, without any query, when a thread
 * with breakpoints is suspended; so that is not tried.
 */

#include "stress.h"

#define PAGES  64
#define ROUNDS 3000

static void *results[PAGES], *own_results[PAGES];
static ULONG_PTR count;
static ULONG granularity;
static volatile LONG traps;
static HANDLE asking;
static BOOL wow64;   /* new WoW64 */


/***********************************************************************
 *           handler
 */
static LONG CALLBACK handler( EXCEPTION_POINTERS *pointers )
{
    if (pointers->ExceptionRecord->ExceptionCode != EXCEPTION_SINGLE_STEP)
        return EXCEPTION_CONTINUE_SEARCH;
    InterlockedIncrement( &traps );
    return EXCEPTION_CONTINUE_EXECUTION;
}


/***********************************************************************
 *           set_breakpoints
 *
 * Four bytes each, when they are written.
 */
static DWORD WINAPI set_breakpoints( void *arg )
{
    CONTEXT context;

    memset( &context, 0, sizeof(context) );
    context.ContextFlags = CONTEXT_DEBUG_REGISTERS;
    context.Dr0 = (ULONG_PTR)&results[0];
    context.Dr1 = (ULONG_PTR)&results[20];
    context.Dr2 = (ULONG_PTR)&count;
    context.Dr3 = (ULONG_PTR)&granularity;
    context.Dr7 = wow64 ? 0xd0000040 : 0xdddd0055;
    SuspendThread( asking );
    check( SetThreadContext( asking, &context ), "SetThreadContext failed, error %lu",
           GetLastError() );
    ResumeThread( asking );
    return 0;
}


/***********************************************************************
 *           poll
 */
static void poll( char *base, unsigned int first, void **array )
{
    unsigned int i;
    UINT ret;

    for (i = first; i < PAGES; i += 2) *(volatile char *)(base + i * PAGE_SIZE) = 1;
    *(volatile ULONG_PTR *)&count = PAGES;
    traps = 0;
    ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * PAGE_SIZE, array, &count,
                         &granularity );
    check( !ret, "the query failed, error %lu", GetLastError() );
    check( !traps, "%ld breakpoints were met in the query", traps );
    check( count == PAGES / 2, "%u pages instead of %u", (unsigned int)count, PAGES / 2 );
    for (i = 0; i < PAGES / 2; i++)
        check( array[i] == base + (first + 2 * i) * PAGE_SIZE, "entry %u is wrong", i );
}


/***********************************************************************
 *           main
 */
int main(void)
{
    char *base = allocate_watched( PAGES );
    unsigned int i;

    start_watchdog();
    if ((wow64 = is_wine_wow64()) && is_wine_8())
    {
        say( "breakpoint: a 32-bit thread ends when its breakpoints are set in this Wine\n" );
        TerminateProcess( GetCurrentProcess(), 77 );
    }
    if (wow64)
        say_todo( "breakpoints on the array and the count end a query; only the granularity has one" );
    AddVectoredExceptionHandler( 1, handler );
    DuplicateHandle( GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &asking, 0,
                     FALSE, DUPLICATE_SAME_ACCESS );
    join_thread( start_thread( set_breakpoints, NULL ) );
    if (wow64) *(volatile ULONG *)&granularity = 0;
    else *(void *volatile *)&results[0] = NULL;
    check( traps == 1, "%ld breakpoints were met instead of 1", traps );

    for (i = 0; i < ROUNDS && !failures; i++) poll( base, i & 1, i % 3 ? results : own_results );
    say( "breakpoint: %u queries over breakpoints, %ld failures\n", i, failures );
    finish();
}
