/*
 * Write watch tests: writes that the kernel or a system call does for the program
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


/***********************************************************************
 *           find_end
 *
 * An address to which memory can be read and from which on it cannot, with 2 readable pages before
 * it. Free memory is not enough: Wine keeps some of it mapped, and its ReadProcessMemory reads that
 * as zero.
 */
static char *find_end(void)
{
    MEMORY_BASIC_INFORMATION info;
    char *addr = NULL, byte;
    SIZE_T last = 0;

    while (VirtualQuery( addr, &info, sizeof(info) ))
    {
        addr = info.BaseAddress;
        if (info.State == MEM_FREE && last >= 2 * PAGE &&
            !ReadProcessMemory( GetCurrentProcess(), addr, &byte, 1, NULL ) &&
            ReadProcessMemory( GetCurrentProcess(), addr - 2 * PAGE, &byte, 1, NULL ))
            return addr;
        last = info.State == MEM_COMMIT ? info.RegionSize : 0;
        if (addr + info.RegionSize < addr) break;
        addr += info.RegionSize;
    }
    return NULL;
}


/***********************************************************************
 *           test_read_memory
 *
 * Row 30 and ReadProcessMemory that works, into watched memory.
 */
static void test_read_memory(void)
{
    char *region = alloc_watched( REGION_SIZE ), *source, *end;
    const char *got;
    SIZE_T size;
    BOOL ret;

    source = VirtualAlloc( NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE );
    ok( source != NULL, "VirtualAlloc failed, error %u\n", (int)GetLastError() );
    memset( source, 0x5a, 4 * PAGE );

    ret = ReadProcessMemory( GetCurrentProcess(), source, region + 2 * PAGE, 2 * PAGE, &size );
    ok( ret && size == 2 * PAGE, "ReadProcessMemory failed, error %u\n", (int)GetLastError() );
    ok( region[2 * PAGE] == 0x5a && region[4 * PAGE - 1] == 0x5a, "wrong data\n" );
    check_written( RESET, region, REGION_SIZE, "2-3" );
    ret = ReadProcessMemory( GetCurrentProcess(), source, region + 3 * PAGE - 2, 4, &size );
    ok( ret && size == 4, "ReadProcessMemory failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "2-3" );

    /* watched memory as the source is only read */
    ret = ReadProcessMemory( GetCurrentProcess(), region, source, 4 * PAGE, &size );
    ok( ret && size == 4 * PAGE, "ReadProcessMemory failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "" );

    /* the source ends half-way: how much is copied differs, but Wine marks the whole destination */
    if ((end = find_end()))
    {
        ret = ReadProcessMemory( GetCurrentProcess(), end - 2 * PAGE, region, 4 * PAGE, &size );
        ok( !ret, "ReadProcessMemory succeeded\n" );
        ok( GetLastError() == ERROR_PARTIAL_COPY || GetLastError() == ERROR_NOACCESS,
            "wrong error %u\n",
            (int)GetLastError() );
        got = written( RESET, region, REGION_SIZE, REGION_PAGES );
        ok( !strcmp( got, "0-3" ) || broken( real_windows ), "got pages \"%s\"\n", got );
    }
    else skip( "no memory that ends\n" );

    VirtualFree( source, 0, MEM_RELEASE );
    free_watched( region );
}


/***********************************************************************
 *           test_calls
 *
 * Calls of the system that return something into watched memory. Each starts with a clean page and
 * must both work and be reported.
 */
static void test_calls(void)
{
    char *region = alloc_watched( REGION_SIZE ), buffer[64];
    MEMORY_BASIC_INFORMATION *info;
    LARGE_INTEGER *counter;
    SIZE_T length;
    ATOM atom;
    HANDLE event;
    DWORD old;
    UINT ret;

    touch( region, "0-15" );
    reset( region, REGION_SIZE );

    /* as programs that look for debuggers do it */
    atom = GlobalAddAtomA( "write watch test" );
    ok( atom, "GlobalAddAtom failed, error %u\n", (int)GetLastError() );
    ret = GlobalGetAtomNameA( atom, region + PAGE, 64 );
    ok( ret == 16 && !strcmp( region + PAGE, "write watch test" ), "wrong name\n" );
    check_written( RESET, region, REGION_SIZE, "1" );
    ret = GlobalGetAtomNameA( atom, region + 2 * PAGE - 4, 64 );
    ok( ret == 16 && !strcmp( region + 2 * PAGE - 4, "write watch test" ), "wrong name\n" );
    check_written( RESET, region, REGION_SIZE, "1-2" );
    ret = GlobalGetAtomNameA( atom, NULL, 0 );
    ok( !ret, "GlobalGetAtomName returned %u\n", ret );
    check_written( RESET, region, REGION_SIZE, "" );
    GlobalDeleteAtom( atom );

    counter = (LARGE_INTEGER *)(region + 3 * PAGE);
    counter->QuadPart = 0;
    reset( region, REGION_SIZE );
    ok( QueryPerformanceCounter( counter ) && counter->QuadPart,
        "QueryPerformanceCounter failed\n" );
    check_written( RESET, region, REGION_SIZE, "3" );
    GetSystemTimeAsFileTime( (FILETIME *)(region + 4 * PAGE) );
    check_written( RESET, region, REGION_SIZE, "4" );

    info = (MEMORY_BASIC_INFORMATION *)(region + 5 * PAGE);
    ok( VirtualQuery( region, info, sizeof(*info) ) == sizeof(*info), "VirtualQuery failed\n" );
    ok( info->AllocationBase == region, "wrong base\n" );
    check_written( RESET, region, REGION_SIZE, "5" );
    length = 0;
    ok( !pNtQueryVirtualMemory( GetCurrentProcess(), region, 0, region + 7 * PAGE - 8,
                                sizeof(*info),
                                (SIZE_T *)(region + 8 * PAGE) ), "NtQueryVirtualMemory failed\n" );
    memcpy( &length, region + 8 * PAGE, sizeof(length) );
    ok( length == sizeof(*info), "wrong length\n" );
    check_written( RESET, region, REGION_SIZE, "6-8" );

    old = 0xdeadbeef;
    memcpy( region + 9 * PAGE, &old, sizeof(old) );
    reset( region, REGION_SIZE );
    ok( VirtualProtect( region + 10 * PAGE, PAGE, PAGE_READONLY, (DWORD *)(region + 9 * PAGE) ),
        "VirtualProtect failed, error %u\n", (int)GetLastError() );
    ok( *(DWORD *)(region + 9 * PAGE) == PAGE_READWRITE, "wrong protection\n" );
    check_written( RESET, region, REGION_SIZE, "9" );
    protect( region + 10 * PAGE, PAGE, PAGE_READWRITE );

    event = CreateEventA( NULL, FALSE, FALSE, NULL );
    ok( DuplicateHandle( GetCurrentProcess(), event, GetCurrentProcess(),
                         (HANDLE *)(region + 11 * PAGE), 0,
                         FALSE, DUPLICATE_SAME_ACCESS ), "DuplicateHandle failed\n" );
    check_written( RESET, region, REGION_SIZE, "11" );
    ok( CloseHandle( *(HANDLE *)(region + 11 * PAGE) ), "CloseHandle failed\n" );
    CloseHandle( event );
    check_written( RESET, region, REGION_SIZE, "" );

    ret = GetModuleFileNameA( NULL, region + 12 * PAGE, 64 );
    ok( ret, "GetModuleFileName failed, error %u\n", (int)GetLastError() );
    check_written( RESET, region, REGION_SIZE, "12" );
    ret = GetEnvironmentVariableA( "write_watch_no_such_variable", region + 13 * PAGE, 64 );
    ok( !ret, "GetEnvironmentVariable returned %u\n", ret );
    SetEnvironmentVariableA( "write_watch_test", "value" );
    ret = GetEnvironmentVariableA( "write_watch_test", region + 13 * PAGE, 64 );
    ok( ret == 5 && !strcmp( region + 13 * PAGE, "value" ), "wrong value\n" );
    check_written( RESET, region, REGION_SIZE, "13" );

    /* a buffer that is asked for and not used */
    ret = GetEnvironmentVariableA( "write_watch_test", buffer, sizeof(buffer) );
    ok( ret == 5, "wrong length %u\n", ret );
    ok( !IsDebuggerPresent(), "a debugger is there\n" );
    check_written( RESET, region, REGION_SIZE, "" );
    free_watched( region );
}


START_TEST(io)
{
    init_watch();
    test_overlapped_read();
    test_blocking_read();
    test_file_read();
    test_overlapped_structure();
    test_read_memory();
    test_calls();
}
