/*
 * Write watch tests: receiving from a socket into watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define WIN32_NO_STATUS
#include <winsock2.h>
#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)


/***********************************************************************
 *           make_socket_pair
 */
static BOOL make_socket_pair( SOCKET *src, SOCKET *dst )
{
    struct sockaddr_in addr;
    int len = sizeof(addr);
    SOCKET server;

    memset( &addr, 0, sizeof(addr) );
    addr.sin_family = AF_INET;
    addr.sin_addr.s_addr = htonl( INADDR_LOOPBACK );
    *src = *dst = INVALID_SOCKET;
    server = WSASocketA( AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED );
    if (server == INVALID_SOCKET) return FALSE;
    if (!bind( server, (struct sockaddr *)&addr, sizeof(addr) ) &&
        !getsockname( server, (struct sockaddr *)&addr, &len ) && !listen( server, 1 ))
    {
        *src = WSASocketA( AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED );
        if (!connect( *src, (struct sockaddr *)&addr, sizeof(addr) ))
            *dst = accept( server, NULL, NULL );
    }
    closesocket( server );
    return *dst != INVALID_SOCKET;
}


/***********************************************************************
 *           check_submission
 *
 * Row 20: Windows up to 10 marks the pages of the buffer when the call is made, Windows 11 does
 * not; Wine marks them.
 */
#define check_submission( region, expect ) check_submission_( __LINE__, region, expect )
static void check_submission_( int line, char *region, const char *expect )
{
    const char *got = written( RESET, region, REGION_SIZE, REGION_PAGES );

    ok_( __FILE__, line )( !strcmp( got, expect ) || broken( real_windows && !*got ),
                           "got pages \"%s\", expected \"%s\"\n", got, expect );
}


/***********************************************************************
 *           check_completion
 *
 * Row 21: nothing more when the data arrives. That a page with data which the kernel wrote is
 * reported is no fault: a kernel write cannot be distinguished from one of the program.
 */
#define check_completion( region, data ) check_completion_( __LINE__, region, data )
static void check_completion_( int line, char *region, const char *data )
{
    const char *got = written( RESET, region, REGION_SIZE, REGION_PAGES );

    ok_( __FILE__, line )( !*got || broken( !strcmp( got, data ) ), "got pages \"%s\"\n", got );
}


/***********************************************************************
 *           test_overlapped_recv
 */
