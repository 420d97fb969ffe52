/*
 * robustness: 64 GiB reserved with a write watch, or 1 GiB of 32 bits, cost next to nothing
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stress.h"

/* Collectors reserve hundreds of GiB and commit little of it.  What the reservation costs is seen
 * in the page tables of the Unix process, VmPTE in /proc/PID/status.  That PID is not known to a
 * Windows program, but it is found by a word that stands on its command line and on no other. */

#define GIBS      (sizeof(void *) == 8 ? 64 : 1)
#define SIZE      ((size_t)GIBS << 30)
#define LIMIT_KB  1024
/* in 32 bits of addresses page tables are shared with what lies near, which comes and goes */
#define NEAR_KB   (sizeof(void *) == 8 ? 0 : 8)
#define COMMITS   40

static char text[0x10000];

/***********************************************************************
 *           read_file
 *
 * Reads the start of a Unix file into text, with a zero after it.  Returns the size, 0 if it
 * cannot be read.
 */
static DWORD read_file( const char *path )
{
    HANDLE file = CreateFileA( path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                               OPEN_EXISTING, 0, NULL );
    DWORD size = 0;

    text[0] = 0;
    if (file == INVALID_HANDLE_VALUE) return 0;
    if (!ReadFile( file, text, sizeof(text) - 1, &size, NULL )) size = 0;
    text[size] = 0;
    CloseHandle( file );
    return size;
}


/***********************************************************************
 *           page_table_size
 *
 * VmPTE of a Unix process in kB, -1 if it is not to be had.
 */
static int page_table_size( const char *pid )
{
    char path[MAX_PATH], *line;

    snprintf( path, sizeof(path), "\\\\?\\unix\\proc\\%s\\status", pid );
    if (!read_file( path ) || !(line = strstr( text, "VmPTE:" ))) return -1;
    return strtol( line + 6, NULL, 10 );
}


/***********************************************************************
 *           find_own_pid
 *
 * Finds the Unix process whose command line holds the word.
 */
static BOOL find_own_pid( const char *word, char *pid, size_t size )
{
    WIN32_FIND_DATAA data;
    HANDLE find = FindFirstFileA( "\\\\?\\unix\\proc\\*", &data );
    BOOL found = FALSE;
    DWORD i, len;

    if (find == INVALID_HANDLE_VALUE) return FALSE;
    do
    {
        char path[MAX_PATH];

        if (data.cFileName[0] < '1' || data.cFileName[0] > '9') continue;
        snprintf( path, sizeof(path), "\\\\?\\unix\\proc\\%s\\cmdline", data.cFileName );
        len = read_file( path );
        for (i = 0; i < len; i++) if (!text[i]) text[i] = ' ';
        if (!len || !strstr( text, word )) continue;
        snprintf( pid, size, "%s", data.cFileName );
        found = TRUE;
    } while (!found && FindNextFileA( find, &data ));
    FindClose( find );
    return found;
}


/***********************************************************************
 *           start_again
 *
 * Runs this program once more with a word of its own on the command line; returns its exit code.
 */
static DWORD start_again( const char *program )
{
    char command[2 * MAX_PATH];
    STARTUPINFOA startup;
    PROCESS_INFORMATION info;
    DWORD code = 1;

    memset( &startup, 0, sizeof(startup) );
    startup.cb = sizeof(startup);
    snprintf( command, sizeof(command), "\"%s\" word-%lx-%lx", program, GetCurrentProcessId(),
              (unsigned long)(microseconds() & 0xffffffff) );
    if (!CreateProcessA( program, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info ))
    {
        check( 0, "CreateProcess failed, error %lu", GetLastError() );
        return 1;
    }
    WaitForSingleObject( info.hProcess, INFINITE );
    GetExitCodeProcess( info.hProcess, &code );
    return code;
}


/***********************************************************************
 *           poll_exactly
 *
 * Polls all of it; the answer must be the pages given, in order.
 */
static void poll_exactly( char *base, char *const *expected, unsigned int number )
{
    void *results[2 * COMMITS];
    ULONG_PTR count = ARRAYSIZE( results ), i;
    ULONG granularity;

    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, SIZE, results, &count, &granularity ))
    {
        check( 0, "GetWriteWatch failed, error %lu", GetLastError() );
        return;
    }
    check( count == number, "%u pages reported instead of %u", (unsigned int)count, number );
    for (i = 0; i < count && i < number; i++)
        check( results[i] == expected[i], "%p reported instead of %p", results[i], expected[i] );
}


/***********************************************************************
 *           main
 */
int main( int argc, char **argv )
{
    int before = -1, reserved, after;
    char pid[16], program[MAX_PATH], *base, *expected[COMMITS];
    LONG64 start, poll_time;
    unsigned int i;

    start_watchdog();
    if (argc < 2)
    {
        GetModuleFileNameA( NULL, program, sizeof(program) );
        stage = "running the second process";
        failures = start_again( program );
        finish();
    }

    stage = "looking for the Unix process";
    if (!find_own_pid( argv[1], pid, sizeof(pid) ) || (before = page_table_size( pid )) < 0)
    {
        say( "reserve: the page tables of this process cannot be read below /proc\n" );
        TerminateProcess( GetCurrentProcess(), 77 );
    }

    stage = "reserving";
    base = VirtualAlloc( NULL, SIZE, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE );
    if (!base)
    {
        check( 0, "%d GiB cannot be reserved, error %lu", GIBS, GetLastError() );
        finish();
    }
    reserved = page_table_size( pid );

    stage = "polling the reservation";
    poll_exactly( base, NULL, 0 );

    stage = "committing and writing";
    for (i = 0; i < COMMITS; i++)
    {
        char *page = base + SIZE / COMMITS * i / 0x10000 * 0x10000 + (i % 16) * PAGE_SIZE;

        check( VirtualAlloc( page, PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE ) == page,
               "commit failed" );
        *page = i + 1;
        expected[i] = page;
    }
    stage = "polling the whole reservation";
    start = microseconds();
    poll_exactly( base, expected, COMMITS );
    poll_time = microseconds() - start;
    poll_exactly( base, NULL, 0 );
    after = page_table_size( pid );

    check( reserved >= before - NEAR_KB && reserved - before < LIMIT_KB, "page tables grew from %d to %d kB",
           before, reserved );
    check( after >= 0 && after - before < LIMIT_KB,
           "page tables grew from %d to %d kB by the polls", before, after );
    /* each of these pages needs a page table of its own: if none is seen, the wrong process is */
    check( after - reserved >= COMMITS * 4 - NEAR_KB, "page tables grew only from %d to %d kB by %d pages",
           reserved, after, COMMITS );
    stage = "freeing";
    check( VirtualFree( base, 0, MEM_RELEASE ), "VirtualFree failed, error %lu", GetLastError() );
    say( "reserve: %d GiB reserved, page tables %d kB before, %d kB after, %d kB with %d pages "
         "written and polled in %d us, %ld failures\n", GIBS, before, reserved, after, COMMITS,
         (int)poll_time, failures );
    finish();
}
