/*
 * A native program for sandboxes: prints the backend that it got and why, and proves it exact
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: exact [OPTION...]: --not-dumpable, --no-descriptors, --address-space MIB (beyond what the
 * program has already) put it in such a place first. The one line printed is "BACKEND: REASON",
 * REASON is empty if the backend is the best one; whatever failed goes to standard error.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "writewatch.h"

#include "../common/random.h"
#include "../unit/unit.h"

#define PAGES  1024
#define ROUNDS 300

static char *memory;
static unsigned char model[PAGES];   /* what is written and was not reported yet */
static void *pages[PAGES];
static uint64_t state = RANDOM_SPREAD;

static unsigned int random_below( unsigned int limit )
{
    return next_random( &state ) % limit;
}

/***********************************************************************
 *           take_descriptors
 *
 * From now on the process gets no more of them.
 */
static void take_descriptors(void)
{
    struct rlimit limit = { 64, 64 };

    check( !setrlimit( RLIMIT_NOFILE, &limit ));
    while (dup( STDERR_FILENO ) != -1) /* nothing */;
    check( errno == EMFILE );
}

/***********************************************************************
 *           limit_address_space
 *
 * So many MiB beyond what is mapped now.
 */
static void limit_address_space( unsigned long mib )
{
    struct rlimit limit;
    unsigned long have = 0;
    FILE *file = fopen( "/proc/self/statm", "re" );

    check( file && fscanf( file, "%lu", &have ) == 1 );
    if (file) fclose( file );
    limit.rlim_cur = limit.rlim_max = (rlim_t)have * sysconf( _SC_PAGESIZE ) + (mib << 20);
    check( !setrlimit( RLIMIT_AS, &limit ));
}

/***********************************************************************
 *           differ
 */
static void differ( unsigned int page, const char *how )
{
    fprintf( stderr, "page %u: %s\n", page, how );
    unit_failures++;
}

/***********************************************************************
 *           poll_range
 *
 * One poll against the model: the pages reported are the first that it has, and no others. After a
 * difference the model says what the call did, so that one wrong page is reported once.
 */
static void poll_range( unsigned int first, unsigned int count, unsigned int max, int reset )
{
    ULONG_PTR found = max;
    unsigned int page, i = 0;
    DWORD granularity = 0;

    if (GetWriteWatch( reset ? WRITE_WATCH_FLAG_RESET : 0, memory + first * 0x1000, count * 0x1000,
                       pages, &found, &granularity ))
    {
        fprintf( stderr, "GetWriteWatch failed, error %u\n", GetLastError() );
        unit_failures++;
        return;
    }
    check( found <= max );
    for (page = first; page < first + count; page++)
    {
        int reported = i < found && pages[i] == memory + page * 0x1000;

        /* behind the last entry of a full array nothing is said */
        if (!reported && found == max && i == found) break;
        if (reported && !model[page]) differ( page, "reported, and nothing wrote to it" );
        if (!reported && model[page]) differ( page, "written, and not reported" );
        if (reported) i++;
        model[page] = reported && !reset;
    }
    if (i < found)
    {
        fprintf( stderr, "entry %u of %lu, %p, is not in order or not in the range\n", i,
                 (unsigned long)found, pages[i] );
        unit_failures++;
    }
}

/***********************************************************************
 *           exercise
 *
 * Writes, reads, resets, protects and decommits at random.
 */
static void exercise(void)
{
    unsigned int round, i, page, first, count;
    DWORD old;

    memory = VirtualAlloc( NULL, PAGES * 0x1000, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                           PAGE_READWRITE );
    check( memory != NULL );
    if (!memory) return;
    for (round = 0; round < ROUNDS && !unit_failures; round++)
    {
        for (i = random_below( 100 ); i; i--)
        {
            page = random_below( PAGES );
            memory[page * 0x1000 + random_below( 0x1000 )] = random_below( 2 );
            model[page] = 1;
            (void)*(volatile char *)(memory + random_below( PAGES ) * 0x1000);
        }
        first = random_below( PAGES );
        count = 1 + random_below( PAGES - first );
        switch (random_below( 8 ))
        {
        case 0:
            check( !ResetWriteWatch( memory + first * 0x1000, count * 0x1000 ));
            memset( model + first, 0, count );
            break;
        case 1:
            check( VirtualProtect( memory + first * 0x1000, count * 0x1000, PAGE_READONLY, &old ));
            poll_range( first, count, PAGES, 0 );
            check( VirtualProtect( memory + first * 0x1000, count * 0x1000, PAGE_READWRITE, &old ));
            break;
        case 2:
            if (count > 16) count = 16;
            check( VirtualFree( memory + first * 0x1000, count * 0x1000, MEM_DECOMMIT ));
            check( VirtualAlloc( memory + first * 0x1000, count * 0x1000, MEM_COMMIT,
                                 PAGE_READWRITE ) != NULL );
            break;
        default:
            poll_range( first, count, 1 + random_below( PAGES ), random_below( 4 ));
            break;
        }
    }
    poll_range( 0, PAGES, PAGES, 1 );
    poll_range( 0, PAGES, PAGES, 1 );
    check( VirtualFree( memory, 0, MEM_RELEASE ));
}

/* more memory than the limit leaves is refused, and nothing else breaks by it */
static void ask_for_too_much( unsigned long mib )
{
    check( !VirtualAlloc( NULL, (SIZE_T)(mib + 1) << 20, MEM_RESERVE | MEM_WRITE_WATCH,
                          PAGE_READWRITE ));
    check( GetLastError() == ERROR_NOT_ENOUGH_MEMORY );
}

int main( int argc, char **argv )
{
    unsigned long mib = 0;
    int i;

    for (i = 1; i < argc; i++)
    {
        if (!strcmp( argv[i], "--not-dumpable" )) check( !prctl( PR_SET_DUMPABLE, 0, 0, 0, 0 ));
        else if (!strcmp( argv[i], "--no-descriptors" )) take_descriptors();
        else if (!strcmp( argv[i], "--address-space" ) && argv[i + 1])
            limit_address_space( mib = strtoul( argv[++i], NULL, 10 ));
        else
        {
            fprintf( stderr, "what is %s?\n", argv[i] );
            return FAIL;
        }
    }
    check( !writewatch_open( NULL ));
    printf( "%s: %s\n", writewatch_backend() ? writewatch_backend() : "none", writewatch_reason() );
    fflush( stdout );
    exercise();
    if (mib)
    {
        ask_for_too_much( mib );
        memset( model, 0, sizeof(model) );
        exercise();
    }
    return unit_result();
}
