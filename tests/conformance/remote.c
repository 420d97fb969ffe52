/*
 * Write watch tests: what another process does to watched memory
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A run of this program with the argument "child" carries out requests of the test. One of the two
 * processes owns the watched memory and polls it, the other one allocates, protects, frees and
 * writes it from outside; both ways round.
 */

#include "watch.h"

#define RESET WRITE_WATCH_FLAG_RESET
#define REGION_PAGES 16
#define REGION_SIZE (REGION_PAGES * PAGE)

enum operation
{
    OP_QUIT,
    /* of the owner, on its own memory */
    OP_POLL,        /* type is the flags of the poll, the text returns the pages */
    OP_TOUCH,       /* the text is the list of pages */
    OP_COMPARE,     /* the text is what the memory should hold, or all zero if size is not 0 */
    OP_ALLOC,
    /* of the other process, on the memory of the owner */
    OP_ALLOC_EX,
    OP_FREE_EX,
    OP_PROTECT_EX,
    OP_WRITE,       /* WriteProcessMemory */
    OP_NT_WRITE,    /* NtWriteVirtualMemory */
    OP_READ,        /* ReadProcessMemory */
};

struct request
{
    enum operation op;
    char *addr;
    SIZE_T size;
    DWORD type;
    DWORD prot;
    char text[4096];  /* argument or result */
    char *ret;        /* result */
    DWORD error;
};

static struct request *channel;       /* shared by the two processes */
static HANDLE start_event, done_event;
static HANDLE other_process;          /* as seen from either */
static BOOL child_owns;               /* which way round */


/***********************************************************************
 *           perform
 *
 * Carry out a request in this process.
 */
static void perform( struct request *req )
{
    SIZE_T size = 0, i;
    NTSTATUS status;
    DWORD old;

    req->ret = NULL;
    SetLastError( 0xdeadbeef );
    switch (req->op)
    {
    case OP_QUIT:
        break;
    case OP_POLL:
        strcpy( req->text, written( req->type, req->addr, req->size, 256 ) );
        break;
    case OP_TOUCH:
        touch( req->addr, req->text );
        break;
    case OP_COMPARE:
        for (i = 0; i < req->size; i++) if (req->addr[i]) return;
        if (req->size || !strcmp( req->addr, req->text )) req->ret = req->addr;
        break;
    case OP_ALLOC:
        req->ret = VirtualAlloc( req->addr, req->size, req->type, req->prot );
        break;
    case OP_ALLOC_EX:
        req->ret = VirtualAllocEx( other_process, req->addr, req->size, req->type, req->prot );
        break;
    case OP_FREE_EX:
        if (VirtualFreeEx( other_process, req->addr, req->size, req->type )) req->ret = req->addr;
        break;
    case OP_PROTECT_EX:
        if (VirtualProtectEx( other_process, req->addr, req->size, req->prot, &old ))
            req->ret = req->addr;
        break;
    case OP_WRITE:
        if (WriteProcessMemory( other_process, req->addr, req->text, strlen( req->text ) + 1,
                                &size ) &&
            size == strlen( req->text ) + 1) req->ret = req->addr;
        break;
    case OP_NT_WRITE:
        status = pNtWriteVirtualMemory( other_process, req->addr, req->text,
                                        strlen( req->text ) + 1, &size );
        if (!status && size == strlen( req->text ) + 1) req->ret = req->addr;
        else SetLastError( status );
        break;
    case OP_READ:
        if (ReadProcessMemory( other_process, req->addr, req->text, req->size, &size ) &&
            size == req->size)
            req->ret = req->addr;
        break;
    }
    req->error = GetLastError();
}


/***********************************************************************
 *           child
 *
 * The other process: serves requests until one asks it to quit, or no more arrive.
 */
