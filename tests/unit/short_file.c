/*
 * The results, the count or the granularity in a mapped file that another process shortens
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The fault is a SIGBUS then. The call fails, or it does not; nothing is lost. The arguments are
 * backends, otherwise all have their turn.
 */

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "writewatch.h"

#include "sys/page.h"
#include "unit.h"

#define PAGE      ((SIZE_T)page_size())
#define PAGES     2048
#define START     (PAGE - 4096)      /* of the array, which goes on in the second page */
#define FILE_SIZE (START + PAGES * sizeof(void *))
#define LAST      (FILE_SIZE - 64)   /* where count and granularity lie */
#define ROUNDS    5                  /* that fail, for each of the three */

enum place { ARRAY, COUNT, GRANULARITY, PLACES };

static int file;
static char *view, *memory;

/* whether so many pages are written; makes all of them not written */
static int are_written( ULONG_PTR pages )
{
    static void *results[PAGES];
    ULONG_PTR count = PAGES;
    ULONG granularity;

    return !GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, PAGES * PAGE, results, &count,
                           &granularity ) && count == pages;
}

/* returns whether the call failed by a fault */
static int poll( enum place place )
{
    static void *results[PAGES];
    ULONG_PTR number = PAGES, *count = place == COUNT ? (ULONG_PTR *)(view + LAST) : &number;
    ULONG size = 0, *granularity = place == GRANULARITY ? (ULONG *)(view + LAST) : &size;
    void *array = place == ARRAY ? view + START : (char *)results;
    NTSTATUS status;
    int i, pages = place == ARRAY ? PAGES : 16;

    for (i = 0; i < pages; i++) *(volatile char *)(memory + i * PAGE) = 1;
    /* not by the view, which may be shorter just now */
    if (place == COUNT) check( pwrite( file, &number, sizeof(number), LAST ) == sizeof(number) );
    status = NtGetWriteWatch( NtCurrentProcess(), WRITE_WATCH_FLAG_RESET, memory, PAGES * PAGE,
                              array, count, granularity );
    /* a count in a file that has become longer again is 0 */
    check( !status || status == STATUS_ACCESS_VIOLATION ||
           (place == COUNT && status == STATUS_INVALID_PARAMETER) );
    check( are_written( status ? pages : 0 ));
    return status == STATUS_ACCESS_VIOLATION;
}

static void shorten(void)
{
    volatile unsigned int spin;
    unsigned int i;

    for (i = 1;; i++)
    {
        check( !ftruncate( file, FILE_SIZE ));
        for (spin = 0; spin < i * 7919 % 300000; spin++) {}
        check( !ftruncate( file, PAGE ));
        for (spin = 0; spin < i * 104729 % 30000; spin++) {}
    }
}

static int run( const char *name )
{
    unsigned int place, failed;
    pid_t pid;

    file = unit_temp_file();
    check( !ftruncate( file, FILE_SIZE ));
    view = mmap( NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0 );
    check( view != MAP_FAILED );
    if (!(pid = fork()))
    {
        alarm( UNIT_HANGS );
        shorten();
    }
    if (writewatch_open( unit_form( name )))
    {
        kill( pid, SIGKILL );
        return unit_skip( name, writewatch_reason() );
    }
    memory = VirtualAlloc( NULL, PAGES * PAGE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    for (place = 0; place < PLACES; place++)
        for (failed = 0; failed < ROUNDS && !unit_failures;) failed += poll( place );
    kill( pid, SIGKILL );
    waitpid( pid, NULL, 0 );

    /* and for sure */
    check( !ftruncate( file, PAGE ));
    for (place = 0; place < PLACES; place++) check( place == COUNT || poll( place ));
    return unit_result();
}

int main( int argc, char *argv[] )
{
    return unit_each_backend( argc, argv, UNIT_ALL, run );
}