static void test_overlapped_recv(void)
{
    char *region = alloc_watched( REGION_SIZE );
    WSAOVERLAPPED overlapped;
    DWORD size, flags;
    SOCKET src, dst;
    WSABUF bufs[2];
    int ret;

    if (!make_socket_pair( &src, &dst ))
    {
        skip( "cannot connect a pair of sockets, error %d\n", WSAGetLastError() );
        free_watched( region );
        return;
    }
    memset( &overlapped, 0, sizeof(overlapped) );
    overlapped.hEvent = CreateEventA( NULL, TRUE, FALSE, NULL );

    /* one buffer of 9 pages and a byte */
    memset( region, 0, REGION_SIZE );
    check_written( RESET, region, REGION_SIZE, "0-15" );
    bufs[0].buf = region + PAGE;
    bufs[0].len = 9 * PAGE + 1;
    flags = 0;
    ret = WSARecv( dst, bufs, 1, NULL, &flags, &overlapped, NULL );
    ok( ret == -1 && WSAGetLastError() == ERROR_IO_PENDING, "WSARecv returned %d, error %d\n", ret,
        WSAGetLastError() );
    check_submission( region, "1-10" );
    check_written( RESET, region, REGION_SIZE, "" );

    ret = send( src, "sender", 6, 0 );
    ok( ret == 6, "send returned %d, error %d\n", ret, WSAGetLastError() );
    ok( !WaitForSingleObject( overlapped.hEvent, HANG_TIME ), "the receive did not complete\n" );
    ret = WSAGetOverlappedResult( dst, &overlapped, &size, FALSE, &flags );
    ok( ret && size == 6, "got %u bytes, error %d\n", (int)size, WSAGetLastError() );
    ok( !memcmp( region + PAGE, "sender", 6 ), "wrong data\n" );
    check_completion( region, "1" );
    check_written( RESET, region, REGION_SIZE, "" );

    /* two buffers, and data that fills the first one and a part of the second */
    bufs[0].buf = region + 3 * PAGE - 2;
    bufs[0].len = 4;
    bufs[1].buf = region + 8 * PAGE;
    bufs[1].len = 2 * PAGE;
    flags = 0;
    ret = WSARecv( dst, bufs, 2, NULL, &flags, &overlapped, NULL );
    ok( ret == -1 && WSAGetLastError() == ERROR_IO_PENDING, "WSARecv returned %d, error %d\n", ret,
        WSAGetLastError() );
    check_submission( region, "2-3,8-9" );
    ret = send( src, "sender", 6, 0 );
    ok( ret == 6, "send returned %d, error %d\n", ret, WSAGetLastError() );
    ok( !WaitForSingleObject( overlapped.hEvent, HANG_TIME ), "the receive did not complete\n" );
    ret = WSAGetOverlappedResult( dst, &overlapped, &size, FALSE, &flags );
    ok( ret && size == 6, "got %u bytes, error %d\n", (int)size, WSAGetLastError() );
    ok( !memcmp( region + 3 * PAGE - 2, "send", 4 ) && !memcmp( region + 8 * PAGE, "er", 2 ),
        "wrong data\n" );
    todo_wine check_completion( region, "2-3,8" );

    /* what the program writes between submission and completion is never lost */
    bufs[0].buf = region + PAGE;
    bufs[0].len = 4 * PAGE;
    flags = 0;
    ret = WSARecv( dst, bufs, 1, NULL, &flags, &overlapped, NULL );
    ok( ret == -1 && WSAGetLastError() == ERROR_IO_PENDING, "WSARecv returned %d, error %d\n", ret,
        WSAGetLastError() );
    check_submission( region, "1-4" );
    region[PAGE + 100] = 1;
    region[3 * PAGE] = 1;
    region[10 * PAGE] = 1;
    ret = send( src, "sender", 6, 0 );
    ok( ret == 6, "send returned %d, error %d\n", ret, WSAGetLastError() );
    ok( !WaitForSingleObject( overlapped.hEvent, HANG_TIME ), "the receive did not complete\n" );
    ok( !memcmp( region + PAGE, "sender", 6 ) && region[PAGE + 100] == 1, "wrong data\n" );
    check_written( RESET, region, REGION_SIZE, "1,3,10" );

    CloseHandle( overlapped.hEvent );
    closesocket( src );
    closesocket( dst );
    free_watched( region );
}


/***********************************************************************
 *           test_recv
 *
 * recv of data that is there already, and send from watched memory.
 */
static void test_recv(void)
{
    char *region = alloc_watched( REGION_SIZE );
    const char *got;
    unsigned int i;
    SOCKET src, dst;
    int ret;

    if (!make_socket_pair( &src, &dst ))
    {
        skip( "cannot connect a pair of sockets, error %d\n", WSAGetLastError() );
        free_watched( region );
        return;
    }
    for (i = 0; i < 3; i++)
    {
        memset( region, 0, REGION_SIZE );
        check_written( RESET, region, REGION_SIZE, "0-15" );
        ret = send( src, "sender", 6, 0 );
        ok( ret == 6, "send returned %d, error %d\n", ret, WSAGetLastError() );
        ret = recv( dst, region + 4 * PAGE - 3, 2 * PAGE, 0 );
        ok( ret == 6, "recv returned %d, error %d\n", ret, WSAGetLastError() );
        ok( !memcmp( region + 4 * PAGE - 3, "sender", 6 ), "wrong data\n" );
        got = written( RESET, region, REGION_SIZE, REGION_PAGES );
        ok( !strcmp( got, "3-5" ) || broken( real_windows ), "got pages \"%s\"\n", got );

        /* sending writes nothing */
        ret = send( src, region + 2 * PAGE - 3, 6, 0 );
        ok( ret == 6, "send returned %d, error %d\n", ret, WSAGetLastError() );
        check_written( RESET, region, REGION_SIZE, "" );
        ret = recv( dst, region + 9 * PAGE, 6, 0 );
        ok( ret == 6, "recv returned %d, error %d\n", ret, WSAGetLastError() );
        got = written( RESET, region, REGION_SIZE, REGION_PAGES );
        ok( !strcmp( got, "9" ) || broken( real_windows && !*got ), "got pages \"%s\"\n", got );
    }
    closesocket( src );
    closesocket( dst );
    free_watched( region );
}


START_TEST(socket)
{
    WSADATA data;

    init_watch();
    if (WSAStartup( MAKEWORD( 2, 2 ), &data ))
    {
        skip( "there are no sockets\n" );
        return;
    }
    test_overlapped_recv();
    test_recv();
    WSACleanup();
}