static void child( char **argv )
{
    HANDLE mapping = (HANDLE)(ULONG_PTR)strtoul( argv[3], NULL, 16 );

    start_event = (HANDLE)(ULONG_PTR)strtoul( argv[4], NULL, 16 );
    done_event = (HANDLE)(ULONG_PTR)strtoul( argv[5], NULL, 16 );
    other_process = (HANDLE)(ULONG_PTR)strtoul( argv[6], NULL, 16 );
    channel = MapViewOfFile( mapping, FILE_MAP_WRITE, 0, 0, 0 );
    ok( channel != NULL, "MapViewOfFile failed, error %u\n", (int)GetLastError() );

    while (!WaitForSingleObject( start_event, HANG_TIME ))
    {
        /* the next request may be there as soon as this one is answered */
        BOOL quit = channel->op == OP_QUIT;

        perform( channel );
        SetEvent( done_event );
        if (quit) break;
    }
}


/***********************************************************************
 *           request
 *
 * Have a request carried out by the process whose part it is. The answer lives until the next call.
 */
static struct request *request( BOOL by_child, enum operation op, void *addr, SIZE_T size,
                                DWORD type,
                                DWORD prot, const char *text )
{
    static struct request local;
    struct request *req = by_child ? channel : &local;
    HANDLE handles[2];
    DWORD ret;

    req->op = op;
    req->addr = addr;
    req->size = size;
    req->type = type;
    req->prot = prot;
    strcpy( req->text, text );
    if (by_child)
    {
        handles[0] = done_event;
        handles[1] = other_process;
        SetEvent( start_event );
        ret = WaitForMultipleObjects( 2, handles, FALSE, HANG_TIME );
        if (ret)  /* a check that succeeds would disturb those in todo blocks */
        {
            ok( 0, "the child does not answer, wait returned %#x\n", (int)ret );
            TerminateProcess( other_process, 1 );
            exit( 1 );
        }
    }
    else perform( req );
    return req;
}

#define owner( op, addr, size, type, prot, text ) \
    request( child_owns, op, addr, size, type, prot, text )
#define other( op, addr, size, type, prot, text ) \
    request( !child_owns, op, addr, size, type, prot, text )


/***********************************************************************
 *           check_owner
 *
 * What the owner's poll reports.
 */
#define check_owner( flags, base, size, expect ) check_owner_( __LINE__, flags, base, size, expect )
static void check_owner_( int line, DWORD flags, void *base, SIZE_T size, const char *expect )
{
    struct request *req = owner( OP_POLL, base, size, flags, 0, "" );

    ok_( __FILE__, line )( !strcmp( req->text, expect ), "got pages \"%s\", expected \"%s\"\n",
                           req->text,
                           expect );
}


/***********************************************************************
 *           check_other
 *
 * Something the other process does, which must work.
 */
#define check_other( op, addr, size, type, prot, text ) \
    check_other_( __LINE__, op, addr, size, type, prot, text )
static char *check_other_( int line, enum operation op, void *addr, SIZE_T size, DWORD type,
                           DWORD prot,
                           const char *text )
{
    struct request *req = other( op, addr, size, type, prot, text );

    ok_( __FILE__, line )( req->ret != NULL, "operation %u failed, error %#x\n", op,
                           (int)req->error );
    return req->ret;
}


/***********************************************************************
 *           check_gone
 *
 * Released memory is unwatched: either face of the poll refuses it.
 */
#define check_gone( base, size ) check_gone_( __LINE__, base, size )
static void check_gone_( int line, void *base, SIZE_T size )
{
    struct request *req = owner( OP_POLL, base, size, 0, 0, "" );

    ok_( __FILE__, line )( !strcmp( req->text, "error 87" ) ||
                           !strcmp( req->text, "status c000000d" ),
                           "got \"%s\"\n", req->text );
}


/***********************************************************************
 *           test_writes
 *
 * Row 29: WriteProcessMemory counts. Stock Wine writes the memory behind the program's back.
 */
