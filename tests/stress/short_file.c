/*
 * The results, the count or the granularity in a mapped file that another process shortens
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Wine refuses to shorten a mapped file, as Windows does, but not every process is one of Wine's.
 * The call fails, or it does not; nothing is lost.
 */

#include "stress.h"

#define PAGES     2048
#define FILE_SIZE (PAGES * sizeof(void *))
#define LAST      (FILE_SIZE - 64)   /* where count and granularity lie */
#define ROUNDS    20                 /* that fail, for each of the three */

enum place { ARRAY, COUNT, GRANULARITY, PLACES };

static const char *const names[] = { "array", "count", "granularity" };

static char dir[MAX_PATH], file_name[MAX_PATH + 16], go_name[MAX_PATH + 16];
static HANDLE file;
static char *view;
static BOOL wow64;   /* new WoW64 */


/***********************************************************************
 *           open_file
 */
static void open_file(void)
{
    HANDLE mapping;

    GetTempPathA( sizeof(dir), dir );
    sprintf( file_name, "%s\\short_file", dir );
    sprintf( go_name, "%s\\short_file.go", dir );
    CloseHandle( CreateFileA( go_name, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL ));
    file = CreateFileA( file_name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                        NULL, CREATE_ALWAYS, 0, NULL );
    mapping = CreateFileMappingA( file, NULL, PAGE_READWRITE, 0, FILE_SIZE, NULL );
    view = MapViewOfFile( mapping, FILE_MAP_WRITE, 0, 0, 0 );
    if (view) return;
    check( 0, "no file can be mapped, error %lu", GetLastError() );
    finish();
}


/***********************************************************************
 *           start_shortening
 *
 * A Unix process, until the other file is gone, or this process.
 */
static void start_shortening(void)
{
    static const char script[] =
        "i=0; while [ -e \\\"$1.go\\\" ] && [ $i -lt 200000 ]; do i=$((i + 1));"
        " truncate -c -s 4096 \\\"$1\\\"; truncate -c -s %u \\\"$1\\\"; done";
    char *(CDECL *get_unix_name)( const WCHAR * );
    char command[sizeof(script) + 2 * MAX_PATH + 100];
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    WCHAR name[MAX_PATH + 16];
    int pos;

    get_unix_name = (void *)GetProcAddress( GetModuleHandleA( "kernel32" ),
                                            "wine_get_unix_file_name" );
    MultiByteToWideChar( CP_ACP, 0, file_name, -1, name, MAX_PATH + 16 );
    pos = sprintf( command, "/bin/sh -c \"" );
    pos += sprintf( command + pos, script, (unsigned int)FILE_SIZE );
    sprintf( command + pos, "\" short_file \"%s\"", get_unix_name( name ));
    memset( &startup, 0, sizeof(startup) );
    startup.cb = sizeof(startup);
    if (CreateProcessA( NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info )) return;
    check( 0, "no process can be started, error %lu", GetLastError() );
    finish();
}


/***********************************************************************
 *           set_count
 *
 * By the file, which makes it longer again. It may be shorter before the call.
 */
static void set_count(void)
{
    OVERLAPPED overlapped;
    ULONG_PTR count = PAGES;
    DWORD written;

    memset( &overlapped, 0, sizeof(overlapped) );
    overlapped.Offset = LAST;
    check( WriteFile( file, &count, sizeof(count), &written, &overlapped ), "error %lu",
           GetLastError() );
}


/***********************************************************************
 *           poll
 *
 * Returns whether the call failed.
 */
static BOOL poll( char *base, enum place place )
{
    static void *results[PAGES];
    ULONG_PTR number = PAGES, *count = &number;
    ULONG size, *granularity = &size;
    void **array = results;
    DWORD error;
    UINT ret;
    int i, pages = place == ARRAY ? PAGES : 16;

    stage = names[place];
    for (i = 0; i < pages; i++) (*(volatile char *)(base + i * PAGE_SIZE))++;
    switch (place)
    {
    case ARRAY:       array = (void **)view; break;
    case GRANULARITY: granularity = (ULONG *)(view + LAST); break;
    default:
        count = (ULONG_PTR *)(view + LAST);
        set_count();
        break;
    }
    SetLastError( 0xdeadbeef );
    ret = GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * PAGE_SIZE, array, count,
                         granularity );
    error = GetLastError();
    /* a count in a file that has become longer again is 0 */
    if (ret) check( error == ERROR_NOACCESS || (place == COUNT && error == ERROR_INVALID_PARAMETER),
                    "%s: error %lu", stage, error );
    number = PAGES;
    check( !GetWriteWatch( WRITE_WATCH_FLAG_RESET, base, PAGES * PAGE_SIZE, results, &number,
                           &size ), "the next call failed, error %lu", GetLastError() );
    check( number == (ret ? pages : 0) || (wow64 && ret && !number && place != GRANULARITY),
           "%s: the call %s, then %u of %u pages are written", stage,
           ret ? "failed" : "succeeded", (unsigned int)number, pages );
    return ret && error == ERROR_NOACCESS;
}


/***********************************************************************
 *           main
 */
int main(void)
{
    char *base = allocate_watched( PAGES );
    unsigned int place, rounds = 0, failed;

    start_watchdog();
    if ((wow64 = is_wine_wow64()))
        say_todo( "an array or a count that cannot be written loses what was written" );
    open_file();
    start_shortening();
    for (place = 0; place < PLACES; place++)
        for (failed = 0; failed < ROUNDS && !failures; rounds++) failed += poll( base, place );
    DeleteFileA( go_name );
    say( "short_file: %u queries, %u of them refused, %ld failures\n", rounds, PLACES * ROUNDS,
         failures );
    finish();
}
