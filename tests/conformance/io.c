/*
 * Write watch tests: reading from pipes and files into watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)

static const char testdata[] = "Hello World";

struct read_args
{
    HANDLE handle;
    void  *buffer;
    DWORD  size;
    DWORD  read;
    BOOL   ret;
};


/***********************************************************************
 *           read_thread
 */
static DWORD CALLBACK read_thread( void *arg )
{
    struct read_args *args = arg;

    if (!ConnectNamedPipe( args->handle, NULL ) && GetLastError() != ERROR_PIPE_CONNECTED) return 1;
    args->ret = ReadFile( args->handle, args->buffer, args->size, &args->read, NULL );
    return 0;
}


/***********************************************************************
 *           make_pipe
 *
 * A connected pair of pipe ends, the reading one overlapped.
 */
static void make_pipe( HANDLE *read, HANDLE *write, DWORD type, OVERLAPPED *overlapped )
{
    char name[64];

    sprintf( name, "\\\\.\\pipe\\write_watch_test_%x", (int)GetCurrentProcessId() );
    *read = CreateNamedPipeA( name, FILE_FLAG_OVERLAPPED | PIPE_ACCESS_INBOUND, type | PIPE_WAIT,
                              1, 1024,
                              1024, NMPWAIT_USE_DEFAULT_WAIT, NULL );
    ok( *read != INVALID_HANDLE_VALUE, "CreateNamedPipe failed, error %u\n", (int)GetLastError() );
    ok( !ConnectNamedPipe( *read, overlapped ), "ConnectNamedPipe succeeded\n" );
    ok( GetLastError() == ERROR_IO_PENDING, "wrong error %u\n", (int)GetLastError() );
    *write = CreateFileA( name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL );
    ok( *write != INVALID_HANDLE_VALUE, "CreateFile failed, error %u\n", (int)GetLastError() );
    ok( !WaitForSingleObject( overlapped->hEvent, HANG_TIME ), "the pipe was not connected\n" );
}


/***********************************************************************
 *           write_testdata
 */
static void write_testdata( HANDLE handle )
{
    DWORD size = 0;
    BOOL ret = WriteFile( handle, testdata, sizeof(testdata), &size, NULL );

    ok( ret && size == sizeof(testdata), "WriteFile wrote %u bytes, error %u\n", (int)size,
        (int)GetLastError() );
}


/***********************************************************************
 *           test_overlapped_read
 *
 * Row 16: the whole buffer is written when the read is submitted, and what was read at its
 * completion.
 */
static void test_overlapped_read(void)
{
    char *region = alloc_watched( REGION_SIZE );
    HANDLE read, write;
    OVERLAPPED overlapped;
    unsigned int i;
    DWORD size;

    memset( &overlapped, 0, sizeof(overlapped) );
    overlapped.hEvent = CreateEventA( NULL, TRUE, FALSE, NULL );
    for (i = 0; i < 2; i++)
    {
        winetest_push_context( i ? "message" : "byte" );
        make_pipe( &read, &write, i ? PIPE_TYPE_MESSAGE : PIPE_TYPE_BYTE, &overlapped );
        memset( region, 0, REGION_SIZE );
        check_written( RESET, region, REGION_SIZE, "0-15" );

        ok( !ReadFile( read, region, REGION_SIZE, NULL, &overlapped ), "ReadFile succeeded\n" );
        ok( GetLastError() == ERROR_IO_PENDING, "wrong error %u\n", (int)GetLastError() );
        check_written( RESET, region, REGION_SIZE, "0-15" );
        check_written( RESET, region, REGION_SIZE, "" );

        write_testdata( write );
        size = 0;
        ok( GetOverlappedResult( read, &overlapped, &size, TRUE ),
            "GetOverlappedResult failed, error %u\n",
            (int)GetLastError() );
        ok( size == sizeof(testdata), "wrong size %u\n", (int)size );
        ok( !memcmp( region, testdata, sizeof(testdata) ), "wrong data\n" );
        check_written( RESET, region, REGION_SIZE, "0" );
        check_written( RESET, region, REGION_SIZE, "" );

        /* a buffer in the middle, which need not be page aligned, and data that is there already */
        write_testdata( write );
        size = 0;
        if (!ReadFile( read, region + 3 * PAGE - 5, 2 * PAGE, NULL, &overlapped ))
            ok( GetLastError() == ERROR_IO_PENDING, "wrong error %u\n", (int)GetLastError() );
        ok( GetOverlappedResult( read, &overlapped, &size, TRUE ),
            "GetOverlappedResult failed, error %u\n",
            (int)GetLastError() );
        ok( size == sizeof(testdata), "wrong size %u\n", (int)size );
        ok( !memcmp( region + 3 * PAGE - 5, testdata, sizeof(testdata) ), "wrong data\n" );
        check_written( RESET, region, REGION_SIZE, "2-4" );

        /* completion into pages that are clean and straddled */
        ok( !ReadFile( read, region + 9 * PAGE - 5, 64, NULL, &overlapped ),
            "ReadFile succeeded\n" );
        check_written( RESET, region, REGION_SIZE, "8-9" );
        write_testdata( write );
        ok( GetOverlappedResult( read, &overlapped, &size, TRUE ),
            "GetOverlappedResult failed, error %u\n",
            (int)GetLastError() );
        ok( !memcmp( region + 9 * PAGE - 5, testdata, sizeof(testdata) ), "wrong data\n" );
        check_written( RESET, region, REGION_SIZE, "8-9" );

        CloseHandle( read );
        CloseHandle( write );
        winetest_pop_context();
    }
    CloseHandle( overlapped.hEvent );
    free_watched( region );
}