static void test_writes( char *region )
{
    check_other( OP_WRITE, region + 5 * PAGE, 0, 0, 0, "never touched" );
    todo_wine check_owner( 0, region, REGION_SIZE, "5" );
    ok( owner( OP_COMPARE, region + 5 * PAGE, 0, 0, 0, "never touched" )->ret != NULL,
        "wrong data\n" );
    owner( OP_TOUCH, region, 0, 0, 0, "0-15" );
    check_owner( RESET, region, REGION_SIZE, "0-15" );

    check_other( OP_WRITE, region + 7 * PAGE + 9, 0, 0, 0, "clean" );
    todo_wine check_owner( RESET, region, REGION_SIZE, "7" );
    check_owner( RESET, region, REGION_SIZE, "" );
    ok( owner( OP_COMPARE, region + 7 * PAGE + 9, 0, 0, 0, "clean" )->ret != NULL, "wrong data\n" );
    check_other( OP_WRITE, region + 3 * PAGE - 4, 0, 0, 0, "straddling" );
    todo_wine check_owner( RESET, region, REGION_SIZE, "2-3" );
    check_other( OP_NT_WRITE, region + 9 * PAGE, 0, 0, 0, "by the native call" );
    todo_wine check_owner( RESET, region, REGION_SIZE, "9" );
    ok( owner( OP_COMPARE, region + 9 * PAGE, 0, 0, 0, "by the native call" )->ret != NULL,
        "wrong data\n" );

    /* beside a write of the owner's, and to a page that is written already */
    owner( OP_TOUCH, region, 0, 0, 0, "1,10" );
    check_other( OP_WRITE, region + 10 * PAGE, 0, 0, 0, "written" );
    check_other( OP_NT_WRITE, region + 12 * PAGE, 0, 0, 0, "clean" );
    todo_wine check_owner( RESET, region, REGION_SIZE, "1,10,12" );
    owner( OP_TOUCH, region, 0, 0, 0, "12" );
    check_owner( RESET, region, REGION_SIZE, "12" );

    /* reading is not writing */
    check_other( OP_READ, region, 4000, 0, 0, "" );
    check_owner( RESET, region, REGION_SIZE, "" );
}


/***********************************************************************
 *           test_changes
 *
 * Row 38: rows 13, 15 and 31 for protections and commits from outside.
 */
static void test_changes( char *region )
{
    owner( OP_TOUCH, region, 0, 0, 0, "1-3,6,9" );
    check_owner( RESET, region + PAGE, PAGE, "0" );
    check_other( OP_PROTECT_EX, region, 8 * PAGE, 0, PAGE_READONLY, "" );
    check_owner( 0, region, REGION_SIZE, "2-3,6,9" );
    check_other( OP_PROTECT_EX, region, REGION_SIZE, 0, PAGE_NOACCESS, "" );
    check_owner( 0, region, REGION_SIZE, "2-3,6,9" );
    check_other( OP_PROTECT_EX, region, REGION_SIZE, 0, PAGE_READWRITE, "" );
    check_owner( 0, region, REGION_SIZE, "2-3,6,9" );
    owner( OP_TOUCH, region, 0, 0, 0, "1" );
    check_owner( 0, region, REGION_SIZE, "1-3,6,9" );

    check_other( OP_FREE_EX, region + 2 * PAGE, 5 * PAGE, MEM_DECOMMIT, 0, "" );
    check_owner( 0, region, REGION_SIZE, "1-3,6,9" );
    owner( OP_TOUCH, region, 0, 0, 0, "8" );
    check_owner( RESET, region, 3 * PAGE, "1-2" );
    check_owner( 0, region, REGION_SIZE, "3,6,8-9" );
    check_other( OP_ALLOC_EX, region + 2 * PAGE, 5 * PAGE, MEM_COMMIT, PAGE_READWRITE, "" );
    check_owner( 0, region, REGION_SIZE, "3,6,8-9" );
    ok( owner( OP_COMPARE, region + 2 * PAGE, 5 * PAGE, 0, 0, "" )->ret != NULL,
        "recommitted memory is not zero\n" );
    check_owner( 0, region, REGION_SIZE, "3,6,8-9" );
    owner( OP_TOUCH, region, 0, 0, 0, "2,5" );
    check_owner( RESET, region, REGION_SIZE, "2-3,5-6,8-9" );
    check_owner( RESET, region, REGION_SIZE, "" );

    owner( OP_TOUCH, region, 0, 0, 0, "4-5" );
    check_other( OP_ALLOC_EX, region + 5 * PAGE, 3 * PAGE, MEM_RESET, PAGE_READWRITE, "" );
    check_owner( RESET, region, REGION_SIZE, "4-5" );
    check_owner( RESET, region, REGION_SIZE, "" );

    owner( OP_TOUCH, region, 0, 0, 0, "0,15" );
    check_other( OP_FREE_EX, region, 0, MEM_DECOMMIT, 0, "" );
    check_owner( RESET, region, REGION_SIZE, "0,15" );
    check_owner( 0, region, REGION_SIZE, "" );
    check_other( OP_ALLOC_EX, region, REGION_SIZE, MEM_COMMIT, PAGE_READWRITE, "" );
    check_owner( 0, region, REGION_SIZE, "" );
    owner( OP_TOUCH, region, 0, 0, 0, "0,15" );
    check_owner( RESET, region, REGION_SIZE, "0,15" );
}