/***********************************************************************
 *           test_blocking_read
 *
 * Row 16 with a thread that waits in ReadFile.
 */
static void test_blocking_read(void)
{
    char name[64], *region = alloc_watched( REGION_SIZE );
    struct read_args args;
    HANDLE thread, write;
    const char *got = "";
    unsigned int i, j;

    sprintf( name, "\\\\.\\pipe\\write_watch_test_%x", (int)GetCurrentProcessId() );
    for (i = 0; i < 2; i++)
    {
        winetest_push_context( i ? "message" : "byte" );
        memset( &args, 0, sizeof(args) );
        args.handle = CreateNamedPipeA( name, PIPE_ACCESS_INBOUND,
                                        (i ? PIPE_TYPE_MESSAGE : PIPE_TYPE_BYTE) |
                                        PIPE_WAIT, 1, 1024, 1024, NMPWAIT_USE_DEFAULT_WAIT, NULL );
        ok( args.handle != INVALID_HANDLE_VALUE, "CreateNamedPipe failed, error %u\n",
            (int)GetLastError() );
        args.buffer = region;
        args.size = REGION_SIZE;
        memset( region, 0, REGION_SIZE );
        check_written( RESET, region, REGION_SIZE, "0-15" );

        thread = CreateThread( NULL, 0, read_thread, &args, 0, NULL );
        for (j = 0; j < HANG_TIME / 20; j++)
        {
            write = CreateFileA( name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL );
            if (write != INVALID_HANDLE_VALUE) break;
            Sleep( 20 );
        }
        ok( write != INVALID_HANDLE_VALUE, "CreateFile failed, error %u\n", (int)GetLastError() );
        for (j = 0; j < HANG_TIME / 20; j++)  /* until the thread waits in ReadFile */
        {
            got = written( 0, region, REGION_SIZE, REGION_PAGES );
            if (!strcmp( got, "0-15" )) break;
            Sleep( 20 );
        }
        ok( !strcmp( got, "0-15" ), "got pages \"%s\"\n", got );
        Sleep( 50 );
        check_written( RESET, region, REGION_SIZE, "0-15" );
        write_testdata( write );
        ok( !WaitForSingleObject( thread, HANG_TIME ), "the thread did not end\n" );
        ok( args.ret && args.read == sizeof(testdata), "read %u bytes\n", (int)args.read );
        ok( !memcmp( region, testdata, sizeof(testdata) ), "wrong data\n" );
        check_written( RESET, region, REGION_SIZE, "0" );

        CloseHandle( thread );
        CloseHandle( args.handle );
        CloseHandle( write );
        winetest_pop_context();
    }
    free_watched( region );
}


/***********************************************************************
 *           test_file_read
 *
 * Rows 17 and 18: short reads, reads at the end of a file, reads that fail.
 */