/***********************************************************************
 *           test_allocations
 *
 * Row 38: rows 14, 25 and 32 from outside.
 */
static void test_allocations(void)
{
    struct request *req;
    char *region, *again;

    region = check_other( OP_ALLOC_EX, NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT |
                          MEM_WRITE_WATCH,
                          PAGE_READWRITE, "" );
    check_owner( 0, region, REGION_SIZE, "" );
    owner( OP_TOUCH, region, 0, 0, 0, "1,3" );
    check_owner( 0, region, REGION_SIZE, "1,3" );
    check_owner( RESET, region, REGION_SIZE, "1,3" );
    check_owner( RESET, region, REGION_SIZE, "" );
    test_changes( region );
    owner( OP_TOUCH, region, 0, 0, 0, "2-4" );
    check_other( OP_FREE_EX, region + 3 * PAGE, PAGE, MEM_DECOMMIT, 0, "" );
    check_other( OP_FREE_EX, region, 0, MEM_RELEASE, 0, "" );
    check_gone( region, REGION_SIZE );

    again = check_other( OP_ALLOC_EX, region, REGION_SIZE, MEM_RESERVE | MEM_COMMIT |
                         MEM_WRITE_WATCH,
                         PAGE_READWRITE, "" );
    ok( again == region, "got %p instead of %p\n", again, region );
    check_owner( 0, region, REGION_SIZE, "" );
    test_writes( region );
    check_other( OP_FREE_EX, region, 0, MEM_RELEASE, 0, "" );

    /* without the flag it is not watched, also where watched memory was */
    again = check_other( OP_ALLOC_EX, region, REGION_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE,
                         "" );
    check_gone( again, REGION_SIZE );
    check_other( OP_FREE_EX, again, 0, MEM_RELEASE, 0, "" );

    /* reserved by one, committed in pieces by both */
    region = check_other( OP_ALLOC_EX, NULL, REGION_SIZE, MEM_RESERVE | MEM_WRITE_WATCH,
                          PAGE_NOACCESS, "" );
    check_owner( 0, region, REGION_SIZE, "" );
    check_other( OP_ALLOC_EX, region + PAGE, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE, "" );
    owner( OP_ALLOC, region + 8 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE, "" );
    owner( OP_TOUCH, region, 0, 0, 0, "2,8" );
    check_owner( RESET, region, REGION_SIZE, "2,8" );
    check_other( OP_FREE_EX, region, 0, MEM_RELEASE, 0, "" );
    check_gone( region, REGION_SIZE );

    /* memory that the owner itself allocated */
    region = owner( OP_ALLOC, NULL, REGION_SIZE, MEM_RESERVE | MEM_COMMIT | MEM_WRITE_WATCH,
                    PAGE_READWRITE, "" )->ret;
    ok( region != NULL, "VirtualAlloc failed\n" );
    test_writes( region );
    check_owner( RESET, region, REGION_SIZE, "" );
    test_changes( region );
    check_other( OP_FREE_EX, region, 0, MEM_RELEASE, 0, "" );
    check_gone( region, REGION_SIZE );

    /* what is refused locally is refused from outside */
    req = other( OP_ALLOC_EX, NULL, REGION_SIZE, MEM_WRITE_WATCH, PAGE_READWRITE, "" );
    ok( !req->ret && req->error == ERROR_INVALID_PARAMETER, "got %p, error %u\n", req->ret,
        (int)req->error );
    req = other( OP_FREE_EX, region, 0, MEM_RELEASE, 0, "" );
    ok( !req->ret && (req->error == ERROR_INVALID_PARAMETER || req->error == ERROR_INVALID_ADDRESS),
        "error %u\n", (int)req->error );
}


/***********************************************************************
 *           test_process_handle
 *
 * Row 9: Wine answers for the caller also when the handle is that of another process.
 */
static void test_process_handle(void)
{
    char *region = alloc_watched( REGION_SIZE );
    void *results[REGION_PAGES];
    ULONG_PTR count = REGION_PAGES;
    ULONG page_size;
    NTSTATUS status;

    touch( region, "2" );
    status = pNtGetWriteWatch( other_process, 0, region, REGION_SIZE, results, &count, &page_size );
    ok( !status || broken( real_windows ), "NtGetWriteWatch returned %08x\n", (int)status );
    if (!status) ok( count == 1 && results[0] == region + 2 * PAGE, "got %d pages\n", (int)count );
    status = pNtResetWriteWatch( other_process, region, REGION_SIZE );
    ok( !status || broken( real_windows ), "NtResetWriteWatch returned %08x\n", (int)status );
    if (!status) check_written( 0, region, REGION_SIZE, "" );
    free_watched( region );
}


/***********************************************************************
 *           start_child
 */
static HANDLE start_child( char **argv )
{
    SECURITY_ATTRIBUTES attr = { sizeof(attr), NULL, TRUE };
    STARTUPINFOA startup = { .cb = sizeof(startup) };
    PROCESS_INFORMATION info;
    char cmdline[MAX_PATH + 100];
    HANDLE mapping, self;
    BOOL ret;

    mapping = CreateFileMappingA( INVALID_HANDLE_VALUE, &attr, PAGE_READWRITE, 0, sizeof(*channel),
                                  NULL );
    start_event = CreateEventA( &attr, FALSE, FALSE, NULL );
    done_event = CreateEventA( &attr, FALSE, FALSE, NULL );
    DuplicateHandle( GetCurrentProcess(), GetCurrentProcess(), GetCurrentProcess(), &self, 0, TRUE,
                     DUPLICATE_SAME_ACCESS );
    channel = MapViewOfFile( mapping, FILE_MAP_WRITE, 0, 0, 0 );
    ok( channel != NULL, "MapViewOfFile failed, error %u\n", (int)GetLastError() );

    sprintf( cmdline, "\"%s\" remote child %x %x %x %x", argv[0], (int)(ULONG_PTR)mapping,
             (int)(ULONG_PTR)start_event, (int)(ULONG_PTR)done_event, (int)(ULONG_PTR)self );
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info );
    ok( ret, "CreateProcess failed, error %u\n", (int)GetLastError() );
    CloseHandle( info.hThread );
    return info.hProcess;
}


START_TEST(remote)
{
    char **argv;
    int argc = winetest_get_mainargs( &argv );

    init_watch();
    if (argc >= 7 && !strcmp( argv[2], "child" ))
    {
        child( argv );
        return;
    }
    other_process = start_child( argv );
    for (child_owns = 0; child_owns < 2; child_owns++)
    {
        winetest_push_context( child_owns ? "memory of the child" : "memory of the parent" );
        test_allocations();
        winetest_pop_context();
    }
    test_process_handle();
    request( TRUE, OP_QUIT, NULL, 0, 0, 0, "" );
    wait_child_process( other_process );
    CloseHandle( other_process );
}