static void test_file_read(void)
{
    char path[MAX_PATH], name[MAX_PATH], *region = alloc_watched( REGION_SIZE );
    HANDLE file;
    DWORD size;
    unsigned int i;
    BOOL ret;

    GetTempPathA( MAX_PATH, path );
    GetTempFileNameA( path, "wwt", 0, name );
    file = CreateFileA( name, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL );
    ok( file != INVALID_HANDLE_VALUE, "CreateFile failed, error %u\n", (int)GetLastError() );
    for (i = 0; i < 2 * PAGE + 3; i += size)
    {
        char data[16];
        memset( data, 'a' + i % 19, sizeof(data) );
        ret = WriteFile( file, data, min( sizeof(data), 2 * PAGE + 3 - i ), &size, NULL );
        ok( ret && size, "WriteFile failed, error %u\n", (int)GetLastError() );
        if (!size) break;
    }
    SetFilePointer( file, 0, NULL, FILE_BEGIN );

    /* into memory that was never touched: row 17 */
    ret = ReadFile( file, region, REGION_SIZE, &size, NULL );
    ok( ret, "ReadFile failed, error %u\n", (int)GetLastError() );
    ok( size == 2 * PAGE + 3, "wrong size %u\n", (int)size );
    ok( region[0] == 'a' && region[2 * PAGE + 2] == 'a' + 2 * PAGE % 19, "wrong data\n" );
    check_written( RESET, region, REGION_SIZE, "0-15" );

    ret = ReadFile( file, region, REGION_SIZE, &size, NULL );
    ok( ret, "ReadFile failed, error %u\n", (int)GetLastError() );
    ok( !size, "wrong size %u\n", (int)size );
    check_written( RESET, region, REGION_SIZE, "0-15" );

    /* into clean pages, the data arrives */
    memset( region, 0xcc, REGION_SIZE );
    reset( region, REGION_SIZE );
    SetFilePointer( file, 0, NULL, FILE_BEGIN );
    ret = ReadFile( file, region + PAGE - 1, 2, &size, NULL );
    ok( ret && size == 2, "ReadFile failed, error %u\n", (int)GetLastError() );
    ok( region[PAGE - 1] == 'a' && region[PAGE] == 'a', "wrong data\n" );
    ok( (BYTE)region[PAGE + 1] == 0xcc, "wrote too much\n" );
    check_written( RESET, region, REGION_SIZE, "0-1" );
    ret = ReadFile( file, region + 5 * PAGE, PAGE, &size, NULL );
    ok( ret && size == PAGE, "ReadFile failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "5" );
    ret = ReadFile( file, region + 7 * PAGE + 100, PAGE, &size, NULL );
    ok( ret && size == PAGE, "ReadFile failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "7-8" );

    /* the number of bytes is a write as well */
    SetFilePointer( file, 0, NULL, FILE_BEGIN );
    ret = ReadFile( file, region, 1, (DWORD *)(region + 12 * PAGE), NULL );
    ok( ret, "ReadFile failed, error %u\n", (int)GetLastError() );
    ok( *(DWORD *)(region + 12 * PAGE) == 1, "wrong size\n" );
    check_written( RESET, region, REGION_SIZE, "0,12" );

    /* writing a file from watched memory reads it only */
    ret = WriteFile( file, region, 4 * PAGE, &size, NULL );
    ok( ret, "WriteFile failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "" );

    /* a buffer that is not writable */
    protect( region + 4 * PAGE, PAGE, PAGE_READONLY );
    SetFilePointer( file, 0, NULL, FILE_BEGIN );
    SetLastError( 0xdeadbeef );
    ret = ReadFile( file, region + 4 * PAGE, PAGE, &size, NULL );
    ok( !ret, "ReadFile succeeded\n" );
    ok( GetLastError() == ERROR_NOACCESS, "wrong error %u\n", (int)GetLastError() );
    todo_wine check_written( 0, region, REGION_SIZE, "" );
    protect( region + 4 * PAGE, PAGE, PAGE_READWRITE );
    todo_wine check_written( 0, region, REGION_SIZE, "" );
    reset( region, REGION_SIZE );

    CloseHandle( file );
    DeleteFileA( name );

    /* row 18 */
    ret = ReadFile( (HANDLE)(ULONG_PTR)0xdead, region, REGION_SIZE, &size, NULL );
    ok( !ret, "ReadFile succeeded\n" );
    ok( GetLastError() == ERROR_INVALID_HANDLE, "wrong error %u\n", (int)GetLastError() );
    check_written( 0, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           test_overlapped_structure
 *
 * Row 19: the OVERLAPPED structure lies in watched memory.
 */
static void test_overlapped_structure(void)
{
    char *region = alloc_watched( REGION_SIZE );
    OVERLAPPED overlapped, *inside;
    HANDLE read, write;
    DWORD size = 0;

    memset( &overlapped, 0, sizeof(overlapped) );
    overlapped.hEvent = CreateEventA( NULL, TRUE, FALSE, NULL );
    make_pipe( &read, &write, PIPE_TYPE_MESSAGE, &overlapped );
    memset( region, 0, REGION_SIZE );
    inside = (OVERLAPPED *)(region + REGION_SIZE - sizeof(*inside));
    inside->hEvent = CreateEventA( NULL, TRUE, FALSE, NULL );
    check_written( RESET, region, REGION_SIZE, "0-15" );

    ok( !ReadFile( read, region, sizeof(testdata), NULL, inside ), "ReadFile succeeded\n" );
    ok( GetLastError() == ERROR_IO_PENDING, "wrong error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "0,15" );

    write_testdata( write );
    ok( GetOverlappedResult( read, inside, &size, TRUE ), "GetOverlappedResult failed, error %u\n",
        (int)GetLastError() );
    ok( size == sizeof(testdata), "wrong size %u\n", (int)size );
    ok( !memcmp( region, testdata, sizeof(testdata) ), "wrong data\n" );
    check_written( RESET, region, REGION_SIZE, "0,15" );

    CloseHandle( read );
    CloseHandle( write );
    CloseHandle( overlapped.hEvent );
    CloseHandle( inside->hEvent );
    free_watched( region );
}


START_TEST(io)
{
    init_watch();
    test_overlapped_read();
    test_blocking_read();
    test_file_read();
    test_overlapped_structure();
}
